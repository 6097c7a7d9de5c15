package brcode

import (
	"fmt"

	"rsc.io/qr"
)

// QRPNG draws a payload as a QR code in PNG, with the quiet zone around it and 8 pixels a module. Error correction M is
// what Banco Central's manual asks for.
func QRPNG(payload string) ([]byte, error) {
	if payload == "" || len(payload) > MaxPayload {
		return nil, fmt.Errorf("draw QR code: expected 1 to %d characters, not %d", MaxPayload, len(payload))
	}
	code, err := qr.Encode(payload, qr.M)
	if err != nil {
		return nil, fmt.Errorf("draw QR code: %w", err)
	}
	return code.PNG(), nil
}
