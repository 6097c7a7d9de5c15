package veloz_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pedidos-veloz/pedidos-veloz/internal/app/veloz"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"veloz": func() { os.Exit(veloz.Main(os.Args[1:])) }})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"up": up, "down": down, "capture": capture, "exits": exits, "lose": lose,
			"taken": taken, "interrupt": interrupt,
		},
		Setup: func(env *testscript.Env) error {
			env.Values[runningKey{}] = &running{}
			return nil
		},
		RequireExplicitExec: true, RequireUniqueNames: true,
	})
}

// platform is a `veloz up` that a script has started.
type platform struct {
	process *exec.Cmd
	drained chan struct{} // closed when all of its output was read
}

// running holds the script's platform, which is replaced when it starts again.
type running struct{ *platform }

var address = regexp.MustCompile(`is up at (http://\S+)`)

// up [ARG...] starts `veloz up` on a free port in the background, waits for its banner, and sets VELOZ_SERVER from it.
func up(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("use `! exec veloz up` for a start that fails")
	}
	command := exec.Command("veloz", append([]string{"up", "--listen-address=127.0.0.1:0"}, args...)...)
	command.Dir, command.Env = ts.Getenv("WORK"), []string{"HOME=" + ts.Getenv("HOME"), "PATH=" + ts.Getenv("PATH")}
	output, err := command.StdoutPipe()
	ts.Check(err)
	command.Stderr = command.Stdout
	ts.Check(command.Start())
	p := &platform{command, make(chan struct{})}
	ts.Defer(func() { _ = p.process.Process.Kill() })
	platforms(ts).platform = p

	banner, server := make(chan string, 1), ""
	go func() {
		defer close(p.drained)
		defer close(banner)
		lines := bufio.NewScanner(output)
		for lines.Scan() {
			if found := address.FindStringSubmatch(lines.Text()); found != nil {
				banner <- found[1]
			}
		}
		_, _ = io.Copy(io.Discard, output)
	}()
	select {
	case server = <-banner:
	case <-time.After(2 * time.Minute):
	}
	if server == "" {
		ts.Fatalf("veloz up %s showed no banner", strings.Join(args, " "))
	}
	ts.Setenv("VELOZ_SERVER", server)
}

// down interrupts the platform as Ctrl-C does, and expects exit code 0 in time.
func down(ts *testscript.TestScript, _ bool, _ []string) {
	p := platforms(ts).platform
	ts.Check(p.process.Process.Signal(os.Interrupt))
	// Less than a second on an idle machine; tests share theirs, and -race slows each process.
	killer := time.AfterFunc(30*time.Second, func() { _ = p.process.Process.Kill() })
	defer killer.Stop()
	<-p.drained
	if err := p.process.Wait(); err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			ts.Fatalf("veloz up ended with %s", exit.ProcessState)
		}
		ts.Check(err)
	}
}

// exits CODE COMMAND [ARG...] runs a command that must end with the code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARG...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || strconv.Itoa(exit.ExitCode()) != args[0] {
		ts.Fatalf("%s ended with %v, not with %s", strings.Join(args[1:], " "), err, args[0])
	}
}

// capture NAME REGEXP sets a variable to what the expression's group finds in the last command's output.
func capture(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: capture NAME REGEXP")
	}
	found := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if found == nil {
		ts.Fatalf("%s is not in\n%s", args[1], ts.ReadFile("stdout"))
	}
	ts.Setenv(args[0], found[1])
}

// lose FILE takes the confirmed orders out of the orders' database.
func lose(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sqlite.Open(context.Background(), ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(db.Write(context.Background(), func(c *sqlite.Conn) error {
		return c.Exec(`DELETE FROM orders WHERE id IN (SELECT order_id FROM order_states WHERE status = 'confirmed')`)
	}))
	ts.Check(db.Close())
}

// taken NAME sets a variable to an address that another program listens on. It takes connections, and answers nothing.
func taken(ts *testscript.TestScript, _ bool, args []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = listener.Close() })
	ts.Setenv(args[0], listener.Addr().String())
}

// interrupt CODE FILE PATTERN[,PATTERN] COMMAND [ARG...] runs a command, and sends it Ctrl-C at the first of its errors' lines
// that fits each pattern in turn. It must end by that, within a minute, and with a code that fits CODE; -1 is the end by the
// signal. What it says is kept in the file.
func interrupt(ts *testscript.TestScript, _ bool, args []string) {
	command := exec.Command(args[3], args[4:]...)
	command.Dir = ts.Getenv("WORK")
	command.Env = []string{"PATH=" + ts.Getenv("PATH"), "VELOZ_SERVER=" + ts.Getenv("VELOZ_SERVER"), "VELOZ_KEY=" + ts.Getenv("VELOZ_KEY")}
	var out strings.Builder
	command.Stdout = &out
	errorLines, err := command.StderrPipe()
	ts.Check(err)
	ts.Check(command.Start())
	ts.Defer(func() { _ = command.Process.Kill() })
	killer := time.AfterFunc(time.Minute, func() { _ = command.Process.Kill() })
	patterns := strings.Split(args[2], ",")
	lines, said := bufio.NewScanner(errorLines), ""
	for lines.Scan() {
		said += lines.Text() + "\n"
		if len(patterns) > 0 && regexp.MustCompile(patterns[0]).MatchString(lines.Text()) {
			patterns = patterns[1:]
			ts.Check(command.Process.Signal(os.Interrupt))
		}
	}
	var exit *exec.ExitError
	err = command.Wait()
	if !killer.Stop() {
		ts.Fatalf("%s went on when it was interrupted:\n%s", strings.Join(args[3:], " "), said)
	}
	if !errors.As(err, &exit) || !regexp.MustCompile(`^(`+args[0]+`)$`).MatchString(strconv.Itoa(exit.ExitCode())) {
		ts.Fatalf("%s ended with %v, not with %s:\n%s", strings.Join(args[3:], " "), err, args[0], said)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(out.String()+said), 0o600))
}

func platforms(ts *testscript.TestScript) *running {
	return ts.Value(runningKey{}).(*running)
}

type runningKey struct{}
