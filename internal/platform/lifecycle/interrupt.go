package lifecycle

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// UntilInterrupted is the context of a command: Ctrl-C ends what it waits for, as SIGTERM does. Whoever sees it end may promise
// that a second Ctrl-C ends the process.
func UntilInterrupted() context.Context {
	signaled, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithCancel(context.Background())
	context.AfterFunc(signaled, func() { stop(); cancel() })
	return ctx
}
