package lifecycle

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// interruptible is set for a process of this test that works on when its context has ended.
const interruptible = "VELOZ_TEST_INTERRUPTIBLE"

func TestASecondInterruptEndsACommand(t *testing.T) {
	t.Parallel()
	if os.Getenv(interruptible) != "" {
		ctx := UntilInterrupted()
		fmt.Println("ready")
		<-ctx.Done()
		fmt.Println("ended")
		time.Sleep(time.Minute)
		os.Exit(0)
	}
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	command.Env = append(os.Environ(), interruptible+"=1")
	out, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for _, want := range []string{"ready", "ended"} {
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("it says %q, %v; want %q", lines.Text(), lines.Err(), want)
		}
		if err := command.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
	}
	var exit *exec.ExitError
	if err := command.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGINT {
		t.Errorf("ended with %v, want by the second interrupt", err)
	}
}
