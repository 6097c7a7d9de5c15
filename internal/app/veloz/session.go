package veloz

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/pedidos-veloz/pedidos-veloz/api/inventoryapi"
	"github.com/pedidos-veloz/pedidos-veloz/api/ordersapi"
	"github.com/pedidos-veloz/pedidos-veloz/api/paymentsapi"
	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/keys"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/config"
)

const (
	// answerTimeout is longer than the gateway's own deadline, so that its answer is the one that is shown.
	answerTimeout = 40 * time.Second
	// maxAnswer bounds what is read of an answer; a page of a hundred orders of a hundred lines has some 2 MB.
	maxAnswer = 32 << 20
	adminKey  = "admin-key"
)

// address is where a running platform is.
type address struct {
	Server config.PeerURL `name:"server" env:"VELOZ_SERVER" default:"http://localhost:8000" placeholder:"URL" group:"Connection:" help:"Where the platform runs; ${default} by default."`
	JSON   bool           `name:"json" group:"Connection:" help:"${json_help=Print the API's answer as it came, one JSON document; a problem too.}"`
}

// connection is an address and the key to it.
type connection struct {
	address `embed:""`
	Key     config.Secret `name:"key" env:"VELOZ_KEY" placeholder:"vlz_…" group:"Connection:" help:"API key; in the environment no other user of the machine sees it."`
	KeyFile string        `name:"key-file" type:"path" placeholder:"FILE" group:"Connection:" help:"File that holds the API key instead; without any, admin-key in --data."`
	Data    string        `name:"data" env:"VELOZ_DATA" default:"veloz-data" type:"path" group:"Connection:" help:"Data folder of veloz up."`
}

// repeatable is a write that can be sent again without a second effect.
type repeatable struct {
	IdempotencyKey string `name:"idempotency-key" placeholder:"KEY" help:"Repeats the write of this key instead of making a new one. Made up where it is not given."`
}

func (r *repeatable) key() string {
	if r.IdempotencyKey == "" {
		r.IdempotencyKey = "veloz-" + uuid.NewString()
	}
	return r.IdempotencyKey
}

// session speaks to one platform as the holder of one key, and remembers the last answer.
type session struct {
	server, key, keyFrom string
	idempotencyKey       string // of a write, for what is said when it fails
	answer               answer

	orders    *ordersapi.Client
	payments  *paymentsapi.Client
	inventory *inventoryapi.Client
}

// answer is what came back; its status is 0 when nothing did.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (c connection) open() (*session, error) {
	s := &session{server: string(c.Server)}
	if err := c.readKey(s); err != nil {
		return nil, err
	}
	var err error
	if s.orders, err = ordersapi.NewClient(s.server, ordersapi.WithClient(s)); err != nil {
		return nil, err
	}
	if s.payments, err = paymentsapi.NewClient(s.server, paymentsapi.WithClient(s)); err != nil {
		return nil, err
	}
	s.inventory, err = inventoryapi.NewClient(s.server, inventoryapi.WithClient(s))
	return s, err
}

func (c connection) readKey(s *session) error {
	s.key, s.keyFrom = strings.TrimSpace(c.Key.Reveal()), "--key or VELOZ_KEY"
	if s.key == "" || c.KeyFile != "" { // the file can only come from a flag, and the key may be the environment's
		file := c.KeyFile
		if file == "" {
			file = filepath.Join(c.Data, adminKey)
		}
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) && c.KeyFile == "" {
			return fmt.Errorf("there is no API key at %s\n  Start the platform here with `veloz up --demo`, or give --data, --key-file, --key or VELOZ_KEY.", relative(file))
		}
		if err != nil {
			return fmt.Errorf("read the API key: %w", err)
		}
		s.key, s.keyFrom = strings.TrimSpace(string(text)), relative(file)
	}
	if _, ok := keys.ParseToken(s.key); !ok {
		return fmt.Errorf("what %s holds is no API key: they look like vlz_ID_SECRET", s.keyFrom)
	}
	return nil
}

// Do implements the generated clients' HTTP client.
func (s *session) Do(request *http.Request) (*http.Response, error) {
	s.answer = answer{}
	if s.key != "" {
		request.Header.Set("Authorization", "Bearer "+s.key)
	}
	client := http.Client{Timeout: answerTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	s.answer = answer{response.StatusCode, response.Header, body}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// ask opens a session, calls, and shows the answer: as it came with --json, otherwise by show.
func ask[T any](t *terminal, c connection, call func(*session) (T, error), show func(T)) error {
	s, err := c.open()
	if err != nil {
		return err
	}
	result, err := call(s)
	if err = s.explain(err); c.JSON {
		return errors.Join(err, s.printAnswer(t, err))
	}
	if err != nil {
		return err
	}
	show(result)
	return nil
}

// printAnswer writes the answer unchanged. What is no JSON, such as a proxy's page, is left to the message.
func (s *session) printAnswer(t *terminal, failed error) error {
	if s.answer.status == 0 || failed != nil && s.problem() == nil {
		return nil
	}
	_, err := fmt.Fprintf(t.out, "%s\n", bytes.TrimRight(s.answer.body, "\n"))
	return err
}

// get reads a path that is in no contract, such as a health page.
func (s *session) get(ctx context.Context, path string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.server+path, nil)
	if err != nil {
		return err
	}
	_, err = s.Do(request)
	return err
}
