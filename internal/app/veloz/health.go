package veloz

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

type healthCommand struct {
	address `embed:""`
}

// Help is shown by --help.
func (healthCommand) Help() string {
	return `Asks the gateway, which asks the services behind it. It needs no key; the exit code is 1 when one is down.

Examples:

  veloz health
  veloz health --server https://pedidos.example --json
  until veloz health; do sleep 1; done`
}

// backendsReport is what /health/backends answers.
type backendsReport struct {
	Status   string `json:"status"`
	Backends map[string]struct {
		Status    string  `json:"status"`
		LatencyMS float64 `json:"latency_ms"`
	} `json:"backends"`
}

// Run is called by the command line.
func (c *healthCommand) Run(ctx context.Context, t *terminal) error {
	s := &session{server: string(c.Server)}
	began := time.Now()
	if err := s.get(ctx, "/health"); err != nil {
		return s.unanswered(err)
	}
	latency := time.Since(began)
	gateway := "up"
	if s.answer.status != 200 {
		gateway = "down"
	}
	if err := s.get(ctx, "/health/backends"); err != nil {
		return s.unanswered(err)
	}
	var report backendsReport
	if err := json.Unmarshal(s.answer.body, &report); err != nil || report.Status == "" {
		return fmt.Errorf("%s answers, but not as the platform's gateway\n  Is --server right?", s.server)
	}
	if c.JSON {
		if err := s.printAnswer(t, nil); err != nil {
			return err
		}
	} else {
		t.health(gateway, latency, report)
	}
	return down(gateway, report)
}

func (t *terminal) health(gateway string, latency time.Duration, report backendsReport) {
	rows := [][]string{{"gateway", colored(gateway), milliseconds(float64(latency.Microseconds()) / 1000)}}
	for _, name := range slices.Sorted(maps.Keys(report.Backends)) {
		backend := report.Backends[name]
		rows = append(rows, []string{name, colored(backend.Status), milliseconds(backend.LatencyMS)})
	}
	t.table([]column{{title: "SERVICE"}, {title: "STATUS"}, {title: "LATENCY", right: true}}, rows)
}

func milliseconds(ms float64) string { return fmt.Sprintf("%.1f ms", ms) }

func down(gateway string, report backendsReport) error {
	var names []string
	if gateway != "up" {
		names = append(names, "gateway")
	}
	for _, name := range slices.Sorted(maps.Keys(report.Backends)) {
		if report.Backends[name].Status != "up" {
			names = append(names, name)
		}
	}
	if len(names) == 0 && report.Status == "ok" {
		return nil
	}
	return errors.New("not healthy: " + strings.Join(names, ", "))
}
