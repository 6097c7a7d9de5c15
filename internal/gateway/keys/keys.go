// Package keys makes, keeps and checks the API keys `vlz_ID_SECRET`. Only their SHA-256 is stored, in a small JSON file
// that the command line changes and the gateway rereads, so that the gateway itself stays without data.
package keys

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// maxNameLength bounds, in characters, what a person writes down about a key.
const maxNameLength = 100

// Key is a stored API key; its plaintext is known to its holder only.
type Key struct {
	// ID is public: it stands in logs, and in the plaintext so that a check is one look-up.
	ID     string  `json:"id"`
	Name   string  `json:"name"`
	SHA256 Digest  `json:"sha256"`
	Scopes []Scope `json:"scopes"`

	CreatedAt time.Time `json:"created_at"`
	// RevokedAt is zero unless the key was revoked.
	RevokedAt time.Time `json:"revoked_at,omitzero"`
	// ExpiresAt is zero for a key without an end.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	// RateLimit is in requests a second; 0 takes the gateway's default.
	RateLimit int `json:"rate_limit,omitzero"`
}

// Active tells whether the key is neither revoked nor expired.
func (k *Key) Active(now time.Time) bool {
	return k.RevokedAt.IsZero() && (k.ExpiresAt.IsZero() || now.Before(k.ExpiresAt))
}

// Matches tells whether the plaintext is this key's, in constant time.
func (k *Key) Matches(token string) bool {
	digest := digestOf(token)
	return subtle.ConstantTimeCompare(digest[:], k.SHA256[:]) == 1
}

func (k *Key) validate() error {
	switch {
	case len(k.ID) != idLength || !isBase62(k.ID):
		return fmt.Errorf("id %q: expected %d letters and digits", k.ID, idLength)
	case k.SHA256 == Digest{}:
		return fmt.Errorf("key %s: sha256 is missing", k.ID)
	case len(k.Scopes) == 0:
		return fmt.Errorf("key %s: it has no scopes", k.ID)
	case k.RateLimit < 0:
		return fmt.Errorf("key %s: rate_limit is negative", k.ID)
	}
	return validateName(k.Name)
}

func validateName(name string) error {
	if n := utf8.RuneCountInString(name); n == 0 || n > maxNameLength || strings.ContainsFunc(name, isControl) {
		return fmt.Errorf("name %q: expected 1 to %d printable characters", name, maxNameLength)
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

type document struct {
	Keys []Key `json:"keys"`
}

// Parse reads the JSON of a key file. Unknown fields, unknown scopes and a repeated id are errors: a misspelt
// `expires_at` must not make a key that lives for ever.
func Parse(data []byte) ([]Key, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var doc document
	if err := decoder.Decode(&doc); err != nil {
		return nil, fmt.Errorf("decode API keys: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("decode API keys: text after the JSON document")
	}
	seen := make(map[string]bool, len(doc.Keys))
	for i := range doc.Keys {
		k := &doc.Keys[i]
		if err := k.validate(); err != nil {
			return nil, fmt.Errorf("decode API keys: %w", err)
		}
		if seen[k.ID] {
			return nil, fmt.Errorf("decode API keys: id %s stands twice", k.ID)
		}
		seen[k.ID] = true
	}
	return doc.Keys, nil
}
