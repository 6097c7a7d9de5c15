package httpx_test

import (
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/httpx"
)

func TestCheckText(t *testing.T) {
	t.Parallel()
	for text, good := range map[string]bool{
		"": true, "Ana Souza": true, "São Paulo, nº 1 — 🚀": true, "a\u200db": true,
		"a\x00b": false, "a\nb": false, "a\tb": false, "\x1b[31m": false, "a\x7f": false, "a\u0085": false, "é\u009f": false, "\xff": false,
	} {
		if message := httpx.CheckText(text); (message == "") != good {
			t.Errorf("%q: %q", text, message)
		}
	}
}
