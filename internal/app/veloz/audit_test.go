package veloz

import (
	"bytes"
	"strings"
	"testing"

	"github.com/pedidos-veloz/pedidos-veloz/internal/audit"
)

// TestAnAuditWithoutSumsDoesNotSayThatAllIsWell: what was not looked for is not taken for what agrees.
func TestAnAuditWithoutSumsDoesNotSayThatAllIsWell(t *testing.T) {
	t.Parallel()
	half := &audit.Report{Unchecked: []audit.Kind{audit.LedgerImbalance}}
	var out bytes.Buffer
	(&terminal{out: &out, notes: &out}).report(half)
	if text := out.String(); strings.Contains(text, "agree") || !strings.Contains(text, "Not all books could be summed") {
		t.Errorf("said\n%s", text)
	}
	if got := shownReport(half); got.Verdict != "incomplete" || len(got.Unchecked) != 1 {
		t.Errorf("shown %+v", got)
	}
	half.Findings = []audit.Finding{{Kind: audit.HoldMissing}}
	if got := shownReport(half).Verdict; got != "violated" {
		t.Errorf("with a finding: %s", got)
	}
}
