package load

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{"ms": milliseconds, "percent": percentName, "outcomes": outcomeText}).Parse(pageText))

// WriteHTML writes one page with charts, which needs nothing but itself.
func (r Report) WriteHTML(w io.Writer) error {
	return page.Execute(w, struct {
		Report
		Percents []float64
		Charts   []chart
	}{r, percents, []chart{r.rateChart(), r.latencyChart(), r.distributionChart()}})
}

// The size of a chart's drawing area, in units of the SVG.
const (
	chartWidth  = 860.0
	chartHeight = 220.0
)

// chart is a picture of lines.
type chart struct {
	Title, Unit string
	Lines       []line
	X, Y        []tick
	WarmUp      float64 // how far the shade of the warm-up reaches
}

// line is a polyline with a name. Its class gives it colour and dash.
type line struct {
	Name   string
	Class  int
	Points string // of an SVG polyline
}

// tick is a mark on an axis.
type tick struct {
	At   float64
	Text string
}

// rateChart shows what ended each second, by outcome.
func (r Report) rateChart() chart {
	total := map[Outcome]int64{}
	most := 1.0
	for i, s := range r.Series {
		for outcome, n := range s.Outcomes {
			total[outcome] += n
			most = max(most, float64(n)/r.width(i))
		}
	}
	c := chart{Title: "Requests a second, by outcome", X: r.timeTicks(), WarmUp: r.timeAt(r.WarmUpSeconds), Y: linearTicks(most)}
	const tellable = 6
	for class, outcome := range byCount(total) {
		if class == tellable {
			break
		}
		c.Lines = append(c.Lines, r.over(string(outcome), class, func(i int) float64 {
			return chartHeight * (1 - float64(r.Series[i].Outcomes[outcome])/r.width(i)/most)
		}))
	}
	return c
}

// width is how long the i-th second of the series was: the last one is shorter, and a stall makes one longer.
func (r Report) width(i int) float64 {
	began := 0.0
	if i > 0 {
		began = r.Series[i-1].AtSeconds
	}
	return max(0.05, r.Series[i].AtSeconds-began)
}

// latencyChart shows each second's latencies on a scale of powers of ten.
func (r Report) latencyChart() chart {
	c := chart{Title: "Latency over time", Unit: "logarithmic", X: r.timeTicks(), WarmUp: r.timeAt(r.WarmUpSeconds)}
	least, most := int64(math.MaxInt64), int64(1)
	for _, s := range r.Series {
		if s.Requests > 0 {
			least, most = min(least, s.P50US), max(most, s.MaxUS)
		}
	}
	scale := newLogScale(min(least, most), most)
	c.Y = scale.ticks()
	for class, of := range []struct {
		name  string
		value func(Second) int64
	}{
		{"p50", func(s Second) int64 { return s.P50US }},
		{"p99", func(s Second) int64 { return s.P99US }},
		{"max", func(s Second) int64 { return s.MaxUS }},
	} {
		c.Lines = append(c.Lines, r.over(of.name, class, func(i int) float64 { return scale.at(of.value(r.Series[i])) }))
	}
	return c
}

// distributionChart shows each kind's latency by percentile. Each step towards the rarest has the same room.
func (r Report) distributionChart() chart {
	c := chart{Title: "Latency by percentile", Unit: "logarithmic, all outcomes together"}
	least, most := int64(math.MaxInt64), int64(1)
	for _, s := range r.Kinds {
		for _, p := range s.Percentiles {
			least, most = min(least, p.US), max(most, p.US)
		}
	}
	scale := newLogScale(min(least, most), most)
	c.Y = scale.ticks()
	for i, percent := range percents {
		c.X = append(c.X, tick{percentileAt(i), percentName(percent)})
	}
	for class, s := range r.Kinds {
		points := ""
		for i, p := range s.Percentiles {
			points += fmt.Sprintf("%.1f,%.1f ", percentileAt(i), scale.at(p.US))
		}
		c.Lines = append(c.Lines, line{string(s.Kind), class, points})
	}
	return c
}

func percentileAt(i int) float64 { return chartWidth * float64(i) / float64(len(percents)-1) }

// over is a line over the run's time.
func (r Report) over(name string, class int, y func(i int) float64) line {
	points := ""
	for i, s := range r.Series {
		points += fmt.Sprintf("%.1f,%.1f ", r.timeAt(s.AtSeconds), min(chartHeight, max(0, y(i))))
	}
	return line{name, class, points}
}

func (r Report) timeAt(seconds float64) float64 { return chartWidth * seconds / r.span() }

// span is how long the series is.
func (r Report) span() float64 { return max(r.WarmUpSeconds+r.Seconds, 1) }

func (r Report) timeTicks() (ticks []tick) {
	step := niceStep(r.span(), 10)
	for s := 0.0; s <= r.span(); s += step {
		ticks = append(ticks, tick{r.timeAt(s), fmt.Sprintf("%g s", s)})
	}
	return ticks
}

func linearTicks(most float64) (ticks []tick) {
	step := niceStep(most, 5)
	for v := 0.0; v <= most; v += step {
		ticks = append(ticks, tick{chartHeight * (1 - v/most), fmt.Sprintf("%g", v)})
	}
	return ticks
}

// niceStep is 1, 2 or 5 times a power of ten, so that about n steps reach most.
func niceStep(most float64, n int) float64 {
	power := math.Pow(10, math.Floor(math.Log10(most/float64(n))))
	for _, factor := range []float64{1, 2, 5} {
		if power*factor*float64(n) >= most {
			return power * factor
		}
	}
	return power * 10
}

// logScale maps microseconds to heights, whole powers of ten at its ends.
type logScale struct{ low, high float64 }

func newLogScale(least, most int64) logScale {
	low := math.Floor(math.Log10(float64(max(1, least))))
	return logScale{low, max(low+1, math.Ceil(math.Log10(float64(max(1, most)))))}
}

func (s logScale) at(us int64) float64 {
	return chartHeight * (1 - (math.Log10(float64(max(1, us)))-s.low)/(s.high-s.low))
}

func (s logScale) ticks() (ticks []tick) {
	for power := s.low; power <= s.high; power++ {
		us := int64(math.Pow(10, power))
		text := fmt.Sprintf("%d µs", us)
		switch {
		case us >= 1_000_000:
			text = fmt.Sprintf("%d s", us/1_000_000)
		case us >= 1000:
			text = fmt.Sprintf("%d ms", us/1000)
		}
		ticks = append(ticks, tick{s.at(us), text})
	}
	return ticks
}
