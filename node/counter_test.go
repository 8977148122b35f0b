package node_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"relais/node/journal"
	"relais/node/record"
)

// TestMovedCounter: a software hub's folder put back whole, counter file included.
// Nobody answers: what it says from then on is in another log.
func TestMovedCounter(t *testing.T) {
	c := newCounted(t)
	c.device.set(func(d *device) { d.moves = true; d.move() })
	c.restore(t, c.copyOf(t)) // the hub of the test was born with another counter
	signAll(t, c.hub)
	c.dispelled(t)
	c.say(t)
	yesterday, value := c.copyOf(t), c.device.count.Value
	c.say(t)
	for range 3 { // the same copy, again and again
		c.land.clock.Advance(time.Hour)
		c.device.set(func(d *device) { d.count.Value = value; d.move() })
		c.restore(t, yesterday)
		signAll(t, c.hub)
		c.mustDoubt(t, "moved")
		c.say(t)
		c.say(t)
	}
	c.mustSayOnce(t)
}

// TestCounterRemoved: somebody removed it. While the hub runs, another takes its
// place and nothing is in doubt; at a start it is.
func TestCounterRemoved(t *testing.T) {
	t.Run("while it runs", func(t *testing.T) {
		c := newCounted(t)
		c.say(t)
		c.device.set(func(d *device) { d.gone = true })
		if p := c.say(t); p.Incarnation != 1 {
			t.Errorf("wrote at %+v", p)
		}
		c.mustDoubt(t, "")
		if n, err := c.JournalCount(t.Context(), journal.KindHubCounter); err != nil || n != 1 {
			t.Errorf("%d entries say so (%v)", n, err)
		}
		c.restore(t, c.copyOf(t))
		if p := c.say(t); p.Incarnation != 1 {
			t.Errorf("then wrote at %+v", p)
		}
	})
	t.Run("at a start", func(t *testing.T) {
		c := newCounted(t)
		c.say(t)
		c.device.set(func(d *device) { d.gone = true })
		c.restart(t)
		signAll(t, c.hub)
		c.mustDoubt(t, "lost")
		if p := c.say(t); p.Incarnation == 1 {
			t.Errorf("wrote at %+v", p)
		}
		if alarmed(t, c.hub, "counter") {
			t.Error("it has another counter, and says it has none")
		}
		c.dispelled(t)
		c.restart(t)
		signAll(t, c.hub)
		c.mustDoubt(t, "")
	})
}

// TestNoCounter: a machine that can have none serves, says so, and proves nothing:
// at each start others are asked or another log is opened, for a while.
func TestNoCounter(t *testing.T) {
	c := newCounted(t)
	c.device.set(func(d *device) { d.gone, d.full = true, true })
	c.say(t)
	if said := message(t, c.hub, "counter"); !strings.Contains(said, "service informatique") {
		t.Errorf("the alarm says %q", said)
	}
	logs := map[uint16]bool{}
	for range 2 * record.MaxLogs { // nobody ever answers
		c.restart(t)
		signAll(t, c.hub)
		c.mustDoubt(t, "none")
		logs[c.say(t).Incarnation] = true
	}
	if len(logs) < 2 || len(logs) > record.MaxLogs/2 {
		t.Errorf("%d logs, of the %d that others keep", len(logs), record.MaxLogs)
	}
	t.Run("all answer", func(t *testing.T) {
		before := c.say(t)
		c.restart(t)
		signAll(t, c.hub)
		c.dispelled(t)
		if p := c.say(t); p.Incarnation != before.Incarnation || p.Seq != before.Seq+1 {
			t.Errorf("wrote at %+v after %+v", p, before)
		}
	})
	t.Run("one can be had again", func(t *testing.T) {
		c.device.set(func(d *device) { d.full = false })
		c.restart(t)
		signAll(t, c.hub)
		c.dispelled(t)
		if alarmed(t, c.hub, "counter") {
			t.Error("the alarm stays")
		}
		c.restart(t)
		signAll(t, c.hub)
		c.mustDoubt(t, "")
	})
}

// TestSilentCounter: the room waits for nothing, publication waits for a while, and
// then goes on in doubt; the counter's word ends the waiting, not the doubt.
func TestSilentCounter(t *testing.T) {
	c := newCounted(t)
	c.say(t)
	c.device.set(func(d *device) { d.silent = errNoAnswer })
	c.restart(t)
	said := len(c.said)
	n := c.land.notice(record.NewStopCode())
	author(t, c.hub, n)
	if err := c.SignAll(t.Context()); !errors.Is(err, errNoAnswer) || len(c.said) != said {
		t.Errorf("published %d records (%v)", len(c.said)-said, err)
	}
	if s := standing(t, c.hub, n.Mandate); s.Notices != 1 {
		t.Errorf("the mandate stands as %+v here", s)
	}
	c.HavePatience(time.Hour)
	signAll(t, c.hub)
	c.mustDoubt(t, "silent")
	if len(c.said) != said+1 {
		t.Errorf("%d records were published, want the one that waited", len(c.said)-said)
	}
	c.device.set(func(d *device) { d.silent = nil })
	c.say(t)
	c.mustDoubt(t, "silent")
	c.dispelled(t)
	c.restart(t)
	signAll(t, c.hub)
	c.mustDoubt(t, "")
	c.mustSayOnce(t)
}

// TestCounterFails: one that answered before and now does not delays publication
// for a few seconds only.
func TestCounterFails(t *testing.T) {
	c := newCounted(t)
	c.say(t)
	c.device.set(func(d *device) { d.silent = errNoAnswer })
	author(t, c.hub, c.land.notice(record.NewStopCode()))
	if err := c.SignAll(t.Context()); !errors.Is(err, errNoAnswer) {
		t.Errorf("at first: %v", err)
	}
	c.HavePatience(time.Minute)
	signAll(t, c.hub)
	if len(c.said) != 2 {
		t.Errorf("%d records were published, want 2", len(c.said))
	}
	c.device.set(func(d *device) { d.silent = nil })
	signAll(t, c.hub)
	c.restart(t)
	signAll(t, c.hub)
	c.mustDoubt(t, "")
}

// TestHangingCounter: nobody waits for it, not even the end.
func TestHangingCounter(t *testing.T) {
	t.Parallel()
	c := newCounted(t)
	c.device.hang = make(chan struct{})
	t.Cleanup(func() { close(c.device.hang) })
	stop := run(t, c.hub)
	author(t, c.hub, c.land.notice(record.NewStopCode()))
	time.Sleep(20 * time.Millisecond)
	author(t, c.hub, c.land.notice(record.NewStopCode())) // the room goes on
	stop()
	if len(c.said) != 0 {
		t.Errorf("%d records were published", len(c.said))
	}
}

// TestCounterWear: under fifty values a day, whatever happens; what is published
// beyond is vouched for as soon as the counter may count.
func TestCounterWear(t *testing.T) {
	t.Parallel()
	c := newCounted(t)
	for range 60 { // what a quiet day saves up
		c.say(t)
	}
	c.device.raised = 0
	const days, publications = 3, 96
	for range days * publications {
		c.land.clock.Advance(24 * time.Hour / publications)
		c.say(t)
	}
	if perDay := float64(c.device.raised) / days; perDay > 50 {
		t.Errorf("%.1f values a day", perDay)
	} else {
		t.Logf("%.1f values a day for %d publications", perDay, publications)
	}
	t.Run("a quiet day", func(t *testing.T) {
		c.land.clock.Advance(24 * time.Hour)
		before := c.device.raised
		for range 30 {
			c.land.clock.Advance(time.Minute)
			c.say(t)
		}
		if n := c.device.raised - before; n != 30 {
			t.Errorf("%d values for 30 publications", n)
		}
	})
	t.Run("late", func(t *testing.T) {
		for range 30 {
			c.say(t)
		}
		unseen := c.copyOf(t)
		c.say(t)
		before := c.device.raised
		signAll(t, c.hub) // nothing to publish, and nothing may be counted yet
		if c.device.raised != before {
			t.Error("it counted beyond its bound")
		}
		c.land.clock.Advance(30 * time.Minute)
		signAll(t, c.hub)
		if c.device.raised != before+1 {
			t.Errorf("%d values after half an hour, want 1", c.device.raised-before)
		}
		c.restore(t, unseen)
		signAll(t, c.hub)
		c.mustDoubt(t, "rollback")
	})
	t.Run("idle", func(t *testing.T) {
		c := newCounted(t)
		c.say(t)
		before := c.device.raised
		for range 48 {
			c.land.clock.Advance(30 * time.Minute)
			signAll(t, c.hub)
		}
		if n := c.device.raised - before; n != 0 {
			t.Errorf("%d values while nothing happened", n)
		}
	})
}

// TestMovedAlone: where nobody else is in the territory yet, a folder that was moved is
// said for what it likely is, until the next mandate.
func TestMovedAlone(t *testing.T) {
	l := newLand(t)
	c := &counted{hub: l.newHub(t, "Valbrume"), land: l, device: newDevice(l), said: map[record.Place]record.Hash{}}
	l.enrol(t)
	c.Options.Counter = c.device
	c.restart(t)
	signAll(t, c.hub)
	c.say(t)
	c.device.set(func(d *device) { d.moves = true; d.move() })
	c.restart(t)
	signAll(t, c.hub)
	c.mustDoubt(t, "moved")
	if said := message(t, c.hub, "restored"); !strings.Contains(said, "changé de propriétaire") || strings.Contains(said, "tous aient répondu") {
		t.Errorf("%q", said)
	}
	c.say(t)
	signAll(t, c.hub)
	if said := message(t, c.hub, "restored"); said != "" {
		t.Errorf("after the next mandate: %q", said)
	}
}
