package httpx_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

func TestClientGone(t *testing.T) {
	t.Parallel()
	left, leave := context.WithCancel(t.Context())
	leave()
	late, stop := context.WithTimeout(t.Context(), -1)
	defer stop()
	behindALimit, stop := context.WithTimeout(left, time.Hour) // a gateway in the same process
	defer stop()
	for name, c := range map[string]struct {
		ctx  context.Context
		err  error
		want bool
	}{
		"it left":                            {left, fmt.Errorf("read order: %w", context.Canceled), true},
		"it left, under a limit":             {behindALimit, context.Canceled, true},
		"it left, and something else failed": {left, errors.New("deadlock"), false},
		"its time is over":                   {late, context.DeadlineExceeded, false},
		"somebody else's work was canceled":  {t.Context(), context.Canceled, false},
	} {
		if got := httpx.ClientGone(c.ctx, c.err); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestWhoEndedARequest: a client that hangs up is told from a server that is out of time, whoever serves the request.
func TestWhoEndedARequest(t *testing.T) {
	t.Parallel()
	for name, request := range map[string]string{
		"plain":    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"net/http": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	} {
		for _, leaves := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, client leaves: %t", name, leaves), func(t *testing.T) {
				t.Parallel()
				began, gone := make(chan struct{}), make(chan bool, 1)
				s := start(t, httpx.ServerConfig{}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body) // only then does net/http see the client leave
					close(began)
					<-r.Context().Done()
					gone <- httpx.ClientGone(r.Context(), r.Context().Err())
				}))
				conn, err := net.Dial("tcp", s.Addr())
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = conn.Close() }()
				if _, err := io.WriteString(conn, request); err != nil {
					t.Fatal(err)
				}
				<-began
				if leaves {
					_ = conn.Close()
				} else {
					over, cancel := context.WithCancel(context.Background())
					cancel()
					if err := s.Shutdown(over); err == nil {
						t.Error("nothing was cut off")
					}
				}
				if got := <-gone; got != leaves {
					t.Errorf("the client is gone: %t", got)
				}
			})
		}
	}
}
