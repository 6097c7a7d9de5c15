package keys

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

const (
	// tokenPrefix lets secret scanners and people recognise a leaked key.
	tokenPrefix = "vlz_"
	idLength    = 12
	// secretLength base62 characters carry 256 bits: 62^43 > 2^256.
	secretLength = 43
	tokenLength  = len(tokenPrefix) + idLength + 1 + secretLength

	base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// Digest is the SHA-256 of a whole plaintext key. The secret has 256 random bits, so nobody can search for it: a slow
// password hash would cost milliseconds a request and add nothing.
type Digest [sha256.Size]byte

// MarshalText writes the digest in lower-case hexadecimal.
func (d Digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText reads 64 hexadecimal digits.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(d)) {
		return fmt.Errorf("a SHA-256 has %d hexadecimal digits, not %d", hex.EncodedLen(len(d)), len(text))
	}
	if _, err := hex.Decode(d[:], text); err != nil {
		return fmt.Errorf("decode SHA-256: %w", err)
	}
	return nil
}

// ParseToken checks the shape `vlz_ID_SECRET` of a plaintext key and returns its id, which is no secret.
func ParseToken(token string) (id string, ok bool) {
	if len(token) != tokenLength || !strings.HasPrefix(token, tokenPrefix) {
		return "", false
	}
	id, secret := token[len(tokenPrefix):][:idLength], token[tokenLength-secretLength:]
	if token[tokenLength-secretLength-1] != '_' || !isBase62(id) || !isBase62(secret) {
		return "", false
	}
	return id, true
}

func isBase62(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

func digestOf(token string) Digest {
	var buffer [tokenLength]byte // keeps the conversion from string on the stack
	return sha256.Sum256(append(buffer[:0], token...))
}

// newToken takes the system's randomness and no injected source: a key that can be foretold is no key.
func newToken() (token, id string) {
	id = randomBase62(idLength)
	return tokenPrefix + id + "_" + randomBase62(secretLength), id
}

func randomBase62(n int) string {
	out := make([]byte, 0, n)
	for len(out) < n {
		var b [64]byte
		_, _ = rand.Read(b[:]) // never fails: it ends the process instead
		for _, c := range b {
			// The top eight of the 256 values are drawn again, for they would make some characters likelier.
			if c < 62*4 && len(out) < n {
				out = append(out, base62[c%62])
			}
		}
	}
	return string(out)
}
