package gateway

import (
	"errors"
	"io"
)

// clientBody marks what goes wrong while a client's body is read: for whoever forwards it, a body that breaks off would
// otherwise look like a backend that does.
type clientBody struct{ io.ReadCloser }

// Read implements io.Reader.
func (b clientBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = clientError{err}
	}
	return n, err
}

// clientError is an error of the client's body.
type clientError struct{ error }

// Unwrap leads errors.As to the cause.
func (e clientError) Unwrap() error { return e.error }
