// Command bench runs the benchmarks that hold a goal and prints ours beside the
// peer, as ratios.
//
// A benchmark with a goal is called BenchmarkGoal…, measures both sides in the
// same run and reports them with testing.B.ReportMetric:
//
//	ours:UNIT   our figure
//	peer:UNIT   the peer's, or the physical limit's
//	goal:max    the ratio ours/peer may be at most this; or
//	goal:min    the ratio must be at least this
//
// Without a peer the goal bounds our figure itself. The outcome goes to
// standard output as a table and to -out as a list of
// {name, ours, peer, unit, ratio, goal, met, note}.
//
// Exit status: 0 when the benchmarks ran, whatever the goals; 1 when one failed
// to run. A missed goal is a fact to read, not a broken build.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
)

// result is one line of the table.
type result struct {
	Name  string  `json:"name"`
	Ours  float64 `json:"ours"`
	Peer  float64 `json:"peer"`
	Unit  string  `json:"unit"`
	Ratio float64 `json:"ratio"`
	Goal  string  `json:"goal"`
	Met   bool    `json:"met"`
	Note  string  `json:"note"`
}

func main() {
	out := flag.String("out", "var/bench.json", "where the list of results goes")
	flag.Parse()
	if err := run(*out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(out string, packages []string) error {
	if len(packages) == 0 {
		packages = []string{"./..."}
	}
	var raw bytes.Buffer
	args := append([]string{"test", "-run", "^$", "-bench", "^BenchmarkGoal", "-benchtime", "1x", "-timeout", "20m", "-p", "1"}, packages...)
	cmd := exec.Command("go", args...)
	cmd.Stdout = io.MultiWriter(&raw, os.Stderr)
	cmd.Stderr = os.Stderr
	runErr := cmd.Run()
	results, err := parse(&raw)
	if err != nil {
		return err
	}
	if err := write(out, results); err != nil {
		return err
	}
	print(os.Stdout, results)
	if runErr != nil {
		return fmt.Errorf("a benchmark did not run to its end: %w", runErr)
	}
	return nil
}

// parse reads the benchmark lines among the output of go test. A log line that
// begins with "note:" below a benchmark becomes its note.
func parse(r io.Reader) ([]result, error) {
	var results []result
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		text := lines.Text()
		if _, note, found := strings.Cut(text, "note: "); found && len(results) > 0 && strings.HasPrefix(text, "    ") {
			results[len(results)-1].Note = note
			continue
		}
		fields := strings.Fields(text)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "BenchmarkGoal") {
			continue
		}
		one, ok, err := parseLine(fields)
		if err != nil {
			return nil, fmt.Errorf("line %q: %w", text, err)
		}
		if ok {
			results = append(results, one)
		}
	}
	return results, lines.Err()
}

// parseLine reads "name iterations value unit value unit …".
func parseLine(fields []string) (result, bool, error) {
	one := result{Name: name(fields[0])}
	var bound float64
	var least, peer bool
	for i := 2; i+1 < len(fields); i += 2 {
		value, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return one, false, err
		}
		side, unit, _ := strings.Cut(fields[i+1], ":")
		switch side {
		case "ours":
			one.Ours, one.Unit = value, unit
		case "peer":
			one.Peer, peer = value, true
		case "goal":
			bound, least = value, unit == "min"
			one.Goal = map[bool]string{true: "≥ ", false: "≤ "}[least] + strconv.FormatFloat(value, 'g', -1, 64)
		}
	}
	if one.Unit == "" {
		return one, false, nil
	}
	measured := one.Ours
	if peer && one.Peer != 0 {
		one.Ratio = one.Ours / one.Peer
		measured = one.Ratio
		one.Goal += "×"
	}
	one.Met = measured <= bound
	if least {
		one.Met = measured >= bound
	}
	return one, true, nil
}

// name turns BenchmarkGoalUsable/100000-2 into Usable/100000.
func name(s string) string {
	s = strings.TrimPrefix(s, "BenchmarkGoal")
	if i := strings.LastIndexByte(s, '-'); i > 0 {
		s = s[:i]
	}
	return s
}

func write(path string, results []result) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	text, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

func print(w io.Writer, results []result) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "what\tours\tpeer\tunit\tratio\tgoal\tmet")
	for _, r := range results {
		met := "no"
		if r.Met {
			met = "yes"
		}
		fmt.Fprintf(table, "%s\t%.4g\t%.4g\t%s\t%.3g\t%s\t%s\n", r.Name, r.Ours, r.Peer, r.Unit, r.Ratio, r.Goal, met)
		if r.Note != "" {
			fmt.Fprintf(table, "  %s\t\t\t\t\t\t\n", r.Note)
		}
	}
	table.Flush()
}
