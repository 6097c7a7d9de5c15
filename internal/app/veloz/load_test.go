package veloz

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/load"
)

// TestEndsOfALoad: a lie is a lie whatever else happened, and a check that could not be done is none.
func TestEndsOfALoad(t *testing.T) {
	t.Parallel()
	ended, end := context.WithCancel(context.Background())
	end()
	began := time.Now()
	lie := &load.Truth{Missing: 1}
	for name, c := range map[string]struct {
		ctx    context.Context
		report load.Report
		err    error
		code   int
	}{
		"the truth holds":          {t.Context(), load.Report{StartedAt: began, Truth: &load.Truth{}}, nil, 0},
		"not checked":              {t.Context(), load.Report{StartedAt: began}, nil, 0},
		"a lie":                    {t.Context(), load.Report{StartedAt: began, Truth: lie}, nil, exitViolated},
		"a lie, interrupted":       {ended, load.Report{StartedAt: began, Truth: lie}, nil, exitViolated},
		"a lie, and no more known": {t.Context(), load.Report{StartedAt: began, Truth: lie}, errors.New("no answer"), exitViolated},
		"no check":                 {t.Context(), load.Report{StartedAt: began, Truth: &load.Truth{BrokenOff: true}}, errors.New("no answer"), exitFailed},
		"nobody there":             {t.Context(), load.Report{}, &net.OpError{Op: "dial", Err: errors.New("refused")}, exitFailed},
		"interrupted":              {ended, load.Report{StartedAt: began, Truth: &load.Truth{}}, nil, exitInterrupted},
		"interrupted early":        {ended, load.Report{}, context.Canceled, exitInterrupted},
	} {
		if code := exitCode(loadEnd(c.ctx, &session{}, c.report, c.err)); code != c.code {
			t.Errorf("%s: exit code %d, not %d", name, code, c.code)
		}
	}
}
