package main

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"
)

// chart draws lines over a few named places, from zero up.
type chart struct {
	title, unit string
	places      []string
	lines       []line
}

type line struct {
	name   string
	values []float64
}

const (
	chartWidth, chartHeight                      = 640, 360
	chartLeft, chartRight, chartTop, chartBottom = 70, 150, 50, 40
	chartGrid                                    = 4 // lines above the ground
	chartBase                                    = chartHeight - chartBottom
)

// chartColors are told apart by the colour-blind too (Okabe and Ito).
var chartColors = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"}

func (c chart) x(i int) float64 {
	return chartLeft + (float64(i)+0.5)*(chartWidth-chartLeft-chartRight)/float64(len(c.places))
}

func (c chart) y(value float64) float64 {
	return chartBase - value/c.top()*(chartBase-chartTop)
}

// top is the round number that the scale ends with.
func (c chart) top() float64 {
	most := 0.0
	for _, l := range c.lines {
		for _, value := range l.values {
			most = max(most, value)
		}
	}
	for step := 0.001; ; step *= 10 {
		for _, round := range []float64{1, 2, 4, 8} {
			if round*step >= most {
				return round * step
			}
		}
	}
}

// svg is the drawing, readable on light and dark pages alike.
func (c chart) svg() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", chartWidth, chartHeight)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/><text x="%d" y="24" font-size="15">%s, %s</text>`+"\n", chartLeft, html.EscapeString(c.title), html.EscapeString(c.unit))
	for i := range chartGrid + 1 {
		value := c.top() * float64(i) / chartGrid
		fmt.Fprintf(&b, `<path d="M%d %.1fH%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%g</text>`+"\n",
			chartLeft, c.y(value), chartWidth-chartRight, chartLeft-8, c.y(value)+4, value)
	}
	for i, place := range c.places {
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", c.x(i), chartHeight-14, html.EscapeString(place))
	}
	for n, l := range c.lines {
		c.draw(&b, l, chartColors[n%len(chartColors)], chartTop+n*20)
	}
	return b.String() + "</svg>\n"
}

func (c chart) draw(b *strings.Builder, l line, color string, legend int) {
	var points []string
	for i, value := range l.values {
		points = append(points, fmt.Sprintf("%.1f,%.1f", c.x(i), c.y(value)))
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="4" fill="%s"><title>%s: %g</title></circle>`+"\n", c.x(i), c.y(value), color, html.EscapeString(l.name), value)
	}
	fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`, strings.Join(points, " "), color)
	fmt.Fprintf(b, `<text x="%d" y="%d" fill="%s">%s</text>`+"\n", chartWidth-chartRight+12, legend, color, html.EscapeString(l.name))
}

// write puts the drawing into a folder, under a name without its ending.
func (c chart) write(folder, name string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, name+".svg"), []byte(c.svg()), 0o644)
}
