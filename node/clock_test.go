package node_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"relais/node/fault"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/record"
)

const aYear = 365 * 24 * time.Hour

// TestClockWasAhead: one record dated a year ahead blocks grants until a peer
// confirms the clock as it is now; then the hub writes on in another log, with
// the right time, and the others take it.
func TestClockWasAhead(t *testing.T) {
	l, a, b, _ := three(t)
	author(t, a, l.notice(record.NewStopCode()))
	l.clock.Advance(aYear)
	ahead := l.notice(record.NewStopCode())
	first := author(t, a, ahead)
	l.clock.Advance(-aYear)
	now := l.clock.Now()

	t.Run("alone", func(t *testing.T) {
		err := a.GrantsBlocked(now)
		if !fault.Is(err, fault.Unavailable) {
			t.Fatalf("a record dated a year ahead: %v", err)
		}
		if m := fault.Of(err).Message; !strings.Contains(m, "21/11/2027") || !strings.Contains(m, "un autre relais") {
			t.Errorf("it does not say what to do: %s", m)
		}
		if p := author(t, a, l.stop(ahead.Mandate, 0)); p.Incarnation != first.Incarnation {
			t.Errorf("another log, on nobody's word: %v", p)
		}
	})
	t.Run("contradicted", func(t *testing.T) {
		a.PeerClock(b.Self(), -aYear, now)
		if err := a.GrantsBlocked(now); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a peer's clock is a year ahead: %v", err)
		}
	})
	t.Run("confirmed", func(t *testing.T) {
		a.PeerClock(b.Self(), time.Second, now)
		if err := a.GrantsBlocked(now); err != nil {
			t.Errorf("a peer confirms the clock: %v", err)
		}
		fresh := l.notice(record.NewStopCode())
		p := author(t, a, fresh)
		if p.Incarnation != first.Incarnation+1 || p.Seq != 1 {
			t.Errorf("written at %v, after %v", p, first)
		}
		if again := author(t, a, l.stop(fresh.Mandate, 0)); again.LogID != p.LogID || again.Seq != 2 {
			t.Errorf("then at %v", again)
		}
		a.reopen(t)
		if err := a.GrantsBlocked(now); err != nil {
			t.Errorf("after a restart, nobody heard yet: %v", err)
		}
		signAll(t, a)
		meet(t, b, a)
		if s := standing(t, b, fresh.Mandate); s.Notices != 1 || !s.All {
			t.Errorf("elsewhere: %+v", s)
		}
	})
}

// A second back, as those who keep clocks right do, opens no other log.
func TestClockSetBackALittle(t *testing.T) {
	l, a, b, _ := three(t)
	first := author(t, a, l.notice(record.NewStopCode()))
	l.clock.Advance(-time.Second)
	a.PeerClock(b.Self(), 0, l.clock.Now())
	if p := author(t, a, l.notice(record.NewStopCode())); p.LogID != first.LogID {
		t.Errorf("written at %v, after %v", p, first)
	}
}

// TestFreshnessAfterClockAhead: what was noted while the clock was ahead is
// forgotten, at once and after a restart; what comes then is believed.
func TestFreshnessAfterClockAhead(t *testing.T) {
	l, a, b, c := three(t)
	at := func() time.Time {
		t.Helper()
		f, err := a.Freshness(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if connected := f.Seen > 1; connected != f.At.Equal(l.clock.Now()) {
			t.Errorf("%+v", f)
		}
		return f.At
	}
	l.clock.Advance(aYear)
	a.PeerCompared(b.Self(), l.clock.Now())
	a.PeerLost(c.Self(), l.clock.Now())
	a.reopen(t) // and so it was kept
	l.clock.Advance(-aYear)
	if got := at(); !got.IsZero() {
		t.Errorf("compared in the future: %s", got)
	}
	a.reopen(t)
	if got := at(); !got.IsZero() {
		t.Errorf("after a restart, compared in the future: %s", got)
	}
	now := l.clock.Now()
	a.PeerCompared(b.Self(), now)
	if got := at(); !got.Equal(now) {
		t.Errorf("compared at %s, shown as %s", now, got)
	}
	a.PeerHeard(c.Self(), now)
	if f, err := a.Freshness(t.Context()); err != nil || f.Seen != 3 {
		t.Errorf("lost in the future: %+v, %v", f, err)
	}
	a.reopen(t)
	l.clock.Advance(aYear + time.Hour)
	if f, err := a.Freshness(t.Context()); err != nil || !f.At.Equal(now) {
		t.Errorf("the future is back: %+v, %v", f, err)
	}
}

// TestPeerClockAlarm: a hub whose clock is wrong is named, with what to do, for
// as long as it is; a wrong clock of ours is not said to be everybody's.
func TestPeerClockAlarm(t *testing.T) {
	l, a, b, c := three(t)
	named := func() (hubs []string) {
		t.Helper()
		v, err := a.Territory(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, alarm := range v.Alarms {
			for _, h := range []*hub{b, c} {
				if alarm.Key == "peer-clock" && strings.Contains(alarm.Message, h.site) {
					hubs = append(hubs, h.site)
				}
			}
		}
		return hubs
	}
	expect := func(when string, want ...string) {
		t.Helper()
		if got := named(); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	expect("at first")
	a.PeerDates(b.Self(), false, l.clock.Now())
	expect("its certificate is of another time", b.site)
	l.clock.Advance(2 * time.Minute)
	expect("mended")
	now := l.clock.Now()
	a.PeerClock(b.Self(), 0, now)
	a.PeerClock(c.Self(), time.Hour, now)
	a.PeerClock(a.Self(), 0, now)
	expect("an hour away", c.site)
	a.PeerClock(b.Self(), time.Hour, now)
	expect("ours is an hour away")
}

// TestGrantsOfAWrongClockWait: what a hub grants while its clock is known to be
// wrong waits, there where that is known, until the clock is right; what it stops
// is stopped, and what it granted before serves on.
func TestGrantsOfAWrongClockWait(t *testing.T) {
	l, a, b, c := three(t)
	d := l.desk(t, a, "camille", people.Name{Given: "Camille", Family: "Essai"})
	why := func(n *record.Notice) mandate.Why {
		t.Helper()
		v, err := a.Usable(t.Context(), d.by, n.Mandate, 1)
		if err != nil {
			t.Fatal(err)
		}
		return v.Why
	}
	told := func(h *hub) *record.Notice {
		t.Helper()
		n := l.told(t, h, record.NewStopCode())
		meet(t, a, h)
		return n
	}
	before := told(b)
	stopped := told(b)
	a.PeerDates(b.Self(), false, l.clock.Now())
	meanwhile, elsewhere := told(b), told(c)
	author(t, b, l.stop(stopped.Mandate, 0))
	signAll(t, b)
	meet(t, a, b)

	if got := why(meanwhile); got != mandate.WhyClock {
		t.Errorf("granted with a wrong clock: %q", got)
	}
	if got := why(stopped); got != mandate.WhyStopped {
		t.Errorf("stopped with a wrong clock: %q", got)
	}
	for name, n := range map[string]*record.Notice{"granted before": before, "granted elsewhere": elsewhere} {
		if got := why(n); got == mandate.WhyClock {
			t.Errorf("%s: %q", name, got)
		}
	}
	l.clock.Advance(2 * time.Minute) // nothing says any more that it is wrong
	if got := why(meanwhile); got == mandate.WhyClock {
		t.Error("it still waits, the clock being right again")
	}
	a.PeerDates(b.Self(), false, l.clock.Now())
	a.reopen(t)
	a.PeerDates(b.Self(), false, l.clock.Now())
	if got := why(meanwhile); got != mandate.WhyClock {
		t.Errorf("wrong again, after a restart: %q", got)
	}
}

// TestOneDeadClock: a hub that has compared with nobody but one whose battery is
// dead goes on granting, for the others' certificates bear its clock out; and that
// hub, which nobody's bears out, does not, though it has compared with nobody.
func TestOneDeadClock(t *testing.T) {
	l, a, b, c := three(t)
	now := l.clock.Now()
	for _, h := range []*hub{b, c} {
		a.PeerHeard(h.Self(), now)
	}
	a.PeerDates(b.Self(), false, now)
	a.PeerDates(c.Self(), true, now)
	a.PeerClock(b.Self(), 3*aYear, now)
	if err := a.GrantsBlocked(now); err != nil {
		t.Errorf("b alone is wrong: %v", err)
	}
	a.PeerClock(b.Self(), time.Hour, now)
	if err := a.GrantsBlocked(now); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a certificate says nothing of an hour: %v", err)
	}
	a.PeerClock(b.Self(), 3*aYear, now)
	a.PeerDates(c.Self(), false, now)
	if err := a.GrantsBlocked(now); !fault.Is(err, fault.Unavailable) {
		t.Errorf("nobody bears it out: %v", err)
	}
	for _, h := range []*hub{a, b} {
		c.PeerHeard(h.Self(), now)
		if err := c.GrantsBlocked(now); err != nil {
			t.Errorf("one of two at most: %v", err)
		}
		c.PeerDates(h.Self(), false, now)
	}
	if err := c.GrantsBlocked(now); !fault.Is(err, fault.Unavailable) {
		t.Errorf("two of two, by their certificates alone: %v", err)
	}
	v, err := c.Territory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, alarm := range v.Alarms {
		if alarm.Key == "peer-clock" {
			t.Errorf("ours is wrong, and it says: %s", alarm.Message)
		}
	}
	if err := c.GrantsBlocked(now.Add(2 * time.Minute)); err != nil {
		t.Errorf("nobody heard since: %v", err)
	}
}

// In a large territory most hubs are heard through others, and show no certificate:
// they bear no clock out.
func TestDeadClockAmongMany(t *testing.T) {
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	ghosts := make([]*ghost, 59)
	for i := range ghosts {
		ghosts[i] = newGhost(t)
	}
	l.enrol(t, join(ghosts...))
	now := l.clock.Now()
	for i, g := range ghosts {
		h.PeerHeard(g.id, now)
		if i < 24 {
			h.PeerDates(g.id, false, now)
			h.PeerClock(g.id, -3*aYear, now)
		}
	}
	if err := h.GrantsBlocked(now); !fault.Is(err, fault.Unavailable) {
		t.Errorf("24 of 24 say otherwise: %v", err)
	}
	v, err := h.Territory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, alarm := range v.Alarms {
		if alarm.Key == "peer-clock" {
			t.Errorf("ours is wrong, and it says: %s", alarm.Message)
		}
	}
}

// Where only two hubs hear each other, the one whose clock shows a time before the
// release that the other runs is the one that is wrong.
func TestDeadClockBeforeRelease(t *testing.T) {
	l, a, b, _ := three(t)
	now := l.clock.Now()
	a.PeerHeard(b.Self(), now)
	a.PeerDates(b.Self(), false, now)
	a.PeerClock(b.Self(), aYear, now)
	if err := a.GrantsBlocked(now); !fault.Is(err, fault.Unavailable) {
		t.Errorf("there is no telling: %v", err)
	}
	a.Options.Release = now.Add(-aYear / 2)
	a.reopen(t)
	a.PeerClock(b.Self(), aYear, now)
	if err := a.GrantsBlocked(now); err != nil {
		t.Errorf("b is before our release: %v", err)
	}
}
