package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"relais/node"
	"relais/node/territory"
	"relais/sync/link"
)

var (
	metricHelp   = regexp.MustCompile(`^# HELP ([a-z_]+) (\S.*)$`)
	metricType   = regexp.MustCompile(`^# TYPE ([a-z_]+) (gauge|counter)$`)
	metricSample = regexp.MustCompile(`^([a-z_]+)(?:\{([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"\})? (\S+)$`)
)

// parseMetrics reads the text format 0.0.4, stricter than a Prometheus does: HELP,
// then TYPE, then the samples of that one name, no series twice, a counter named
// _total, an end of line at the end.
func parseMetrics(text string) (map[string]float64, error) {
	series, named := map[string]float64{}, map[string]bool{}
	if !strings.HasSuffix(text, "\n") {
		return nil, fmt.Errorf("no end of line at the end")
	}
	var name string
	typed := false
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		refuse := func(why string) error { return fmt.Errorf("line %d: %s: %q", i+1, why, line) }
		if m := metricHelp.FindStringSubmatch(line); m != nil {
			if named[m[1]] {
				return nil, refuse("a name comes back")
			}
			name, typed, named[m[1]] = m[1], false, true
			continue
		}
		if m := metricType.FindStringSubmatch(line); m != nil {
			if m[1] != name || typed || (m[2] == "counter") != strings.HasSuffix(name, "_total") {
				return nil, refuse("a type that is not the name's")
			}
			typed = true
			continue
		}
		m := metricSample.FindStringSubmatch(line)
		if m == nil || m[1] != name || !typed {
			return nil, refuse("no sample of the name before it")
		}
		key := strings.TrimSuffix(line, " "+m[4])
		value, err := strconv.ParseFloat(m[4], 64)
		if _, twice := series[key]; err != nil || twice {
			return nil, refuse("no number, or a series twice")
		}
		series[key] = value
	}
	return series, nil
}

func TestMetrics(t *testing.T) {
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	s := status{
		Version: "1.0 \"a\\b\"\n", Assurance: territory.AssuranceTPM, RosterVersion: 7, RosterUntil: now.Add(time.Hour),
		FreshAt: now.Add(-time.Minute), Seen: 2, Expected: 3, Waiting: 4, Alarms: []string{"peer-clock", "unsigned", "peer-clock"}, Commands: 9,
		News:    &node.Propagation{P50: 200 * time.Millisecond, P99: time.Second, Of: 12},
		Transit: &link.Transit{Tunnels: 5, Octets: 600, Refused: 7},
	}
	got, err := parseMetrics(string(s.metrics(now)))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{
		`relais_build_info{version="1.0 \"a\\b\"\n"}`: 1, "relais_locked": 0, `relais_keys_assurance{assurance="tpm"}`: 1,
		"relais_roster_version": 7, "relais_roster_expires_seconds": 3600, "relais_records_unsigned": 4,
		"relais_hubs_seen": 2, "relais_hubs_expected": 3, "relais_fresh_age_seconds": 60,
		`relais_news_delay_seconds{quantile="0.5"}`: 0.2, `relais_news_delay_seconds{quantile="0.99"}`: 1,
		"relais_tunnels": 5, "relais_tunnel_octets_total": 600, "relais_tunnels_refused_total": 7,
		`relais_alarms{key="peer-clock"}`: 1, `relais_alarms{key="unsigned"}`: 1, "relais_tpm_commands_total": 9,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// What is not known is not there: a zero would be a claim.
func TestMetricsUnknown(t *testing.T) {
	locked := status{Version: "1", Assurance: territory.AssuranceSoftware, Locked: true}
	for name, c := range map[string]struct {
		s    status
		want map[string]float64
	}{
		"locked": {locked, map[string]float64{`relais_build_info{version="1"}`: 1, "relais_locked": 1, `relais_keys_assurance{assurance="software"}`: 1}},
		"new": {status{Version: "1"}, map[string]float64{
			`relais_build_info{version="1"}`: 1, "relais_locked": 0, "relais_roster_version": 0,
			"relais_records_unsigned": 0, "relais_hubs_seen": 0, "relais_hubs_expected": 0,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseMetrics(string(c.s.metrics(time.Now())))
			if d := cmp.Diff(c.want, got); err != nil || d != "" {
				t.Error(err, d)
			}
		})
	}
}

// The twin: the parser refuses what Prometheus would, so its silence means
// something.
func TestMetricsParserRefuses(t *testing.T) {
	const head = "# HELP relais_x What.\n# TYPE relais_x gauge\n"
	for name, text := range map[string]string{
		"ErrNoEnd": head + "relais_x 1", "ErrNoType": "# HELP relais_x What.\nrelais_x 1\n", "ErrNoHelp": "relais_x 1\n",
		"ErrOtherName": head + "relais_y 1\n", "ErrTwice": head + "relais_x 1\nrelais_x 2\n",
		"ErrNumber": head + "relais_x one\n", "ErrQuote": head + "relais_x{a=\"b\"c\"} 1\n", "ErrBlank": head + "\nrelais_x 1\n",
		"ErrCounter": "# HELP relais_x What.\n# TYPE relais_x counter\nrelais_x 1\n", "ErrSplit": head + "relais_x 1\n" + strings.ReplaceAll(head, "_x", "_y") + head + "relais_x 2\n",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parseMetrics(text); err == nil {
				t.Error("it was taken")
			}
		})
	}
}

// metricsAt asks a running hub, as its monitoring does.
func metricsAt(t *testing.T, url string) map[string]float64 {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != metricsType {
		t.Fatalf("%s: %d %v, %v", url, response.StatusCode, response.Header, err)
	}
	series, err := parseMetrics(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return series
}

func TestHealthServer(t *testing.T) {
	locked := func(context.Context) error { return fmt.Errorf("locked") }
	s := httptest.NewServer(healthServer(func(context.Context) (status, error) {
		return status{Version: "1", Locked: true}, nil
	}, locked).Handler)
	defer s.Close()
	if got := metricsAt(t, s.URL+"/metrics"); got["relais_locked"] != 1 {
		t.Errorf("%v", got)
	}
	for path, want := range map[string]int{"/livez": http.StatusOK, "/readyz": http.StatusServiceUnavailable, "/": http.StatusNotFound} {
		response, err := http.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		if response.Body.Close(); response.StatusCode != want {
			t.Errorf("%s of a locked hub: %d, want %d", path, response.StatusCode, want)
		}
	}
}
