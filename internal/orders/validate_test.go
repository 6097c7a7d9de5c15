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

// cards are the networks' published test numbers.
var cards = []string{
	"4111111111111111", "4242424242424242", "4222222222222", // Visa, and one of 13 digits
	"5555555555554444", "5105105105105100", "2223003122003222", // Mastercard
	"378282246310005", "371449635398431", // American Express
	"30569309025904", "38520000023237", // Diners Club
	"6011111111111117", "3530111333300000", // Discover, JCB
	"6362970000457013", "6062826786276634", // Elo, Hipercard
}

func TestLooksLikeCard(t *testing.T) {
	t.Parallel()
	for _, card := range cards {
		half := len(card) / 2
		for _, written := range []string{
			card, card[:4] + " " + card[4:8] + " " + card[8:12] + " " + card[12:], card[:half] + "-" + card[half:],
			card[:4] + " - " + card[4:], "x" + card + "y", "cartão:" + card + ".", card + " 12/29", card + " 12/29 123",
			card + " 123", "2 " + card, "1 4 " + card + " 123", "\n" + card + "\t", "número " + card + " válido",
		} {
			if !orders.LooksLikeCard(written) {
				t.Errorf("%q passes", written)
			}
		}
	}
}

func TestLooksLikeCardLetsPass(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]string{
		"empty":               "",
		"words":               "Rua das Laranjeiras, 1 - apto 1002",
		"no Luhn":             "4111111111111112",
		"too short":           "411111111117",
		"too long":            "4111111111111111" + "4111111111111111",
		"part of a number":    "94111111111111111",
		"letters between":     "4111x1111x1111x1111",
		"phone":               "(11) 91234-5678",
		"phone with country":  "+55 11 91234-5678",
		"landline":            "11 3251-5000",
		"CEP":                 "01310-100",
		"CEP and number":      "01310-100 1578",
		"CPF":                 "529.982.247-25",
		"CNPJ":                "11.222.333/0001-81",
		"CNPJ without points": "11222333000181",
		"alphanumeric CNPJ":   "12ABC34501DE35",
		"date and time":       "2026-11-27 12:00:00",
		"order id":            "01a21ce0-6e7d-71c9-8000-9f0c1d2e3f4a",
		"bar code":            "7891000315507",
	} {
		if orders.LooksLikeCard(s) {
			t.Errorf("%s: %q is refused", name, s)
		}
	}
}

// One number in ten satisfies Luhn by chance. This says where that is so, for whoever chooses the fields to look at: never
// documents and phone numbers, which have rules of their own.
func TestLooksLikeCardCannotKnow(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]string{
		"CNPJ":               "12345670000129",
		"phone with country": "55 11 91234-5676",
	} {
		if !orders.LooksLikeCard(s) {
			t.Errorf("%s: %q satisfies Luhn after all", name, s)
		}
	}
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

func FuzzLooksLikeCard(f *testing.F) {
	for _, seed := range append(cards, "", "4111 1111 1111 1111", "(11) 91234-5678", "1-1 -1- ", "\xff4") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		found := orders.LooksLikeCard(s)
		digits := 0
		for i := range len(s) {
			if s[i] >= '0' && s[i] <= '9' {
				digits++
			}
		}
		if found && digits < 13 {
			t.Errorf("%q has %d digits and is refused", s, digits)
		}
		if inside := orders.LooksLikeCard("a" + s + "b"); inside != found {
			t.Errorf("%q: %v alone, %v between letters", s, found, inside)
		}
		if !orders.LooksLikeCard(s+" x4111 1111 1111 1111x ") || !orders.LooksLikeCard("x4111111111111111x"+s) {
			t.Errorf("a card passes beside %q", s)
		}
	})
}
