package overload

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/gateway/keys"
)

// shape is a way to run the platform.
type shape struct {
	name            string
	split, postgres bool
}

var (
	oneSQLite    = shape{"one process, SQLite", false, false}
	onePostgres  = shape{"one process, PostgreSQL", false, true}
	fourPostgres = shape{"four processes, PostgreSQL", true, true}
)

// settings are flags for the programs that know them.
type settings struct {
	gateway, orders, payments []string
}

// small batches make the store the limit.
var small = settings{orders: []string{"--max-batch", "8"}}

// platform is a set of running programs.
type platform struct {
	shape    shape
	url, key string
	programs []*program // the gateway last
	most     int64      // of resident memory, in bytes, of all programs together
}

// program is one process.
type program struct {
	bin, name, address string
	args               []string
	log                string
	cmd                *exec.Cmd
	done               chan struct{}
	pid                atomic.Int64 // of the last start
}

const startLimit = 3 * time.Minute

// start runs a platform of a shape. Stop it even when there is an error.
func (r *runner) start(ctx context.Context, s shape, with settings) (*platform, error) {
	p := &platform{shape: s}
	dir, err := os.MkdirTemp(r.dir, "platform-")
	if err != nil {
		return p, fmt.Errorf("make a folder: %w", err)
	}
	if s.split {
		err = r.startFour(ctx, p, dir, with)
	} else {
		err = r.startOne(ctx, p, dir, with)
	}
	if err != nil {
		return p, err
	}
	admin, err := os.ReadFile(filepath.Join(dir, "admin-key"))
	p.key = strings.TrimSpace(string(admin))
	return p, err
}

func (r *runner) startOne(ctx context.Context, p *platform, dir string, with settings) error {
	args := slices.Concat([]string{"up", "--data", dir}, with.gateway, with.orders, with.payments)
	if p.shape.postgres {
		database, err := r.postgres.CreateDatabase(ctx, "one_"+strconv.FormatInt(time.Now().UnixNano(), 36))
		if err != nil {
			return err
		}
		args = append(args, "--database", database)
	}
	return p.run(ctx, r.cfg.Bin, dir, "veloz", args...)
}

func (r *runner) startFour(ctx context.Context, p *platform, dir string, with settings) error {
	admin, err := keys.EnsureAdmin(dir, time.Now())
	if err != nil {
		return err
	}
	run := "_" + strconv.FormatInt(time.Now().UnixNano(), 36)
	inventory, err := r.postgres.CreateDatabase(ctx, "estoque"+run)
	if err != nil {
		return err
	}
	payments, err := r.payments.CreateDatabase(ctx, "pagamentos"+run)
	if err != nil {
		return err
	}
	orders, err := r.postgres.CreateDatabase(ctx, "pedidos"+run)
	if err != nil {
		return err
	}
	if err := p.run(ctx, r.cfg.Bin, dir, "servico-estoque", "--database-url", inventory); err != nil {
		return err
	}
	if err := p.run(ctx, r.cfg.Bin, dir, "servico-pagamentos", append([]string{"--database-url", payments}, with.payments...)...); err != nil {
		return err
	}
	peers := []string{"--estoque-service-url", p.program("servico-estoque").url(), "--pagamentos-service-url", p.program("servico-pagamentos").url()}
	if err := p.run(ctx, r.cfg.Bin, dir, "servico-pedidos", slices.Concat([]string{"--database-url", orders}, peers, with.orders)...); err != nil {
		return err
	}
	edge := []string{"--api-keys-file", admin.KeysFile, "--pedidos-service-url", p.program("servico-pedidos").url()}
	return p.run(ctx, r.cfg.Bin, dir, "api-gateway", slices.Concat(edge, peers, with.gateway)...)
}

func (p *platform) program(name string) *program {
	return p.programs[slices.IndexFunc(p.programs, func(one *program) bool { return one.name == name })]
}

func (p *platform) run(ctx context.Context, bin, dir, name string, args ...string) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	one := &program{bin: bin, name: name, address: address, log: filepath.Join(dir, name+".log"),
		args: append(args, "--listen-address", address, "--log-level", "error")}
	p.programs = append(p.programs, one)
	p.url = one.url()
	return one.start(ctx)
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = listener.Close() }() // it only found a port
	return listener.Addr().String(), nil
}

func (one *program) url() string { return "http://" + one.address }

// start runs the program and waits until it is ready.
func (one *program) start(ctx context.Context) error {
	log, err := os.OpenFile(one.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start %s: %w", one.name, err)
	}
	defer func() { _ = log.Close() }() // the program has its own handle
	one.cmd = exec.Command(filepath.Join(one.bin, one.name), one.args...)
	one.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), slowDisk} // the settings of who runs this are not the program's
	one.cmd.Stdout, one.cmd.Stderr = log, log
	one.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a run that is killed leaves nothing behind
	if err := one.launch(); err != nil {
		return fmt.Errorf("start %s: %w", one.name, err)
	}
	if err := one.ready(ctx); err != nil {
		said, readErr := os.ReadFile(one.log)
		return errors.Join(fmt.Errorf("start %s: %w\n%s", one.name, err, said), readErr)
	}
	return nil
}

// launch starts the process from a thread that lives as long: Linux sends the death signal when the parent's thread ends.
func (one *program) launch() error {
	done, started := make(chan struct{}), make(chan error)
	go func() {
		runtime.LockOSThread()
		err := one.cmd.Start()
		started <- err
		if err == nil {
			_ = one.cmd.Wait() // its end is seen by ready or by stop
			close(done)
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	one.done = done
	one.pid.Store(int64(one.cmd.Process.Pid))
	return nil
}

func (one *program) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		if status, _ := get(ctx, one.url()+"/health/ready", ""); status == http.StatusOK {
			return nil
		}
		select {
		case <-one.done:
			return errors.New("it ended")
		case <-ctx.Done():
			return errors.New("it did not become ready")
		case <-look.C:
		}
	}
}

// kill ends the program as a crash does.
func (one *program) kill() error {
	if err := one.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill %s: %w", one.name, err)
	}
	<-one.done
	return nil
}

// crash ends all programs at once.
func (p *platform) crash() (err error) {
	for _, one := range p.programs {
		if one.done != nil {
			err = errors.Join(err, one.kill())
		}
	}
	return err
}

// stop ends the programs in order, the gateway first. One that does not end by itself is a finding.
func (p *platform) stop() (err error) {
	const patience = 45 * time.Second
	for _, one := range slices.Backward(p.programs) {
		if one.done == nil {
			continue
		}
		_ = one.cmd.Process.Signal(syscall.SIGTERM) // one that has ended needs none
		select {
		case <-one.done:
		case <-time.After(patience):
			err = errors.Join(err, fmt.Errorf("%s did not stop within %s", one.name, patience), one.kill())
		}
	}
	return err
}

// resident is the memory of all programs together, in bytes; a program that is dead has none.
func (p *platform) resident() (total int64) {
	for _, one := range p.programs {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", one.pid.Load()))
		if err != nil {
			continue
		}
		if fields := strings.Fields(string(text)); len(fields) > 1 {
			pages, _ := strconv.ParseInt(fields[1], 10, 64) // the kernel writes numbers
			total += pages * int64(os.Getpagesize())
		}
	}
	return total
}

// watchMemory keeps the most that the programs take, until ctx ends.
func (p *platform) watchMemory(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		p.most = max(p.most, p.resident())
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
