package mandate_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"relais/node/mandate"
	"relais/node/record"
	"relais/node/territory"
)

// running is a mandate of three lines that anything allows.
func running() mandate.Facts {
	return mandate.Facts{
		Known: true, Lines: 3, Start: grantedAt, End: mandate.Month.End(grantedAt), Open: true,
		Held: true, OpenLines: 0b111, HelperOK: true, PaperReady: true,
	}
}

func TestUsable(t *testing.T) {
	now := grantedAt.Add(24 * time.Hour)
	end := running().End
	kiosk := mandate.Stop{Reason: record.ReasonPerson, Channel: record.ChannelKiosk, ReceivedAt: now.Add(-time.Hour), Where: territory.HubID{2}}
	for _, c := range []struct {
		name   string
		change func(*mandate.Facts)
		line   uint8
		now    time.Time
		why    mandate.Why
		state  mandate.State
	}{
		{"Running", func(*mandate.Facts) {}, 1, now, "", mandate.StateActive},
		{"FirstInstant", func(*mandate.Facts) {}, 1, grantedAt, "", mandate.StateActive},
		{"ErrUnknown", func(f *mandate.Facts) { *f = mandate.Facts{} }, 1, now, mandate.WhyUnknown, mandate.StateUnusable},
		{"ErrConflict", func(f *mandate.Facts) { f.Conflict = true }, 1, now, mandate.WhyConflict, mandate.StateUnusable},
		{"ErrQuarantined", func(f *mandate.Facts) { f.Quarantined = true }, 1, now, mandate.WhyQuarantined, mandate.StateUnusable},
		{"ErrLineOutside", func(*mandate.Facts) {}, 4, now, mandate.WhyNoSuchLine, mandate.StateActive},
		{"ErrLineZero", func(*mandate.Facts) {}, 0, now, mandate.WhyNoSuchLine, mandate.StateActive},
		{"ErrLine33", func(*mandate.Facts) {}, 33, now, mandate.WhyNoSuchLine, mandate.StateActive},
		{"ErrStopped", func(f *mandate.Facts) { f.StoppedAll, f.Stops = true, []mandate.Stop{kiosk} }, 1, now, mandate.WhyStopped, mandate.StateStopped},
		{"ErrStoppedWithoutDetail", func(f *mandate.Facts) { f.StoppedAll = true }, 1, now, mandate.WhyStopped, mandate.StateStopped},
		{"ErrStoppedLine", func(f *mandate.Facts) { f.Stopped = 0b010 }, 2, now, mandate.WhyStopped, mandate.StatePartly},
		{"OtherLine", func(f *mandate.Facts) { f.Stopped = 0b010 }, 1, now, "", mandate.StatePartly},
		{"ErrStoppedLineByLine", func(f *mandate.Facts) { f.Stopped = 0b111 }, 3, now, mandate.WhyStopped, mandate.StateStopped},
		{"StopOfNoLine", func(f *mandate.Facts) { f.Stopped = 1 << 20 }, 1, now, "", mandate.StateActive},
		{"ErrStoppedThenExpired", func(f *mandate.Facts) { f.StoppedAll = true }, 1, end, mandate.WhyStopped, mandate.StateStopped},
		{"ErrDone", func(f *mandate.Facts) {
			done := kiosk
			done.Reason, done.Channel = record.ReasonDone, record.ChannelDesk
			f.StoppedAll, f.Stops = true, []mandate.Stop{done}
		}, 1, now, mandate.WhyDone, mandate.StateDone},
		{"ErrNotStarted", func(*mandate.Facts) {}, 1, grantedAt.Add(-time.Millisecond), mandate.WhyNotStarted, mandate.StateUnusable},
		{"LastInstant", func(*mandate.Facts) {}, 1, end.Add(-time.Millisecond), "", mandate.StateActive},
		{"ErrExpired", func(*mandate.Facts) {}, 1, end, mandate.WhyExpired, mandate.StateExpired},
		{"ErrStructureClosed", func(f *mandate.Facts) { f.Open, f.OpenLines = false, 0 }, 1, now, mandate.WhyStructure, mandate.StateUnusable},
		{"ErrScopeClosed", func(f *mandate.Facts) { f.OpenLines = 0b110 }, 1, now, mandate.WhyStructure, mandate.StateActive},
		{"ErrAllScopesClosed", func(f *mandate.Facts) { f.OpenLines = 0 }, 1, now, mandate.WhyStructure, mandate.StateUnusable},
		{"ErrHelper", func(f *mandate.Facts) { f.HelperOK = false }, 1, now, mandate.WhyHelper, mandate.StateActive},
		{"ErrPaper", func(f *mandate.Facts) { f.PaperReady = false }, 1, now, mandate.WhyPaper, mandate.StateAwaitingPaper},
		{"ElsewhereWithoutDossier", func(f *mandate.Facts) { f.Held, f.PaperReady, f.OpenLines = false, false, 0 }, 1, now, mandate.WhyStructure, mandate.StateActive},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := running()
			c.change(&f)
			v := mandate.Usable(f, c.line, c.now)
			if v.Why != c.why || v.Usable != (c.why == "") {
				t.Errorf("verdict %+v, want %q", v, c.why)
			}
			if got := mandate.StateOf(f, c.now); got != c.state {
				t.Errorf("state %q, want %q", got, c.state)
			}
			if mandate.StateOf(f, c.now).Label() == "" {
				t.Error("the state has no label")
			}
		})
	}
}

// The stop that is shown is the earliest that concerns the line.
func TestFirstStop(t *testing.T) {
	at := func(minutes int, lines uint32) mandate.Stop {
		return mandate.Stop{Lines: lines, ReceivedAt: grantedAt.Add(time.Duration(minutes) * time.Minute)}
	}
	f := running()
	f.Stopped, f.StoppedAll = 0b001, true
	f.Stops = []mandate.Stop{at(30, 0), at(10, 0b001), at(20, 0b001)}
	now := grantedAt.Add(time.Hour)
	if v := mandate.Usable(f, 1, now); v.Stop == nil || !v.Stop.ReceivedAt.Equal(grantedAt.Add(10*time.Minute)) || !v.At.Equal(v.Stop.ReceivedAt) {
		t.Errorf("line 1: %+v", v)
	}
	if v := mandate.Usable(f, 2, now); v.Stop == nil || !v.Stop.ReceivedAt.Equal(grantedAt.Add(30*time.Minute)) {
		t.Errorf("line 2: %+v", v)
	}
	if s := f.FirstStop(); s == nil || s.Lines != 0b001 || !s.ReceivedAt.Equal(grantedAt.Add(10*time.Minute)) {
		t.Errorf("first stop: %+v", s)
	}
	if (mandate.Facts{}).FirstStop() != nil {
		t.Error("no stop has a first")
	}
}

// Stopping more, or waiting, never makes a line usable that was not.
func TestStopsOnlyRefuse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := running()
		f.Lines = uint8(rapid.IntRange(1, 32).Draw(t, "lines"))
		f.OpenLines = rapid.Uint32().Draw(t, "open")
		f.Stopped = rapid.Uint32().Draw(t, "stopped")
		f.PaperReady, f.HelperOK = rapid.Bool().Draw(t, "paper"), rapid.Bool().Draw(t, "helper")
		line := uint8(rapid.IntRange(0, 40).Draw(t, "line"))
		now := grantedAt.Add(time.Duration(rapid.Int64Range(0, 40*24).Draw(t, "hours")) * time.Hour)
		more, later := f, now.Add(time.Hour)
		more.Stopped |= rapid.Uint32().Draw(t, "more")
		more.StoppedAll = rapid.Bool().Draw(t, "all")
		before, after := mandate.Usable(f, line, now), mandate.Usable(more, line, later)
		if after.Usable && !before.Usable {
			t.Fatalf("line %d was refused (%s) and is usable again", line, before.Why)
		}
		state := mandate.StateOf(f, now)
		if before.Usable && state != mandate.StateActive && state != mandate.StatePartly {
			t.Fatalf("line %d may be used and the mandate is %s", line, state)
		}
	})
}
