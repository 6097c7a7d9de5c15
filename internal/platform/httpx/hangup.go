package httpx

import (
	"context"
	"errors"
)

// StatusClientGone is what nginx logs of a client that hung up before its answer. Nobody reads that answer: it is there for
// metrics and traces, which would otherwise count a failure of ours, or a success.
const StatusClientGone = 499

// ErrClientGone answers a request of which ClientGone is true.
var ErrClientGone = &Error{Status: StatusClientGone, Code: CodeClientGone, Title: "The client hung up",
	Detail: "Whether the request took effect is unknown. What was accepted goes on."}

// errCutOff is why the context of a request ends that Shutdown has no time left for.
var errCutOff = errors.New("the server ended before the request was answered")

// ClientGone tells whether err says no more than that the request's client has hung up. A request whose time is over, one
// that the server itself cuts off, and a failure that has another cause and met a client that left are none of these.
func ClientGone(ctx context.Context, err error) bool {
	return errors.Is(err, context.Canceled) && errors.Is(context.Cause(ctx), context.Canceled)
}
