package cardnumber_test

import (
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/cardnumber"
)

// cards are the networks' published test numbers.
var cards = []string{
	"4111111111111111", "4242424242424242", "4222222222222", // Visa, and one of 13 digits
	"5555555555554444", "5105105105105100", "2223003122003222", // Mastercard
	"378282246310005", "371449635398431", // American Express
	"30569309025904", "38520000023237", // Diners Club
	"6011111111111117", "3530111333300000", // Discover, JCB
	"6362970000457013", "6062826786276634", // Elo, Hipercard
}

func TestCardNumbers(t *testing.T) {
	t.Parallel()
	for _, card := range cards {
		half := len(card) / 2
		for _, written := range []string{
			card, card[:4] + " " + card[4:8] + " " + card[8:12] + " " + card[12:], card[:half] + "-" + card[half:],
			card[:4] + " - " + card[4:], "tok_" + card[:4] + "_" + card[4:], "x" + card + "y", "cartão:" + card + ".", card + " 12/29", card + " 12/29 123",
			card + " 123", "2 " + card, "1 4 " + card + " 123", "\n" + card + "\t", "número " + card + " válido",
		} {
			if !cardnumber.In(written) {
				t.Errorf("%q passes", written)
			}
		}
	}
}

func TestCardNumbersLetPass(t *testing.T) {
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
		"token":               "tok_1QmT5x8Kf92_000000000000",
	} {
		if cardnumber.In(s) {
			t.Errorf("%s: %q is refused", name, s)
		}
	}
}

func TestCardNumbersInTokens(t *testing.T) {
	t.Parallel()
	for _, card := range cards {
		for _, separator := range []string{"", "_", ".", "/", ": ", "\u00e9"} {
			if token := "tok_" + card[:6] + separator + card[6:]; !cardnumber.InToken(token) {
				t.Errorf("%q passes", token)
			}
		}
	}
	for _, token := range []string{"", "tok_approved", "tok_4111x1111x1111x1111", "tok_1QmT5x8Kf92_000000000000"} {
		if cardnumber.InToken(token) {
			t.Errorf("%q is refused", token)
		}
	}
}

// One number in ten satisfies Luhn by chance. This says where that is so, for whoever chooses the fields to look at: never
// documents and phone numbers, which have rules of their own.
func TestCardNumbersCannotKnow(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]string{
		"CNPJ":               "12345670000129",
		"phone with country": "55 11 91234-5676",
	} {
		if !cardnumber.In(s) {
			t.Errorf("%s: %q satisfies Luhn after all", name, s)
		}
	}
}

func FuzzCardNumber(f *testing.F) {
	for _, seed := range append(cards, "", "4111 1111 1111 1111", "(11) 91234-5678", "1-1 -1- ", "\xff4") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		found := cardnumber.In(s)
		digits := 0
		for i := range len(s) {
			if s[i] >= '0' && s[i] <= '9' {
				digits++
			}
		}
		if found && digits < 13 {
			t.Errorf("%q has %d digits and is refused", s, digits)
		}
		if inside := cardnumber.In("a" + s + "b"); inside != found {
			t.Errorf("%q: %v alone, %v between letters", s, found, inside)
		}
		if !cardnumber.In(s+" x4111 1111 1111 1111x ") || !cardnumber.In("x4111111111111111x"+s) {
			t.Errorf("a card passes beside %q", s)
		}
	})
}
