package brcode

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
)

// Parse reads a BR Code of Pix strictly: the checksum, every length and every fixed field must be right. Fields that Pix
// does not define are passed over.
func Parse(payload string) (Code, error) {
	c, err := parse(payload)
	if err != nil {
		return Code{}, fmt.Errorf("parse BR Code: %w", err)
	}
	return c, nil
}

func parse(payload string) (Code, error) {
	if len(payload) > MaxPayload || !printable(payload) {
		return Code{}, fmt.Errorf("expected at most %d printable characters of ASCII", MaxPayload)
	}
	body, sum, found := cutEnd(payload, 4)
	if !found || !strings.HasSuffix(body, idChecksum+"04") {
		return Code{}, errors.New("does not end in a checksum")
	}
	if want := checksum(body); sum != want {
		return Code{}, fmt.Errorf("checksum is %s, but the text makes %s", sum, want)
	}
	fields, err := split(payload)
	if err != nil {
		return Code{}, err
	}
	// The text may end like a checksum whose characters belong to another field.
	if fields[idChecksum] != sum || !strings.HasPrefix(payload, idFormat+"0201") {
		return Code{}, errors.New("does not begin with the format and end with the checksum")
	}
	return decode(fields)
}

func cutEnd(s string, n int) (before, end string, ok bool) {
	if len(s) < n {
		return "", "", false
	}
	return s[:len(s)-n], s[len(s)-n:], true
}

func decode(fields map[string]string) (c Code, err error) {
	for id, want := range map[string]string{idCategory: category, idCurrency: currency, idCountry: country} {
		if fields[id] != want {
			return Code{}, fmt.Errorf("field %s: expected %s", id, want)
		}
	}
	c.Name, c.City = Fold(fields[idName], maxValue), Fold(fields[idCity], maxValue)
	if err := c.decodeAccount(fields[idAccount], fields[idMethod]); err != nil {
		return Code{}, fmt.Errorf("field %s: %w", idAccount, err)
	}
	if amount, ok := fields[idAmount]; ok {
		if c.Amount, err = money.ParseDecimal(amount); err != nil {
			return Code{}, fmt.Errorf("field %s: %w", idAmount, err)
		}
	}
	if err := c.decodeAdditional(fields[idAdditional]); err != nil {
		return Code{}, fmt.Errorf("field %s: %w", idAdditional, err)
	}
	if err := c.decodeRecurrence(fields[idRecurrence]); err != nil {
		return Code{}, fmt.Errorf("field %s: %w", idRecurrence, err)
	}
	return c, c.validate()
}

func (c *Code) decodeAccount(account, method string) error {
	subs, err := pixTemplate(account)
	if err != nil {
		return err
	}
	c.Key, c.Text, c.URL = subs[subKey], subs[subText], subs[subURL]
	if (c.URL != "") != (method == methodDynamic) || c.URL == "" && method != "" {
		return fmt.Errorf("field %s must be %s with a URL and absent with a key", idMethod, methodDynamic)
	}
	return nil
}

func (c *Code) decodeAdditional(template string) error {
	subs, err := split(template)
	if err != nil {
		return err
	}
	txid, ok := subs[subTxID]
	if !ok {
		return errors.New("the txid is missing")
	}
	if txid != noTxID {
		c.TxID = txid
	}
	return nil
}

func (c *Code) decodeRecurrence(template string) error {
	if template == "" {
		return nil
	}
	subs, err := pixTemplate(template)
	if err != nil {
		return err
	}
	if c.Recurrence = subs[subURL]; c.Recurrence == "" {
		return errors.New("the URL is missing")
	}
	return nil
}

// pixTemplate reads a template that names Pix. The name matches without case: banks write it in both.
func pixTemplate(template string) (map[string]string, error) {
	subs, err := split(template)
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(subs[subGUI], gui) {
		return nil, fmt.Errorf("expected %s", gui)
	}
	return subs, nil
}
