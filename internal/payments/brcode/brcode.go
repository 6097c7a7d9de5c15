// Package brcode writes and reads BR Codes: the text that a payer of a Pix pastes or scans.
//
// The format is EMV's QR Code for Payment Systems, merchant-presented mode, with Banco Central's fields: two digits of id,
// two digits of length, the value, again and again, and a checksum at the end.
package brcode

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
)

// The lengths that the format and API Pix allow, in characters.
const (
	MaxPayload = 512
	MaxName    = 25
	MaxCity    = 15
	MaxURL     = 77
	maxValue   = 99
)

// Code is what a BR Code says. Either Key is set, and the code is static: anybody may pay it again and again; or URL
// is set, and the code is dynamic: the payer's bank fetches amount and expiry from there.
type Code struct {
	Key  string // of the receiver, at most 77 characters
	Text string // to the payer of a static code
	URL  string // without scheme, at most 77 characters
	// Amount of a static code; 0 lets the payer choose. A dynamic code has none.
	Amount money.Cents
	Name   string // of the merchant: Encode folds it to 25 characters of ASCII
	City   string // of the merchant: Encode folds it to 15 characters of ASCII
	TxID   string // of a static code, `[a-zA-Z0-9]{1,25}`, or empty
	// Recurrence is the `/rec/` URL of a Pix Automático, without scheme, or empty.
	Recurrence string
}

var (
	staticTxID = regexp.MustCompile(`^[a-zA-Z0-9]{1,25}$`)

	errKind = errors.New("exactly one of key (static) and URL (dynamic) must be set")
)

// Encode writes the code, or says which field cannot be written. Name and city are folded first (Fold).
func (c Code) Encode() (string, error) {
	c.Name, c.City = Fold(c.Name, MaxName), Fold(c.City, MaxCity)
	if err := c.validate(); err != nil {
		return "", fmt.Errorf("encode BR Code: %w", err)
	}
	var b strings.Builder
	field(&b, idFormat, "01")
	if c.URL != "" {
		field(&b, idMethod, methodDynamic)
	}
	field(&b, idAccount, c.account())
	field(&b, idCategory, category)
	field(&b, idCurrency, currency)
	if c.Amount > 0 {
		field(&b, idAmount, c.Amount.Decimal())
	}
	field(&b, idCountry, country)
	field(&b, idName, c.Name)
	field(&b, idCity, c.City)
	field(&b, idAdditional, sub(subTxID, c.txid()))
	if c.Recurrence != "" {
		field(&b, idRecurrence, sub(subGUI, gui)+sub(subURL, c.Recurrence))
	}
	b.WriteString(idChecksum + "04")
	return b.String() + checksum(b.String()), nil
}

func (c Code) account() string {
	if c.URL != "" {
		return sub(subGUI, gui) + sub(subURL, c.URL)
	}
	account := sub(subGUI, gui) + sub(subKey, c.Key)
	if c.Text != "" {
		account += sub(subText, c.Text)
	}
	return account
}

// txid of a dynamic code is never written: the payer's bank finds it behind the URL (bacen/pix-api issue 231).
func (c Code) txid() string {
	if c.TxID == "" {
		return noTxID
	}
	return c.TxID
}

func (c Code) validate() error {
	switch {
	case (c.Key == "") == (c.URL == ""):
		return errKind
	case c.URL != "" && (c.Amount != 0 || c.TxID != "" || c.Text != ""):
		return errors.New("a dynamic code carries neither amount, txid nor text")
	case c.Amount < 0 || c.Amount > money.Max:
		return fmt.Errorf("amount must be between 0 and %s", money.Max.Decimal())
	case c.TxID != "" && !staticTxID.MatchString(c.TxID):
		return errors.New("txid must be 1 to 25 letters and digits")
	case c.Name == "" || c.City == "":
		return errors.New("name and city must have a letter or digit of ASCII")
	}
	return c.validateTexts()
}

func (c Code) validateTexts() error {
	for _, f := range []struct {
		name, value string
		most        int
	}{
		{"key", c.Key, MaxURL}, {"URL", c.URL, MaxURL}, {"recurrence URL", c.Recurrence, MaxURL}, {"text", c.Text, maxValue},
		{"name", c.Name, MaxName}, {"city", c.City, MaxCity},
	} {
		if len(f.value) > f.most || !printable(f.value) {
			return fmt.Errorf("%s must be at most %d printable characters of ASCII", f.name, f.most)
		}
	}
	if len(c.account()) > maxValue {
		return fmt.Errorf("key and text together make %d of %d characters", len(c.account()), maxValue)
	}
	return nil
}

func printable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}

// Fold takes the accents off a text, drops what is not printable ASCII then, and cuts it to most characters: what a BR
// Code can carry of a name. `São Paulo` becomes `Sao Paulo`.
func Fold(text string, most int) string {
	folded := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r < ' ' || r > '~':
			return -1
		default:
			return r
		}
	}, norm.NFKD.String(text))
	folded = strings.Join(strings.Fields(folded), " ")
	return strings.TrimSpace(folded[:min(len(folded), most)])
}
