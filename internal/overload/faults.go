package overload

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/load"
)

// fault is a part that is taken away for a while, and given back.
type fault struct {
	what  string
	shape shape
	with  settings
	token string // by which orders are paid; empty: an ordinary card
	// begin takes the part away, end gives it back; nil: the provider's slowness is in the token.
	begin func(p *platform) error
	end   func(ctx context.Context, p *platform) error
	down  string   // the backend that /health/backends has to name; empty: none
	away  []string // what cannot be asked for meanwhile
}

func (r *runner) faults(ctx context.Context) error {
	all := []fault{
		{what: "payments is dead", shape: fourPostgres, down: "payments", away: []string{payPix}, begin: kill("servico-pagamentos"), end: restart("servico-pagamentos")},
		{what: "the database of payments stands still", shape: fourPostgres, down: "payments", away: []string{payPix}, begin: r.freezePayments, end: r.thawPayments},
	}
	if !r.cfg.Quick {
		all = append(all,
			fault{what: "inventory is dead", shape: fourPostgres, down: "inventory", away: []string{readItem}, begin: kill("servico-estoque"), end: restart("servico-estoque")},
			fault{what: "a slow payment provider", shape: oneSQLite, token: "tok_slow", with: settings{payments: []string{"--provider-calls", "64"}}})
	}
	for _, f := range all {
		if !strings.Contains(f.what, r.cfg.Only) {
			continue
		}
		if err := r.patiently(f.what, func() error { return r.suffer(ctx, f) }); err != nil {
			return fmt.Errorf("%s: %w", f.what, err)
		}
	}
	return nil
}

// suffer lets a platform that works at half of its peak lose a part for the middle third of a run.
func (r *runner) suffer(ctx context.Context, f fault) (err error) {
	p, err := r.start(ctx, f.shape, f.with)
	defer func() { r.stopped(p, p.stop()) }()
	if err != nil {
		return err
	}
	others := newOthers(p)
	if err := others.prepare(ctx); err != nil {
		return err
	}
	const rate = 60 // orders a second, which every machine can do
	r.say("%s", f.what)
	watching, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() { p.watchMemory(watching) })
	var taken error
	cfg := r.openLoop(p, rate, 3*r.length, stop)
	cfg.CardToken = f.token
	until := cfg.Progress
	middle := sync.OnceFunc(func() { wg.Go(func() { taken = r.take(ctx, p, f) }) })
	asking := sync.OnceFunc(func() { wg.Go(func() { others.ask(watching) }) })
	cfg.Progress = func(now load.Snapshot) {
		asking()
		if now.Elapsed >= r.length {
			middle()
		}
		until(now)
	}
	report, err := load.Run(ctx, cfg)
	stop()
	wg.Wait()
	if err := firstOf(err, taken); err != nil {
		return err
	}
	for _, kind := range report.Kinds {
		r.say("%s: %v", f.what, kind.Outcomes)
	}
	r.verdict.Faults = append(r.verdict.Faults, found(f, p, report, others))
	r.judgeFault(f, p, report, others)
	return nil
}

// take takes the part away for a while, and asks in the middle of that how the platform is.
func (r *runner) take(ctx context.Context, p *platform, f fault) error {
	if f.begin == nil {
		return nil
	}
	if err := f.begin(p); err != nil {
		return err
	}
	back := time.After(r.length)
	err := r.askHealth(ctx, p, f)
	<-back
	return errors.Join(err, f.end(ctx, p))
}

// askHealth waits until the gateway names what is down, and nothing else, for half of the fault's time at most.
func (r *runner) askHealth(ctx context.Context, p *platform, f fault) error {
	limit := time.After(r.length / 2)
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		status, body := get(ctx, p.url+"/health/backends", "")
		down := namedDown(body)
		if status == 503 && down == f.down {
			r.timed(f.what, "health names what is down", down, f.down, true)
			return nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-limit:
			r.timed(f.what, "health names what is down", fmt.Sprintf("%d %s", status, body), f.down, false)
			return nil
		}
	}
}

// namedDown are the backends that the gateway's report says are not up.
func namedDown(body []byte) string {
	var report struct {
		Backends map[string]struct {
			Status string `json:"status"`
		} `json:"backends"`
	}
	if json.Unmarshal(body, &report) != nil {
		return "no report"
	}
	var down []string
	for name, backend := range report.Backends {
		if backend.Status != "up" {
			down = append(down, name)
		}
	}
	return strings.Join(down, ", ")
}

func kill(name string) func(*platform) error {
	return func(p *platform) error { return p.program(name).kill() }
}

func restart(name string) func(context.Context, *platform) error {
	return func(ctx context.Context, p *platform) error { return p.program(name).start(ctx) }
}

// freezePayments stops every process of the database server that payments has for itself: its connections stay open and say
// nothing, and so do new ones.
func (r *runner) freezePayments(*platform) error {
	return signalFamily(r.payments.PID(), syscall.SIGSTOP)
}

func (r *runner) thawPayments(context.Context, *platform) error {
	return signalFamily(r.payments.PID(), syscall.SIGCONT)
}

// signalFamily signals a process and then its children: stopped first, it makes no more of them.
func signalFamily(pid int, signal syscall.Signal) error {
	if err := syscall.Kill(pid, signal); err != nil {
		return fmt.Errorf("%s to %d: %w", signal, pid, err)
	}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return err
	}
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended meanwhile
		}
		// The name may hold blanks and parentheses; what follows its last parenthesis does not: the state, then the parent.
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if len(fields) < 2 || fields[1] != strconv.Itoa(pid) {
			continue
		}
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err != nil {
			return err
		}
		if err := syscall.Kill(child, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("%s to %d: %w", signal, child, err)
		}
	}
	return nil
}

// backends is what the gateway says of them, at last: one that takes a second to answer counts as down.
func backends(p *platform) (status int, body []byte) {
	limit := time.After(patience)
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		if status, body = get(context.Background(), p.url+"/health/backends", ""); status == http.StatusOK {
			return status, body
		}
		select {
		case <-look.C:
		case <-limit:
			return status, body
		}
	}
}

func found(f fault, p *platform, report load.Report, o *others) Fault {
	asked, failed := o.count(f.away...)
	return Fault{What: f.what, Confirmed: report.Count(load.Place, "confirmed"), Later: report.Count(load.Place, load.Accepted),
		Refused:  report.Count(load.Place, refused) + report.Count(load.Place, "backend_down") + report.Count(load.Place, "unavailable"),
		NoAnswer: report.Count(load.Place, load.Timeout) + report.Count(load.Place, load.Connection), Acknowledged: report.Truth.Acknowledged,
		Others: asked, OthersFailed: failed, OthersP99: o.p99(append(f.away, cancel)...),
		Settled: time.Duration(report.Truth.Seconds * float64(time.Second)), ResidentMiB: p.most >> 20}
}

func (r *runner) judgeFault(f fault, p *platform, report load.Report, o *others) {
	r.truth(f.what, report)
	r.judgeOthers(f.what, o, 0, f.away...)
	silent := report.Count(load.Place, load.Timeout) + report.Count(load.Place, load.Connection)
	r.check(f.what, "orders without an answer", fmt.Sprint(silent), "0", silent == 0)
	limit := r.limits().residentMiB
	r.check(f.what, "memory", fmt.Sprintf("%d MiB", p.most>>20), fmt.Sprintf("%d MiB", limit), p.most>>20 <= limit)
	status, body := backends(p)
	r.check(f.what, "afterwards all are up", fmt.Sprintf("%d %s", status, namedDown(body)), "200 ", status == 200)
}
