package load

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

func config(url string, s Scenario) Config {
	return Config{URL: url, Key: "key", Scenario: s, SKUs: 5, Items: 2, Stock: 1000, Clients: 4, Duration: time.Minute, Arrivals: 60,
		Timeout: 10 * time.Second, Seed: 7, ReadBack: 1000}
}

func mustRun(t *testing.T, cfg Config) Report {
	t.Helper()
	report, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestHonestPlatformPassesEveryScenario(t *testing.T) {
	t.Parallel()
	for _, scenario := range Scenarios() {
		t.Run(string(scenario), func(t *testing.T) {
			t.Parallel()
			cfg := config(newPlatform(t, honest), scenario)
			if scenario == Flash {
				cfg.Stock = 10
			}
			report := mustRun(t, cfg)
			if !report.Truth.OK() || !report.Truth.Complete {
				t.Fatalf("%+v", *report.Truth)
			}
			if report.Truth.ReadBack != report.Truth.Acknowledged || report.Truth.Acknowledged == 0 {
				t.Errorf("%d of %d orders were read back", report.Truth.ReadBack, report.Truth.Acknowledged)
			}
			if scenario == Flash && (report.Truth.Acknowledged != 10 || report.Truth.UnitsHeld != 10) {
				t.Errorf("10 units: %d orders acknowledged, %d units held", report.Truth.Acknowledged, report.Truth.UnitsHeld)
			}
			if report.Failures() != 0 {
				t.Errorf("failures: %+v", report.Kinds)
			}
		})
	}
}

func TestLiesAreFound(t *testing.T) {
	t.Parallel()
	for _, lie := range []fault{losesOrder, doublesIt, otherItems, forgetsHold, oversells, revokes} {
		for _, readBack := range []int{1000, 59} {
			if readBack == 59 && lie == doublesIt {
				continue // an order that nobody knows is found by listing alone
			}
			t.Run(string(lie), func(t *testing.T) {
				t.Parallel()
				cfg := config(newPlatform(t, lie), Uniform)
				cfg.ReadBack = readBack
				cfg.SettleWithin = time.Nanosecond
				if lie == oversells {
					cfg.Scenario, cfg.Stock = Flash, 10
				}
				report := mustRun(t, cfg)
				if report.Truth.OK() {
					t.Errorf("the check found nothing: %+v", *report.Truth)
				}
			})
		}
	}
}

func TestLostAnswersAreUnknownAndNoLie(t *testing.T) {
	t.Parallel()
	for _, loss := range []fault{losesAnswer, gateway} {
		t.Run(string(loss), func(t *testing.T) {
			t.Parallel()
			report := mustRun(t, config(newPlatform(t, loss), Uniform))
			truth := report.Truth
			if !truth.OK() || truth.Unknown == 0 || truth.Resolved != truth.Unknown {
				t.Errorf("%+v", *truth)
			}
			if report.Failures() != truth.Unknown {
				t.Errorf("%d failures for %d lost answers", report.Failures(), truth.Unknown)
			}
		})
	}
}

// A platform that answers slower than arrivals come must be charged for the wait of those that found no connection free.
func TestOpenLoopCountsFromTheIntendedStart(t *testing.T) {
	t.Parallel()
	cfg := config(newPlatform(t, honest), Hot)
	cfg.Rate, cfg.Duration, cfg.Clients, cfg.Arrivals = 1e6, time.Second, 1, 200
	report := mustRun(t, cfg)
	mean := report.Kinds[0].MeanUS / 1e6
	if service := report.Seconds / 200; mean < 20*service {
		t.Errorf("200 requests that were due at once, one at a time, took %.4f s in the mean; each %.4f s", mean, service)
	}
}

func TestAWarmUpIsCheckedAndNotCounted(t *testing.T) {
	t.Parallel()
	cfg := config(newPlatform(t, honest), Uniform)
	cfg.Rate, cfg.Duration, cfg.WarmUp, cfg.Arrivals = 100, 2*time.Second, time.Second, 0
	report := mustRun(t, cfg)
	counted, all := report.Kinds[0].Requests, report.Truth.Acknowledged
	if counted == 0 || counted > all*3/4 {
		t.Errorf("%d of %d orders are in the figures, want those of the second half", counted, all)
	}
	if !report.Truth.OK() || report.Truth.ReadBack != all {
		t.Errorf("%+v", *report.Truth)
	}
	if rate := float64(counted) / report.Seconds; rate != report.OrdersPerSecond || report.Seconds > 1.9 {
		t.Errorf("%d orders in %.2f s are said to be %.0f a second", counted, report.Seconds, report.OrdersPerSecond)
	}
	var page bytes.Buffer
	if err := report.WriteHTML(&page); err != nil || !strings.Contains(page.String(), `<rect class="warm" width="4`) { // of 860
		t.Errorf("%v: the warm-up is half of the run\n%s", err, page.String())
	}
	for _, point := range regexp.MustCompile(`(\d+\.\d),\d+\.\d `).FindAllStringSubmatch(page.String(), -1) {
		if x, err := strconv.ParseFloat(point[1], 64); err != nil || x > 880 {
			t.Errorf("%s is beside the chart, which ends at 860", point[0])
		}
	}
}

// A connection that was opened early and not used since may have been closed by a platform that waits for no silent ones.
func TestSilentConnectionsAreOpenedAnew(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, c := range map[string]struct {
		conn  conn
		stale bool
	}{
		"just opened":       {conn{opened: now.Add(-time.Second)}, false},
		"opened, not used":  {conn{opened: now.Add(-4 * time.Second)}, true},
		"used a while ago":  {conn{opened: now.Add(-time.Hour), used: now.Add(-30 * time.Second)}, false},
		"used long ago":     {conn{opened: now.Add(-time.Hour), used: now.Add(-time.Minute)}, true},
		"anew and not used": {conn{opened: now.Add(-4 * time.Second), used: now.Add(-5 * time.Second)}, true},
	} {
		if c.conn.stale(now) != c.stale {
			t.Errorf("%s: stale is %t", name, !c.stale)
		}
	}
}

func TestPaceFollowsRatesAndRamp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cfg  Config
		want float64
	}{
		"constant": {Config{Rate: 1000, Duration: 100 * time.Second}, 100_000},
		"line":     {Config{Rate: 500, RateEnd: 1500, Duration: 100 * time.Second}, 100_000},
		"ramp":     {Config{Rate: 1000, Ramp: 50 * time.Second, Duration: 100 * time.Second}, 75_000},
	} {
		c.cfg.Arrivals = MaxArrivals
		p := newPace(c.cfg, time.Now())
		count := 0.0
		for last := (time.Time{}); ; count++ {
			a, ok := p.take()
			if !ok {
				break
			}
			if a.due.Before(last) {
				t.Fatalf("%s: arrivals go back in time", name)
			}
			last = a.due
		}
		if count < 0.97*c.want || count > 1.03*c.want {
			t.Errorf("%s: %v arrivals, expected about %v", name, count, c.want)
		}
	}
}

func TestZipfPrefersTheFirst(t *testing.T) {
	t.Parallel()
	s := newShop(Config{Scenario: Zipf, SKUs: 100, Items: 1, Seed: 3})
	counts := make([]int, 100)
	for n := range uint64(100_000) {
		counts[s.picks(n, nil)[0]]++
	}
	// The first has 1/H(100) = 19.3 % of all.
	if counts[0] < 18_500 || counts[0] > 20_100 || counts[99] == 0 || counts[1] > counts[0] {
		t.Errorf("first %d, second %d, last %d of 100,000", counts[0], counts[1], counts[99])
	}
}

func TestPicksAreDistinctAndRepeatable(t *testing.T) {
	t.Parallel()
	s := newShop(Config{Scenario: Zipf, SKUs: 5, Items: 5, Seed: 3})
	for n := range uint64(1000) {
		seen := map[int]bool{}
		for _, i := range s.picks(n, nil) {
			seen[i] = true
		}
		if len(seen) != 5 {
			t.Fatalf("order %d picks %v", n, s.picks(n, nil))
		}
	}
}

func TestReportsCanBeRead(t *testing.T) {
	t.Parallel()
	report := mustRun(t, config(newPlatform(t, honest), Mixed))
	var text, page, raw bytes.Buffer
	if err := report.WriteText(&text); err != nil || !strings.Contains(text.String(), "The truth holds") {
		t.Errorf("%v\n%s", err, text.String())
	}
	if err := report.WriteHTML(&page); err != nil || strings.Count(page.String(), "<polyline") < 6 || strings.Contains(page.String(), "src=") {
		t.Errorf("%v\n%s", err, page.String())
	}
	if err := report.WriteJSON(&raw); err != nil || !json.Valid(raw.Bytes()) {
		t.Errorf("%v\n%s", err, raw.String())
	}
}

func TestConfigurationIsBounded(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Config){
		"endless":       func(c *Config) { c.Duration = MaxDuration + 1 },
		"no time":       func(c *Config) { c.Duration = 0 },
		"many clients":  func(c *Config) { c.Clients = MaxClients + 1 },
		"many arrivals": func(c *Config) { c.Arrivals = MaxArrivals + 1 },
		"scenario":      func(c *Config) { c.Scenario = "unknown" },
		"items":         func(c *Config) { c.Items = c.SKUs + 1 },
		"no stock":      func(c *Config) { c.Stock = 0 },
		"prefix":        func(c *Config) { c.Prefix = "a b" },
		"long prefix":   func(c *Config) { c.Prefix = strings.Repeat("a", 57) },
		"address":       func(c *Config) { c.URL = "platform:8000" },
		"key":           func(c *Config) { c.Key = "a\r\nHost: b" },
	} {
		cfg := config("http://127.0.0.1:1", Uniform)
		spoil(&cfg)
		if _, err := Run(t.Context(), cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestNoBuyerLooksLikeACard: 13 digits with dashes between them may be a card number, and an order that holds one is refused.
func TestNoBuyerLooksLikeACard(t *testing.T) {
	t.Parallel()
	for range 1000 {
		if email := newShop(Config{SKUs: 1}).email(7); strings.ContainsAny(strings.Split(email, "-")[1], "0123456789") {
			t.Fatal(email)
		}
	}
}

// TestCourteousClientsComeBackLater: each is refused at most once within a second; others ask again at once.
func TestCourteousClientsComeBackLater(t *testing.T) {
	t.Parallel()
	full := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(full.Close)
	cfg := Config{URL: full.URL, Scenario: Uniform, SKUs: 1, Items: 1, Stock: 1, Prefix: "P", Ready: true, Clients: 4, Duration: time.Second / 2, Timeout: time.Minute}
	if rude := mustRun(t, cfg); rude.Count(Place, "http_503") <= 4 {
		t.Errorf("asking again at once: %+v", rude.Kinds)
	}
	cfg.Courteous = true
	if polite := mustRun(t, cfg); polite.Count(Place, "http_503") < 1 || polite.Count(Place, "http_503") > 4 {
		t.Errorf("coming back later: %+v", polite.Kinds)
	}
}
