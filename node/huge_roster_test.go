package node_test

import (
	"runtime"
	"strings"
	"testing"

	"relais/node/nodetest"
	"relais/node/record"
)

// TestHugeRoster: ten thousand hubs, signed by the root, are refused in a moment
// and in no memory; the hub keeps the roster it has, goes on by it, and takes the
// next one that is a roster.
func TestHugeRoster(t *testing.T) {
	l, a, b, _ := three(t)
	version, kept := a.Roster().Version, string(a.RosterNote())
	signed := nodetest.SignHuge(t, nodetest.Huge(t, a.Roster()), l.root)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := a.InstallRoster(t.Context(), signed)
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "the limit is 1048576") {
		t.Errorf("refused with %v", err)
	}
	if octets := after.TotalAlloc - before.TotalAlloc; octets > 1<<20 {
		t.Errorf("refused in %d octets of memory", octets)
	}
	goesOn := func(when string) {
		t.Helper()
		if a.Roster().Version != version || string(a.RosterNote()) != kept {
			t.Errorf("%s: roster %d", when, a.Roster().Version)
		}
		n := l.notice(record.NewStopCode())
		author(t, b, n)
		author(t, a, l.stop(l.told(t, a, record.NewStopCode()).Mandate, 0))
		signAll(t, a)
		signAll(t, b)
		meet(t, a, b)
		if s := standing(t, a, n.Mandate); s.Notices != 1 {
			t.Errorf("%s: %+v", when, s)
		}
	}
	goesOn("refused")
	a.reopen(t)
	goesOn("after a restart")
	l.enrol(t)
	if a.Roster().Version != version+1 {
		t.Errorf("the next one: roster %d", a.Roster().Version)
	}
}
