package main

import (
	"fmt"
	"strings"
)

// reading is a figure of a shape under a workload.
type reading struct {
	shape, workload string
	figure          func(measurement) float64
}

// goal is a ratio that the product wants to reach, or stay below. No bound: it is only shown.
type goal struct {
	what        string
	of, against reading
	least, most float64
}

// rates are of two shapes under one workload.
func rates(what, of, against, workload string, least float64) goal {
	return goal{what: what + ", " + workload, of: reading{of, workload, ratePerSecond}, against: reading{against, workload, ratePerSecond}, least: least}
}

// patience compares a shape's slowest orders at half of its peak with an order that is alone.
func patience(shape string) goal {
	return goal{what: "p99 at half of peak against p50 idle", of: reading{shape, latencyHalf, p99Milliseconds}, against: reading{shape, latencyIdle, p50Milliseconds}, most: 10}
}

func hopCPU(against, workload string, most float64) goal {
	return goal{what: "the proxy's CPU, " + workload, of: reading{hopOurs, workload, measurement.proxyCPU}, against: reading{against, workload, measurement.proxyCPU}, most: most}
}

// goals are the targets. One that is missed is printed, and fails nothing: the machine may be busy.
func goals() (all []goal) {
	for _, w := range []string{"uniform", "one SKU"} {
		all = append(all,
			rates("orders/s", onePostgres, conventionalName, w, map[string]float64{"uniform": 5, "one SKU": 20}[w]),
			rates("orders/s", onePostgres, functionName, w, 0),
			rates("orders/s", fourPostgres, onePostgres, w, 0.6),
			rates("orders/s", oneSQLite, onePostgres, w, 1),
			rates("orders/s", onePostgres, ceilingPostgres, w, 0.5),
			rates("orders/s", oneSQLite, ceilingSQLite, w, 0.5),
		)
	}
	return append(all,
		rates("units held/s", stockPostgres, stockUpdates, "one SKU", 20),
		rates("units held/s", stockSQLite, stockUpdates, "one SKU", 20),
		rates("units held/s", stockPostgres, stockBest, "one SKU", 0),
		patience(oneSQLite), patience(onePostgres), patience(fourPostgres),
		hopCPU(hopNginx, hopPost, 1), hopCPU(hopHAProxy, hopPost, 0), hopCPU(hopReference, hopPost, 0),
		hopCPU(hopNginx, hopGet, 0), hopCPU(hopReference, hopGet, 0),
	)
}

// ratio is the median of the rounds' ratios: what one round's machine did to both cancels out. 0: not measured.
func (r *results) ratio(of, against reading) float64 {
	ours, theirs := r.measurements[of.shape][of.workload], r.measurements[against.shape][against.workload]
	var ratios []float64
	for i := range min(len(ours), len(theirs)) {
		if divisor := against.figure(theirs[i]); divisor > 0 {
			ratios = append(ratios, of.figure(ours[i])/divisor)
		}
	}
	if len(ratios) == 0 {
		return 0
	}
	return middle(ratios)
}

func (r *results) writeRatios(b *strings.Builder) {
	b.WriteString("## Ratios\n\nMedians of the rounds' ratios.\n\n| | of | against | ratio | target |\n|---|---|---|--:|--:|\n")
	for _, g := range goals() {
		if ratio := r.ratio(g.of, g.against); ratio > 0 {
			fmt.Fprintf(b, "| %s | %s | %s | %.2f | %s |\n", g.what, g.of.shape, g.against.shape, ratio, g.verdict(ratio))
		}
	}
	b.WriteString("\n")
}

func (g goal) verdict(ratio float64) string {
	target, reached := "", true
	switch {
	case g.least > 0:
		target, reached = fmt.Sprintf("at least %g", g.least), ratio >= g.least
	case g.most > 0:
		target, reached = fmt.Sprintf("at most %g", g.most), ratio <= g.most
	default:
		return "–"
	}
	if !reached {
		return target + ", **missed**"
	}
	return target + ", reached"
}
