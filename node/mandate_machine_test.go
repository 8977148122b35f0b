package node_test

import (
	"flag"
	"testing"
	"time"

	"pgregory.net/rapid"

	"relais/node"
	"relais/node/fault"
	"relais/node/mandate"
	"relais/node/record"
)

// A life is some thirty steps, and a page and five verdicts read after each: fewer
// of them than rapid's hundred, unless told.
func init() { flag.Set("rapid.checks", "30") }

// life is what a mandate should be, kept beside the real one by a few lines that
// share nothing with it.
type life struct {
	d          *desk
	m          mandate.ID
	code       string
	start, end time.Time
	signed     bool
	suspended  bool
	all, done  bool
	lines      [3]bool // line n-1 is stopped
	acts       int
}

// why is the expected answer for a line.
func (l *life) why(line uint8) mandate.Why {
	now := l.d.land.clock.Now()
	switch {
	case line < 1 || line > 3:
		return mandate.WhyNoSuchLine
	case l.done:
		return mandate.WhyDone
	case l.all || l.lines[line-1]:
		return mandate.WhyStopped
	case !now.Before(l.end):
		return mandate.WhyExpired
	case l.suspended:
		return mandate.WhyHelper
	case !l.signed:
		return mandate.WhyPaper
	}
	return ""
}

func (l *life) state() mandate.State {
	switch {
	case l.done:
		return mandate.StateDone
	case l.all || l.lines == [3]bool{true, true, true}:
		return mandate.StateStopped
	case !l.d.land.clock.Now().Before(l.end):
		return mandate.StateExpired
	case !l.signed:
		return mandate.StateAwaitingPaper
	case l.lines != [3]bool{}:
		return mandate.StatePartly
	}
	return mandate.StateActive
}

// newLife grants a mandate of three lines.
func newLife(t *testing.T, d *desk) *life {
	visit := d.visit(t)
	draft := wholeDraft(visit)
	draft.Lines = append(draft.Lines, mandate.Line{Scope: mandate.Papiers, Service: "ants.gouv.fr", Acts: []string{"suivre une demande"}})
	if _, err := d.SaveDraft(t.Context(), d.by, draft); err != nil {
		t.Fatal(err)
	}
	m, err := d.approve(t, visit)
	if err != nil {
		t.Fatal(err)
	}
	view, err := d.Mandate(t.Context(), d.by, m)
	if err != nil {
		t.Fatal(err)
	}
	return &life{d: d, m: m, code: view.StopCode.String(), start: view.Start, end: view.End}
}

// check compares the model with what the hub answers.
func (l *life) check(t *testing.T, r *rapid.T) {
	view, err := l.d.Mandate(t.Context(), l.d.by, l.m)
	if err != nil {
		r.Fatal(err)
	}
	if view.State != l.state() {
		r.Fatalf("state %q, want %q", view.State, l.state())
	}
	if len(view.Acts) != l.acts {
		r.Fatalf("%d acts, want %d", len(view.Acts), l.acts)
	}
	if shown := view.StopCode != nil; shown != (!l.signed && l.d.land.clock.Now().Before(l.end)) {
		r.Fatalf("stop code shown: %v", shown)
	}
	for line := uint8(0); line <= 4; line++ {
		v, err := l.d.Usable(t.Context(), l.d.by, l.m, line)
		if err != nil || v.Why != l.why(line) || v.Usable != (v.Why == "") {
			r.Fatalf("line %d: %+v, want %q; %v", line, v, l.why(line), err)
		}
		if line >= 1 && line <= 3 && view.LineVerdicts[line-1].Why != v.Why {
			r.Fatalf("line %d: the page says %q", line, view.LineVerdicts[line-1].Why)
		}
		if v.Why == mandate.WhyStopped && v.Stop == nil {
			r.Fatalf("line %d: stopped, and nothing says when", line)
		}
	}
}

// Whatever people do, in whatever order and however long they wait, the hub
// answers as the model does. What is over never comes back.
func TestMandateMachine(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	rapid.Check(t, func(r *rapid.T) {
		if d.land.clock.Now().Year() > 2150 { // thousands of lives last centuries; a dossier's dates end with 2199
			d = newDesk(t)
		}
		l := newLife(t, d)
		stop := func(r *rapid.T, s node.DeskStop) {
			s.Mandate = l.m
			if _, err := d.StopAtDesk(t.Context(), d.by, s); err != nil {
				r.Fatal(err)
			}
		}
		suspend := func(r *rapid.T, since time.Time) {
			if err := d.SuspendAccount(t.Context(), d.by.Helper, since); err != nil {
				r.Fatal(err)
			}
			l.suspended = !since.IsZero()
		}
		r.Repeat(map[string]func(*rapid.T){
			"": func(r *rapid.T) { l.check(t, r) },
			"print": func(r *rapid.T) {
				if err := d.MarkPrinted(t.Context(), d.by, l.m); err != nil {
					r.Fatal(err)
				}
			},
			"sign": func(r *rapid.T) {
				err := d.ConfirmPaper(t.Context(), d.by, l.m, true, true)
				allowed := l.signed || l.state() == mandate.StateAwaitingPaper && !l.suspended
				if (err == nil) != allowed {
					r.Fatalf("in state %q: %v", l.state(), err)
				}
				l.signed = l.signed || err == nil
			},
			"act": func(r *rapid.T) {
				line := uint8(rapid.IntRange(0, 4).Draw(r, "line"))
				_, err := d.RecordAct(t.Context(), d.by, act(l.m, line))
				if (err == nil) != (l.why(line) == "") || err != nil && !fault.Is(err, fault.Forbidden) {
					r.Fatalf("line %d, %q: %v", line, l.why(line), err)
				}
				if err == nil {
					l.acts++
				}
			},
			"stop a line": func(r *rapid.T) {
				line := rapid.IntRange(1, 3).Draw(r, "line")
				stop(r, node.DeskStop{Lines: []uint8{uint8(line)}, Reason: record.ReasonPerson})
				l.lines[line-1] = true
			},
			"stop all": func(r *rapid.T) {
				stop(r, node.DeskStop{Reason: record.ReasonPerson})
				l.all = true
			},
			"done": func(r *rapid.T) {
				before := l.all
				stop(r, node.DeskStop{Reason: record.ReasonDone})
				l.all, l.done = true, l.done || !before
			},
			"stop by code": func(r *rapid.T) {
				if _, err := d.StopByCode(t.Context(), l.code, "borne"); err != nil {
					r.Fatal(err)
				}
				l.all = true
			},
			"wait": func(r *rapid.T) {
				d.land.clock.Advance(time.Duration(rapid.IntRange(1, 5*24*60).Draw(r, "minutes")) * time.Minute)
			},
			"wait for the end": func(r *rapid.T) {
				if left := l.end.Sub(d.land.clock.Now()); left > 0 {
					d.land.clock.Advance(left - time.Duration(rapid.IntRange(0, 1).Draw(r, "early"))*time.Millisecond)
				}
			},
			"suspend":   func(r *rapid.T) { suspend(r, d.land.clock.Now()) },
			"reinstate": func(r *rapid.T) { suspend(r, time.Time{}) },
		})
		suspend(r, time.Time{})
	})
}
