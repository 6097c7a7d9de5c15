package httpx

import "net/http"

// Recorder is a ResponseWriter that remembers how the answer began. Middleware that wants to know gets one from Record.
type Recorder struct {
	http.ResponseWriter
	status int
}

// Record returns w itself when it is a Recorder: one stands in a request's way, however many middlewares look at it.
func Record(w http.ResponseWriter) *Recorder {
	if recorder, ok := w.(*Recorder); ok {
		return recorder
	}
	return &Recorder{ResponseWriter: w}
}

// Status is the status that was answered, or 0 before the answer has begun. Informational answers do not count.
func (w *Recorder) Status() int { return w.status }

// WriteHeader implements http.ResponseWriter.
func (w *Recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *Recorder) Write(p []byte) (int, error) {
	w.begin()
	return w.ResponseWriter.Write(p)
}

// Flush implements http.Flusher, for streams.
func (w *Recorder) Flush() {
	w.begin()
	_ = http.NewResponseController(w.ResponseWriter).Flush() // a writer that cannot flush is not streamed to
}

// begin is what net/http does of itself when a body comes without a status.
func (w *Recorder) begin() {
	if w.status == 0 {
		w.status = http.StatusOK
	}
}

// Unwrap lets http.ResponseController reach the server's own writer.
func (w *Recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
