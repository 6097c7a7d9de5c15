package repolint

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
)

var transitionRow = regexp.MustCompile("^\\| `([a-z_]+)` \\|((?: `[a-z_]+`,?)*) \\|\\s*$")

// transitionsIn reads the table of transitions in a document.
func transitionsIn(text string) map[orders.Status][]orders.Status {
	found := make(map[orders.Status][]orders.Status)
	scan(text, transitionRow, func(_ int, groups []string) {
		var to []orders.Status
		for word := range strings.FieldsSeq(strings.NewReplacer("`", "", ",", "").Replace(groups[2])) {
			to = append(to, orders.Status(word))
		}
		slices.Sort(to)
		found[orders.Status(groups[1])] = to
	})
	return found
}

func TestDocumentedTransitionsAreTheCodes(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/states.md")
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[orders.Status][]orders.Status)
	for from, to := range orders.Transitions {
		want[from] = slices.Sorted(slices.Values(to))
	}
	got := transitionsIn(string(text))
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("docs/states.md has %v, and orders.Transitions %v", got, want)
	}
	for name, change := range map[string][2]string{
		"a transition too few":  {", `rejected`, `canceled` |", ", `rejected` |"},
		"a status that is gone": {"| `completed` | |\n", ""},
	} {
		broken := strings.Replace(string(text), change[0], change[1], 1)
		if maps.EqualFunc(transitionsIn(broken), want, slices.Equal) {
			t.Errorf("%s is not found", name)
		}
	}
}
