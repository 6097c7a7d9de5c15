package orders

import (
	"strings"
)

// SearchableEmail is the form in which e-mail addresses are stored for searching and compared.
func SearchableEmail(email string) string { return strings.ToLower(email) }

// NormalizeDocument takes punctuation out of a CPF or CNPJ and checks its check digits; ok is false when it is neither.
// A CNPJ's first twelve characters may be letters (Instrução Normativa RFB 2.229/2024).
func NormalizeDocument(document string) (normal string, ok bool) {
	normal = strings.NewReplacer(".", "", "-", "", "/", "").Replace(document)
	switch len(normal) {
	case 11:
		return normal, validCPF(normal)
	case 14:
		return normal, validCNPJ(normal)
	}
	return "", false
}

func validCPF(cpf string) bool {
	for i := range len(cpf) {
		if cpf[i] < '0' || cpf[i] > '9' {
			return false
		}
	}
	if strings.Count(cpf, cpf[:1]) == len(cpf) {
		return false // 111.111.111-11 and its like satisfy the digits, and are nobody's
	}
	return cpf[9] == checkDigit(cpf[:9], 11) && cpf[10] == checkDigit(cpf[:10], 11)
}

func validCNPJ(cnpj string) bool {
	for i := range len(cnpj) {
		digit := cnpj[i] >= '0' && cnpj[i] <= '9'
		letter := cnpj[i] >= 'A' && cnpj[i] <= 'Z'
		if !digit && (!letter || i >= 12) {
			return false
		}
	}
	if strings.Count(cnpj, cnpj[:1]) == len(cnpj) {
		return false
	}
	return cnpj[12] == checkDigit(cnpj[:12], 9) && cnpj[13] == checkDigit(cnpj[:13], 9)
}

// checkDigit is the modulus-11 digit: weights grow from 2 at the right up to maxWeight, and start over. A character's
// value is its ASCII code less 48, so that digits are themselves and letters follow the CNPJ's rule.
func checkDigit(s string, maxWeight int) byte {
	sum, weight := 0, 2
	for i := len(s) - 1; i >= 0; i-- {
		sum += int(s[i]-'0') * weight
		if weight++; weight > maxWeight {
			weight = 2
		}
	}
	if rest := sum % 11; rest >= 2 {
		return byte('0' + 11 - rest)
	}
	return '0'
}
