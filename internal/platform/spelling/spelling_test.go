package spelling_test

import (
	"strings"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/spelling"
)

func TestClosest(t *testing.T) {
	t.Parallel()
	known := []string{"sku", "quantity", "VELOZ_LOG_LEVEL", "VELOZ_LOG_FORMAT"}
	for word, want := range map[string]string{
		"quantiy": "quantity", "qauntity": "quantity", "skus": "sku", "VELOZ_LOGLEVEL": "VELOZ_LOG_LEVEL",
		"colour": "", "": "", "x": "", strings.Repeat("q", 1000): "",
	} {
		if got, ok := spelling.Closest(word, known); got != want || ok != (want != "") {
			t.Errorf("Closest(%q) = %q, %v; want %q", word, got, ok, want)
		}
	}
}
