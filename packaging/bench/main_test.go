package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	output := `goos: linux
BenchmarkGoalUsable/100000-2   1   812 ns/op   1.5 goal:max   30 ours:µs-p99   24 peer:µs-p99
    usable_bench_test.go:40: note: interleaved, 24 rounds
BenchmarkGoalRaw-2   1   12 ns/op   0.3 goal:min   900 ours:grants/s   4000 peer:appends/s
BenchmarkGoalFsyncs-2   1   12 ns/op   0.2 goal:max   0.05 ours:fsyncs
BenchmarkOther-2   100   12 ns/op
PASS
`
	got, err := parse(strings.NewReader(output))
	if err != nil {
		t.Fatal(err)
	}
	want := []result{
		{Name: "Usable/100000", Ours: 30, Peer: 24, Unit: "µs-p99", Ratio: 1.25, Goal: "≤ 1.5×", Met: true, Note: "interleaved, 24 rounds"},
		{Name: "Raw", Ours: 900, Peer: 4000, Unit: "grants/s", Ratio: 0.225, Goal: "≥ 0.3×", Met: false},
		{Name: "Fsyncs", Ours: 0.05, Unit: "fsyncs", Goal: "≤ 0.2", Met: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parse (-want +got):\n%s", diff)
	}
}

func TestParseErrNotANumber(t *testing.T) {
	if _, err := parse(strings.NewReader("BenchmarkGoalX-2 1 many ours:ms")); err == nil {
		t.Error("a figure that is no number was taken")
	}
}
