package config

import (
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// hidden stands where a secret would.
const hidden = "[redacted]"

// Secret is a setting that no log, print or marshaling shows.
type Secret string

// Reveal is the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String implements fmt.Stringer.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// GoString implements fmt.GoStringer, for %#v.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// MarshalText implements encoding.TextMarshaler.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// DatabaseURL is the address of a database. Printed, it has lost its password.
type DatabaseURL string

// Reveal is the address with its password, for the driver.
func (d DatabaseURL) Reveal() string { return string(d) }

// passwordOption finds passwords in the `key=value` form and in a URL's query.
var passwordOption = regexp.MustCompile(`(?i)((?:ssl)?password\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&]*)`)

// String implements fmt.Stringer.
func (d DatabaseURL) String() string {
	text := passwordOption.ReplaceAllString(string(d), "${1}"+hidden)
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		return text
	}
	authority := rest
	if slash := strings.IndexAny(rest, "/?"); slash >= 0 && strings.Contains(rest[:slash], "@") {
		authority = rest[:slash]
	}
	at := strings.LastIndexByte(authority, '@') // a password that was not percent-encoded may hold / and @ itself
	if at < 0 {
		return text
	}
	user, _, hasPassword := strings.Cut(authority[:at], ":")
	if !hasPassword {
		return text
	}
	return scheme + "://" + user + ":" + hidden + rest[at:]
}

// GoString implements fmt.GoStringer, for %#v.
func (d DatabaseURL) GoString() string { return strconv.Quote(d.String()) }

// MarshalText implements encoding.TextMarshaler.
func (d DatabaseURL) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// LogValue implements slog.LogValuer.
func (d DatabaseURL) LogValue() slog.Value { return slog.StringValue(d.String()) }

// PeerURL is the base address of another service, such as http://estoque:8003, without a slash at its end.
type PeerURL string

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *PeerURL) UnmarshalText(text []byte) error {
	u, err := url.Parse(string(text))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("must be a base URL such as http://estoque:8003")
	}
	*p = PeerURL(strings.TrimRight(string(text), "/"))
	return nil
}

// Bytes is a size: 262144, 256KiB or 16MiB.
type Bytes int64

var units = []struct {
	suffix string
	size   int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"", 1}}

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *Bytes) UnmarshalText(text []byte) error {
	for _, unit := range units {
		digits, found := strings.CutSuffix(string(text), unit.suffix)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 32)
		if err != nil || n < 1 {
			break
		}
		*b = Bytes(n * unit.size)
		return nil
	}
	return fmt.Errorf("must be a size such as 262144, 256KiB or 16MiB")
}

// String implements fmt.Stringer.
func (b Bytes) String() string {
	for i := len(units) - 2; i >= 0; i-- {
		if unit := units[i]; b > 0 && int64(b)%unit.size == 0 {
			return strconv.FormatInt(int64(b)/unit.size, 10) + unit.suffix
		}
	}
	return strconv.FormatInt(int64(b), 10)
}
