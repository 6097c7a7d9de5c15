package overload

import (
	"io"
	"testing"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/load"
)

// good is a surge that keeps every limit.
func good() Surge {
	return Surge{Platform: "p", Factor: 10, Peak: 200, Offered: 2000, Goodput: 195, Refused: 10_000, AcceptedP99: 5 * time.Second,
		RefusedP99: 10 * time.Millisecond, Recovery: 4 * time.Second, ResidentMiB: 300, Acknowledged: 1000}
}

func judged(s Surge, want limits) Verdict {
	r := &runner{cfg: Config{Log: io.Discard}}
	r.judge(s, want)
	return r.verdict
}

// TestEachTargetCanBeMissed: a verdict that cannot be bad says nothing.
func TestEachTargetCanBeMissed(t *testing.T) {
	t.Parallel()
	if v := judged(good(), full); !v.OK() {
		t.Fatalf("a good surge: %+v", v.Checks)
	}
	for name, spoil := range map[string]func(*Surge){
		"a generator that is too slow": func(s *Surge) { s.Offered = 1000 },
		"goodput":                      func(s *Surge) { s.Goodput = 50 },
		"late":                         func(s *Surge) { s.AcceptedP99 = 13 * time.Second },
		"nothing accepted":             func(s *Surge) { s.AcceptedP99 = 0 },
		"nothing refused":              func(s *Surge) { s.Refused = 0 },
		"refused late":                 func(s *Surge) { s.RefusedP99 = 2 * time.Second },
		"no answer":                    func(s *Surge) { s.NoAnswer = 1 },
		"never itself again":           func(s *Surge) { s.Recovery = never },
		"memory":                       func(s *Surge) { s.ResidentMiB = 5000 },
	} {
		for _, want := range []limits{full, lenient} {
			s := good()
			spoil(&s)
			if v := judged(s, want); v.Failed() != 1 {
				t.Errorf("%s: %d checks fail: %+v", name, v.Failed(), v.Checks)
			}
		}
	}
	if (Verdict{}).OK() {
		t.Error("a run that checked nothing is found good")
	}
}

// TestOnlyWhatDependsOnTheMachineIsRepeated: a part is measured once more, in the quick form, when nothing but timed checks
// failed; what fails again fails, and what is strict is not forgotten.
func TestOnlyWhatDependsOnTheMachineIsRepeated(t *testing.T) {
	t.Parallel()
	type round struct{ timed, strict bool } // whether they hold
	for name, c := range map[string]struct {
		quick  bool
		rounds []round
		parts  int
		failed int
	}{
		"all is well":                  {true, []round{{true, true}}, 1, 0},
		"a busy moment":                {true, []round{{false, true}, {true, true}}, 2, 0},
		"it is slow":                   {true, []round{{false, true}, {false, true}}, 2, 1},
		"a promise is broken":          {true, []round{{true, false}}, 1, 1},
		"a promise, and it is slow":    {true, []round{{false, false}}, 1, 2},
		"a promise, the second time":   {true, []round{{false, true}, {true, false}}, 2, 1},
		"the full form is not lenient": {false, []round{{false, true}}, 1, 1},
	} {
		r := &runner{cfg: Config{Quick: c.quick, Log: io.Discard}}
		r.check("before", "something else", "", "", true)
		parts := 0
		err := r.patiently("here", func() error {
			now := c.rounds[parts]
			parts++
			r.timed("here", "soon", "", "", now.timed)
			r.check("here", "right", "", "", now.strict)
			return nil
		})
		if err != nil || parts != c.parts || r.verdict.Failed() != c.failed || len(r.verdict.Repeated) != parts-1 {
			t.Errorf("%s: %d parts, %d checks fail of %+v, %v", name, parts, r.verdict.Failed(), r.verdict, err)
		}
		if want := 1 + c.parts + 1; len(r.verdict.Checks) != want { // strict ones stay, timed ones are those of the last part
			t.Errorf("%s: %d checks, want %d", name, len(r.verdict.Checks), want)
		}
	}
}

// seconds is a series of as many confirmed orders a second, with refusals where there are none.
func seconds(confirmed ...int64) (series []load.Second) {
	for i, n := range confirmed {
		outcomes := map[load.Outcome]int64{"confirmed": n}
		if n == 0 {
			outcomes[refused] = 5
		}
		series = append(series, load.Second{AtSeconds: float64(i + 1), Outcomes: outcomes})
	}
	return series
}

func TestRecoveryIsTheLastTimeThatItBecameWell(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		series []load.Second
		want   time.Duration
	}{
		{seconds(100, 100, 100), time.Second},
		{seconds(0, 100, 0, 100, 90), 4 * time.Second},
		{seconds(100, 100, 50), never},
		{nil, never},
	} {
		if got := recovered(load.Report{Series: c.series}, 100); got != c.want {
			t.Errorf("%v: %s, want %s", c.series, got, c.want)
		}
	}
}

func TestGoodputIsThatOfTheLoad(t *testing.T) {
	t.Parallel()
	report := load.Report{Series: seconds(500, 100, 100, 100, 900)} // filling, three seconds of load, and what came after
	if got := goodput(report, 4*time.Second); got != 100 {
		t.Errorf("%f", got)
	}
}

func TestHealthIsRead(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"backends":{"payments":{"status":"down"},"orders":{"status":"up"}}}`: "payments",
		`{"backends":{"orders":{"status":"up"}}}`:                              "",
		`nonsense`: "no report",
	} {
		if got := namedDown([]byte(body)); got != want {
			t.Errorf("%s: %q", body, got)
		}
	}
}
