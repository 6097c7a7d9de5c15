package load

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestRefusalsDoNotFlatterWhatWasServed: 379 of 455 orders were refused within a millisecond, and what was served took 50.
func TestRefusalsDoNotFlatterWhatWasServed(t *testing.T) {
	t.Parallel()
	r := &run{cfg: Config{Scenario: Uniform}, recorder: newRecorder()}
	for range 76 {
		r.recorder.record(Place, "confirmed", 50*time.Millisecond)
	}
	for range 379 {
		r.recorder.record(Place, "overloaded", time.Millisecond)
	}
	r.recorder.record(Read, OK, time.Millisecond)
	report := r.report(measured{began: time.Now(), elapsed: time.Second})
	var text, page bytes.Buffer
	if err := report.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if err := report.WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`place +455 +\S+ ms +1\.00 ms`, `place overloaded +379 +1\.00 ms`, `place confirmed +76 +(50\.\d\d ms +){7}`, `379 of 456 requests were not served`} {
		if !regexp.MustCompile(want).MatchString(text.String()) {
			t.Errorf("%s does not fit\n%s", want, text.String())
		}
	}
	for _, want := range []string{`<td>place confirmed</td><td>76</td><td>50.`, `<td>place overloaded</td><td>379</td>`, `379 of 456 requests were not served`} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("%s is not in\n%s", want, page.String())
		}
	}
	if strings.Contains(text.String(), "read ok") {
		t.Errorf("one outcome is told twice in\n%s", text.String())
	}
}

func TestACheckThatBrokeOffIsNoVerdict(t *testing.T) {
	t.Parallel()
	for want, truth := range map[string]Truth{
		"The truth holds":         {Complete: true},
		"The truth is not known":  {Complete: true, BrokenOff: true},
		"THE TRUTH DOES NOT HOLD": {Complete: true, BrokenOff: true, Missing: 1},
	} {
		var text bytes.Buffer
		if err := (Report{Truth: &truth}).WriteText(&text); err != nil || !strings.Contains(text.String(), "\n"+want) {
			t.Errorf("%s is not in\n%s", want, text.String())
		}
		if got := strings.Contains(text.String(), "all orders of the run were listed"); got == truth.BrokenOff {
			t.Errorf("%s: all orders were listed: %t", want, got)
		}
		if truth.OK() != (want == "The truth holds") {
			t.Errorf("%s: OK is %t", want, truth.OK())
		}
	}
}

func TestAnswersAreClassified(t *testing.T) {
	t.Parallel()
	for body, c := range map[string]struct {
		status  int
		outcome Outcome
		unknown bool
	}{
		`{"id":"x","status":"confirmed"}`: {201, "confirmed", false},
		`{"code":"out_of_stock"}`:         {409, "out_of_stock", false},
		`{"code":"overloaded"}`:           {503, "overloaded", false},
		`{"code":"unavailable"}`:          {503, "unavailable", true},
		`{"code":"backend_timeout"}`:      {504, "backend_timeout", true},
		`<h1>502 Bad Gateway</h1>`:        {502, "http_502", true},
		`upstream request timeout`:        {504, "http_504", true},
		`{"code":"origin_error"}`:         {520, "http_520", true},
		`not here`:                        {404, "http_404", false},
	} {
		outcome := classify(answer{status: c.status, body: []byte(body)}, nil)
		if outcome != c.outcome || outcome.Unknown() != c.unknown {
			t.Errorf("%d %s is %s, unknown %t", c.status, body, outcome, outcome.Unknown())
		}
	}
	if !Outcome("order_not_cancelable").fails() { // no code of the platform's
		t.Error("a code that nothing answers is taken for a decision")
	}
}

func TestAWarmUpsRefusalsAreNotCounted(t *testing.T) {
	t.Parallel()
	for warmUp, want := range map[time.Duration]int64{time.Hour: 0, 0: 1} {
		r := newRecorder()
		r.begin(time.Now(), warmUp)
		r.refused(false)
		r.refused(true)
		if r.hasty != want {
			t.Errorf("with a warm-up of %s, %d refusals are counted, not %d", warmUp, r.hasty, want)
		}
	}
}

func TestConfigurationsNameTheirFlags(t *testing.T) {
	t.Parallel()
	for flag, spoil := range map[string]func(*Config){
		"--skus ":       func(c *Config) { c.SKUs = 0 },
		"--clients ":    func(c *Config) { c.Clients = 0 },
		"--stock ":      func(c *Config) { c.Stock = 0 },
		"--items ":      func(c *Config) { c.Scenario = Flash },
		"--sku-prefix ": func(c *Config) { c.Prefix = "a b" },
		"--warm-up ":    func(c *Config) { c.WarmUp = c.Duration },
	} {
		cfg := config("http://127.0.0.1:1", Uniform)
		spoil(&cfg)
		if err := cfg.Validate(); err == nil || !strings.HasPrefix(err.Error(), flag) {
			t.Errorf("%q does not begin with %s", err, flag)
		}
	}
}
