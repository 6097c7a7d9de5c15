package orders_test

import (
	"strings"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/orders"
)

func TestNormalizeDocument(t *testing.T) {
	t.Parallel()
	for document, want := range map[string]string{
		"52998224725":        "52998224725",
		"529.982.247-25":     "52998224725",
		"111.444.777-35":     "11144477735",
		"00000000191":        "00000000191", // a check digit of zero before a nine and a one
		"11222333000181":     "11222333000181",
		"11.222.333/0001-81": "11222333000181",
		"00.000.000/0001-91": "00000000000191",
		"12ABC34501DE35":     "12ABC34501DE35", // the example of the Receita Federal
		"12.ABC.345/01DE-35": "12ABC34501DE35",
	} {
		if got, ok := orders.NormalizeDocument(document); !ok || got != want {
			t.Errorf("%q: %q %v, want %q", document, got, ok, want)
		}
	}
}

func TestNormalizeDocumentRefuses(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{
		"empty":                     "",
		"punctuation only":          "...-../-",
		"CPF's first check digit":   "52998224735",
		"CPF's second check digit":  "52998224724",
		"CPF too short":             "5299822472",
		"CPF with a letter":         "5299822472A",
		"CPF with spaces":           "529 982 247 25",
		"CPF in Arabic digits":      "٥٢٩٩٨٢٢٤٧٢٥",
		"CNPJ's first check digit":  "11222333000191",
		"CNPJ's second check digit": "11222333000182",
		"CNPJ in small letters":     "12abc34501de35",
		"CNPJ with a letter last":   "12ABC34501DE3F",
		"CNPJ with a mistyped one":  "12ABD34501DE35",
		"CNPJ too long":             "112223330001811",
		"eleven bytes, not digits":  "ção-ção-çã",
	} {
		if got, ok := orders.NormalizeDocument(document); ok {
			t.Errorf("%s: %q is taken for %q", name, document, got)
		}
	}
	for digit := '0'; digit <= '9'; digit++ {
		for _, length := range []int{11, 14} {
			if document := strings.Repeat(string(digit), length); valid(document) {
				t.Errorf("%s is nobody's, and was taken", document)
			}
		}
	}
}

func valid(document string) bool {
	_, ok := orders.NormalizeDocument(document)
	return ok
}

// The check digits find every single mistyped digit: that is what they are for.
func TestDocumentFindsEveryMistypedDigit(t *testing.T) {
	t.Parallel()
	for _, document := range []string{"52998224725", "11222333000181", "12ABC34501DE35"} {
		for i := range document {
			for digit := byte('0'); digit <= '9'; digit++ {
				typed := []byte(document)
				typed[i] = digit
				if string(typed) == document {
					continue
				}
				// A digit and a letter whose values are equal modulo 11 are alike to the rule; so are 0 and 10 as a rest.
				letter := document[i] >= 'A' && (document[i]-'0')%11 == (digit-'0')%11
				if !letter && valid(string(typed)) && !restOfTen(document, i) {
					t.Errorf("%s is taken for %s", typed, document)
				}
			}
		}
	}
}

// restOfTen tells the one weakness of the rule: rests of 0 and of 1 both give the digit 0, so a change from one to the
// other is not seen by a check digit that is 0.
func restOfTen(document string, changed int) bool {
	n := len(document)
	return changed < n-2 && (document[n-2] == '0' || document[n-1] == '0')
}

func FuzzNormalizeDocument(f *testing.F) {
	for _, seed := range []string{"529.982.247-25", "12.ABC.345/01DE-35", "11222333000181", "", "\x00", "ção"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, document string) {
		normal, ok := orders.NormalizeDocument(document)
		if !ok {
			return
		}
		if len(normal) != 11 && len(normal) != 14 || strings.Trim(normal, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			t.Errorf("%q became %q", document, normal)
		}
		if again, ok := orders.NormalizeDocument(normal); !ok || again != normal {
			t.Errorf("%q is not normal: it becomes %q %v", normal, again, ok)
		}
		if dotted, ok := orders.NormalizeDocument(normal[:2] + "." + normal[2:9] + "/-" + normal[9:]); !ok || dotted != normal {
			t.Errorf("punctuation makes %q of %q", dotted, normal)
		}
	})
}
