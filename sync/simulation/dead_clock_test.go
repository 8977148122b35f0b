package simulation_test

import (
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"relais/node"
	"relais/node/mandate"
	"relais/node/record"
)

// threeYears is how late a machine is whose battery is dead: it shows when it was
// built, until somebody tells it the time.
const threeYears = -3 * 365 * 24 * time.Hour

// clocksRemembered is more than what a peer's clock said is worth something for.
const clocksRemembered = 17 * time.Minute

// inABubble plays something in a territory where nothing is lost on the way.
func inABubble(t *testing.T, planted bug, play func(*world, *testing.T)) (w *world) {
	t.Helper()
	made, err := shared()
	check(t, err)
	dir, err := os.MkdirTemp(made.dir, "told-")
	check(t, err)
	defer os.RemoveAll(dir)
	runtime.GC() // see simulate
	runtime.GC()
	synctest.Test(t, func(t *testing.T) {
		w = newWorld(t, 1, dir, planted)
		w.fabric.loss, w.told = 0, []string{""}
		defer w.stop()
		w.edit(t, func() {})
		for _, h := range w.hubs {
			h.start(t)
			check(t, h.InstallRoster(t.Context(), w.signed))
		}
		time.Sleep(calmAfter)
		play(w, t)
	})
	return w
}

// TestDeadClock: a hub whose clock is three years behind is heard and hears, over
// the link's own TLS, whatever the dates of certificates; every other hub says so
// to whoever looks; what it grants is held; what it stops is stopped, at once.
// Once its clock is right nothing is said any more, and it grants again.
func TestDeadClock(t *testing.T) {
	for name, mend := range map[string]func(*world, *testing.T, *hub){
		"mended while it runs": func(_ *world, _ *testing.T, h *hub) { h.skew.Store(0) },
		"mended at a start": func(_ *world, t *testing.T, h *hub) {
			h.end()
			h.skew.Store(0)
			h.start(t)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := inABubble(t, none, func(w *world, t *testing.T) { w.deadClock(t, mend) })
			for p, broken := range w.broken {
				t.Errorf("%s: %s", p, strings.Join(broken, "\n"))
			}
		})
	}
}

// The twin: where no hub is told of clocks, nothing is marked and nothing held.
func TestDeadClockPlanted(t *testing.T) {
	w := inABubble(t, deafToClocks, func(w *world, t *testing.T) {
		w.deadClock(t, func(_ *world, _ *testing.T, h *hub) { h.skew.Store(0) })
	})
	for _, p := range []property{marked, held} {
		if len(w.broken[p]) == 0 {
			t.Errorf("not found: %s", p)
		}
	}
	for _, p := range []property{reaches, mended} {
		if len(w.broken[p]) > 0 {
			t.Errorf("%s: %s", p, w.broken[p][0])
		}
	}
}

const (
	marked property = "a clock that is wrong is told"
	held   property = "what a wrong clock grants is held"
	mended property = "a clock that is right again is as any other"
)

// deadClock plays it. Hub 1 is the one, which serves the same structure as hubs 0
// and 2.
func (w *world) deadClock(t *testing.T, mend func(*world, *testing.T, *hub)) {
	desk, dead := w.hubs[0], w.hubs[1]
	for range 3 { // what hub 1 is to stop
		w.granted(t, desk)
	}
	w.asleepAtNoon(t, dead)
	w.lookMarked(t, dead)
	w.lookHeld(t, dead)
	w.lookStops(t, dead)

	mend(w, t, dead)
	time.Sleep(clocksRemembered)
	w.lookMended(t, dead)
}

// asleepAtNoon has a hub start with a dead clock while it hears nobody: nothing
// tells it that its clock is wrong, and it grants. Then it hears the others.
func (w *world) asleepAtNoon(t *testing.T, dead *hub) {
	t.Helper()
	w.fabric.divide(map[string]int{dead.host: 1})
	dead.end()
	dead.skew.Store(int64(threeYears))
	dead.start(t)
	w.granted(t, dead)
	w.fabric.divide(nil)
	time.Sleep(calmAfter)
}

// granted draws up a mandate; nobody says no.
func (w *world) granted(t *testing.T, h *hub) {
	t.Helper()
	time.Sleep(time.Minute) // each code once
	if w.refused(t, h) {
		t.Fatal(w.tale())
	}
	time.Sleep(2 * time.Second)
}

// lookMarked checks that all hear each other, and what a person is told of it.
func (w *world) lookMarked(t *testing.T, dead *hub) {
	t.Helper()
	for _, h := range w.hubs {
		view, err := h.Territory(t.Context())
		check(t, err)
		if h != dead && !h.link.Peer(dead.self()).Connected {
			t.Errorf("%s does not hear %s", h.host, dead.host)
		}
		w.lookTold(h, dead, view)
		if view.Freshness.Seen != hubs {
			t.Errorf("%s hears %d hubs of %d", h.host, view.Freshness.Seen, hubs)
		}
	}
}

// lookTold checks what a hub says of clocks: the one that is wrong of its own, the
// others of that one's.
func (w *world) lookTold(h, dead *hub, view node.TerritoryView) {
	key, want := "peer-clock", []string{"«\u00a0" + siteName(dead.index) + "\u00a0»", "les mandats qui y sont créés attendent", "sa pile est à remplacer"}
	if h == dead {
		key, want = "clock", []string{"L’horloge de ce relais n’est pas à l’heure", "Arrêter un mandat reste possible"}
	}
	var told []string
	for _, alarm := range view.Alarms {
		if alarm.Key == "peer-clock" || alarm.Key == "clock" {
			told = append(told, alarm.Key)
			for _, words := range want {
				if alarm.Key != key || !strings.Contains(alarm.Message, words) {
					w.violate(marked, "%s says %q, not %q", h.host, alarm.Message, words)
				}
			}
		}
	}
	if len(told) != 1 {
		w.violate(marked, "%s says %v of clocks", h.host, told)
	}
}

// lookHeld checks that what the hub granted while nobody could tell it is refused
// everywhere, and for its clock where it came from the hub itself; and that it
// grants nothing since it hears the others.
func (w *world) lookHeld(t *testing.T, dead *hub) {
	t.Helper()
	last, forClock := len(w.mandates)-1, 0
	for _, h := range w.hubs {
		if h == dead {
			continue
		}
		switch why := w.why(t, h, last); why {
		case mandate.WhyClock:
			forClock++
		case mandate.WhyExpired: // it came round by another, and its own dates hold it
		default:
			w.violate(held, "%s says %q of a mandate of a dead clock", h.host, why)
		}
	}
	if forClock == 0 {
		w.violate(held, "nobody refuses a mandate for the clock it was made by")
	}
	time.Sleep(time.Minute)
	if !w.refused(t, dead) {
		w.violate(held, "%s grants", dead.host)
	}
}

// refused tells whether a mandate that is drawn up is refused.
func (w *world) refused(t *testing.T, h *hub) bool {
	t.Helper()
	before := len(w.mandates)
	w.grant(t, h)
	return len(w.mandates) == before
}

func (w *world) why(t *testing.T, h *hub, i int) mandate.Why {
	t.Helper()
	v, err := h.Usable(t.Context(), h.by(), w.mandates[i].mandate, 1)
	check(t, err)
	return v.Why
}

// lookStops has the hub stop, at its kiosk and at its desk, what another granted.
func (w *world) lookStops(t *testing.T, dead *hub) {
	t.Helper()
	_, err := dead.StopByCode(t.Context(), w.mandates[0].code.String(), "kiosk")
	check(t, err)
	_, err = dead.StopAtDesk(t.Context(), dead.by(), node.DeskStop{Mandate: w.mandates[1].mandate, Reason: record.ReasonPerson})
	check(t, err)
	time.Sleep(time.Second)
	for _, h := range w.hubs {
		for i := range 2 {
			if a := h.answer(t, question{i, 1}); a != stoppedIs {
				w.violate(reaches, "%d, stopped at %s, is %s at %s", i, dead.host, a, h.host)
			}
		}
		if a := h.answer(t, question{2, 1}); h != dead && a != stands {
			t.Errorf("nobody stopped 2, which is %s at %s", a, h.host)
		}
	}
}

// lookMended checks that nobody says anything of clocks, and that what the hub
// grants now is a mandate as any other.
func (w *world) lookMended(t *testing.T, was *hub) {
	t.Helper()
	for _, h := range w.hubs {
		view, err := h.Territory(t.Context())
		check(t, err)
		for _, alarm := range view.Alarms {
			if alarm.Key == "peer-clock" || alarm.Key == "clock" {
				w.violate(mended, "%s still says: %s", h.host, alarm.Message)
			}
		}
	}
	for _, from := range []*hub{was, w.hubs[0]} {
		time.Sleep(time.Minute)
		if w.refused(t, from) {
			w.violate(mended, "%s: %s", from.host, w.tale())
			continue
		}
		time.Sleep(2 * time.Second)
		for _, h := range w.hubs {
			if why := w.why(t, h, len(w.mandates)-1); why == mandate.WhyClock || why == mandate.WhyUnknown {
				w.violate(mended, "what %s grants is %q at %s", from.host, why, h.host)
			}
		}
	}
}
