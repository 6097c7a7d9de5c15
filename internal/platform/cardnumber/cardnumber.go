// Package cardnumber finds card numbers where none may stand. Every service asks it, so that what one of them has accepted
// no other refuses: an order whose token payments takes for a card number could never be charged.
package cardnumber

// In tells whether s holds what could be a card number: 13 to 19 digits in whole groups, with nothing but spaces, dashes and
// underscores between them, that satisfy Luhn; other groups may stand beside it, as an expiry date or a CVV does. Such a thing
// has no place in an order (PCI DSS), so it is refused before it is stored. One in ten of all other numbers of that length
// looks so too.
func In(s string) bool { return holds(s, isSeparator) }

// InToken is In for what a provider names a card by: nothing but a letter keeps groups apart.
func InToken(token string) bool { return holds(token, isNoLetter) }

func isSeparator(c byte) bool { return c == ' ' || c == '-' || c == '_' }

func isNoLetter(c byte) bool { return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') }

func holds(s string, separates func(byte) bool) bool {
	for i := range len(s) {
		if isDigit(s[i]) && (i == 0 || !isDigit(s[i-1])) && cardBegins(s[i:], separates) {
			return true
		}
	}
	return false
}

// cardBegins tells whether the first groups of s make a card number. It reads 19 digits at most, so that every gap between
// groups is read 19 times at most, however long.
func cardBegins(s string, separates func(byte) bool) bool {
	digits := make([]byte, 0, 19)
	for i := range len(s) {
		switch {
		case isDigit(s[i]) && len(digits) == cap(digits):
			return false
		case isDigit(s[i]):
			digits = append(digits, s[i]-'0')
			groupEnds := i+1 == len(s) || !isDigit(s[i+1])
			if groupEnds && len(digits) >= 13 && luhn(digits) {
				return true
			}
		case !separates(s[i]):
			return false
		}
	}
	return false
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// luhn is the check of ISO/IEC 7812-1, annex B.
func luhn(digits []byte) bool {
	sum := 0
	for i := range digits {
		d := int(digits[len(digits)-1-i])
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}
