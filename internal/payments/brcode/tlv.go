package brcode

import (
	"fmt"
	"strings"
)

// The ids of the fields, their fixed values, and the ids inside of the templates 26, 62 and 80.
const (
	idFormat     = "00"
	idMethod     = "01"
	idAccount    = "26"
	idCategory   = "52"
	idCurrency   = "53"
	idAmount     = "54"
	idCountry    = "58"
	idName       = "59"
	idCity       = "60"
	idAdditional = "62"
	idChecksum   = "63"
	idRecurrence = "80"

	subGUI  = "00"
	subKey  = "01"
	subText = "02"
	subTxID = "05"
	subURL  = "25"

	gui           = "br.gov.bcb.pix"
	methodDynamic = "12"
	category      = "0000"
	currency      = "986"
	country       = "BR"
	noTxID        = "***"
)

// field appends a field. Its callers have checked that value has at most 99 characters.
func field(b *strings.Builder, id, value string) {
	fmt.Fprintf(b, "%s%02d%s", id, len(value), value)
}

func sub(id, value string) string {
	var b strings.Builder
	field(&b, id, value)
	return b.String()
}

// split reads fields until s ends. An id that comes twice is refused: readers would disagree about which one counts.
func split(s string) (map[string]string, error) {
	fields := make(map[string]string)
	for at := 0; at < len(s); {
		if len(s)-at < 4 || !digits(s[at:at+4]) {
			return nil, fmt.Errorf("character %d: expected two digits of id and two of length", at)
		}
		id, length := s[at:at+2], int(s[at+2]-'0')*10+int(s[at+3]-'0')
		at += 4
		if length == 0 || length > len(s)-at {
			return nil, fmt.Errorf("field %s: length %d where %d characters are left", id, length, len(s)-at)
		}
		if _, twice := fields[id]; twice {
			return nil, fmt.Errorf("field %s comes twice", id)
		}
		fields[id] = s[at : at+length]
		at += length
	}
	return fields, nil
}

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// checksum is CRC-16/CCITT-FALSE of s in upper-case hex: polynomial 0x1021, initially 0xFFFF, not reflected, no final xor.
func checksum(s string) string {
	crc := uint16(0xFFFF)
	for i := range len(s) {
		crc ^= uint16(s[i]) << 8
		for range 8 {
			carry := crc&0x8000 != 0
			crc <<= 1
			if carry {
				crc ^= 0x1021
			}
		}
	}
	return fmt.Sprintf("%04X", crc)
}
