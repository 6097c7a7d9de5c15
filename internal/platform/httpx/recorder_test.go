package httpx_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

// TestRecorderTellsHowTheAnswerBegan, to every middleware that asks, through one writer.
func TestRecorderTellsHowTheAnswerBegan(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter)
		want   int
	}{
		"nothing yet":        {func(http.ResponseWriter) {}, 0},
		"a status":           {func(w http.ResponseWriter) { w.WriteHeader(http.StatusAccepted) }, http.StatusAccepted},
		"the first of two":   {func(w http.ResponseWriter) { w.WriteHeader(http.StatusConflict); w.WriteHeader(http.StatusOK) }, http.StatusConflict},
		"only early hints":   {func(w http.ResponseWriter) { w.WriteHeader(http.StatusEarlyHints) }, 0},
		"a body at once":     {func(w http.ResponseWriter) { _, _ = w.Write([]byte("x")) }, http.StatusOK},
		"a flush of headers": {func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }, http.StatusOK},
	} {
		recorder := httpx.Record(httptest.NewRecorder())
		if httpx.Record(recorder) != recorder {
			t.Fatal("a second middleware got a second recorder")
		}
		c.answer(recorder)
		if got := recorder.Status(); got != c.want {
			t.Errorf("%s: status %d, want %d", name, got, c.want)
		}
	}
}
