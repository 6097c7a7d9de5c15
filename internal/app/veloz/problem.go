package veloz

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/pedidos-veloz/pedidos-veloz/api/ordersapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// The exit codes. A shell has 128 and the signal's number for a program that was interrupted.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitViolated    = 3
	exitInterrupted = 130
)

// usageError is a command line that cannot mean anything.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// violated is the end of an audit or a load that found what must not be.
type violated struct{ error }

func exitCode(err error) int {
	var usage usageError
	var found violated
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &found):
		return exitViolated
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitFailed
}

// interrupted is the end by Ctrl-C; it keeps what can be said about a write.
type interrupted struct{ text string }

func (e interrupted) Error() string { return e.text }
func (e interrupted) Unwrap() error { return context.Canceled }

// explain turns a failed call into what happened and what to do next.
func (s *session) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case s.answer.status == 0:
		return s.unanswered(err)
	case s.answer.status < 300:
		return fmt.Errorf("the answer cannot be read: %w\n  Is the platform of another version? --json prints it as it came.", err)
	}
	problem := s.problem()
	if problem == nil {
		return fmt.Errorf("%s answers %d %s, and not as the platform does\n  Is --server right? `veloz health` asks who is there.",
			s.server, s.answer.status, http.StatusText(s.answer.status))
	}
	return errors.New(strings.Join(append(problemLines(problem), s.next(problem)...), "\n  "))
}

// unanswered is about a call whose effect is unknown.
func (s *session) unanswered(err error) error {
	var dial *net.OpError
	switch {
	case errors.Is(err, context.Canceled):
		return interrupted{strings.Join(append([]string{"interrupted"}, s.repeat()...), "\n  ")}
	case errors.As(err, &dial) && dial.Op == "dial":
		return fmt.Errorf("nothing answers at %s\n  Start the platform with `veloz up --demo`, or name another with --server or VELOZ_SERVER.", s.server)
	}
	var call *url.Error
	if errors.As(err, &call) {
		err = call.Err // without the method and the URL, which are no news
	}
	return errors.New(strings.Join(append([]string{fmt.Sprintf("%s did not answer: %v", s.server, err)}, s.repeat()...), "\n  "))
}

// repeat tells how to send a write again.
func (s *session) repeat() []string {
	if s.idempotencyKey == "" {
		return nil
	}
	return []string{"Repeat it without fear of a second effect: the same command with --idempotency-key " + s.idempotencyKey}
}

// problem is the answer as the contracts' Problem, which is the same in all of them; nil when it is none.
func (s *session) problem() *ordersapi.Problem {
	media, _, _ := mime.ParseMediaType(s.answer.header.Get("Content-Type"))
	if s.answer.status < 300 || media != httpx.ProblemType {
		return nil
	}
	problem := &ordersapi.Problem{}
	if problem.UnmarshalJSON(s.answer.body) != nil {
		return nil
	}
	return problem
}

func problemLines(p *ordersapi.Problem) []string {
	lines := []string{p.Title}
	// With one field, the detail repeats it.
	if detail := p.Detail.Or(""); detail != "" && (len(p.Errors) != 1 || !strings.Contains(detail, p.Errors[0].Message)) {
		lines = append(lines, detail)
	}
	for _, f := range p.Errors {
		lines = append(lines, strings.TrimSpace(f.Field+" "+f.Message))
	}
	for _, shortage := range p.Shortages {
		lines = append(lines, fmt.Sprintf("%s: %d asked for, %d left", shortage.Sku, shortage.Requested, shortage.Available))
	}
	return lines
}

// next is what to do about a problem.
func (s *session) next(p *ordersapi.Problem) []string {
	if id, rejected := p.OrderID.Get(); rejected {
		return []string{fmt.Sprintf("The order stays readable: veloz orders get %s", id)}
	}
	switch p.Code {
	case "unauthorized":
		return []string{"The key came from " + s.keyFrom + "; --key, VELOZ_KEY or --key-file give another."}
	case "insufficient_scope":
		return []string{"`veloz keys create NAME --scope SCOPE` makes a key that may."}
	case "unknown_sku", "item_not_found":
		return []string{"`veloz items list` shows what there is."}
	case "order_not_found":
		return []string{"`veloz orders list` shows what there is."}
	case "idempotency_key_reused":
		return []string{"Without --idempotency-key it is a new write."}
	}
	if wait := s.answer.header.Get("Retry-After"); wait != "" || s.answer.status >= http.StatusInternalServerError {
		return append(after(wait), s.repeat()...)
	}
	return nil
}

func after(wait string) []string {
	if wait == "" {
		return nil
	}
	return []string{"It is worth another try in " + wait + " s."}
}
