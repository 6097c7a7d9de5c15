package httpx

import (
	"unicode"
	"unicode/utf8"
)

// CheckText is what is wrong with a text that a person wrote, or empty: broken UTF-8, or a control character (Unicode's
// category Cc). PostgreSQL cannot store U+0000 while SQLite can, and the others forge lines in logs, letters and labels.
func CheckText(text string) (message string) {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7f {
			return checkRunes(text)
		}
	}
	return ""
}

func checkRunes(text string) string {
	if !utf8.ValidString(text) {
		return "must be UTF-8"
	}
	for _, r := range text {
		if unicode.IsControl(r) {
			return "must not hold control characters, such as line breaks or U+0000"
		}
	}
	return ""
}
