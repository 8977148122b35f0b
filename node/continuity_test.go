package node_test

import (
	"strings"
	"testing"
	"time"

	"relais/node"
	"relais/node/fault"
	"relais/node/journal"
	"relais/node/record"
	"relais/node/territory"
)

// TestFolderOfYesterday: a folder that lacks what was published is recognised at
// its start. It leaves its old log alone, refuses grants until one other hub told
// it what it knows, and learns again the stop that it had forgotten.
func TestFolderOfYesterday(t *testing.T) {
	c := newCounted(t)
	n := c.land.notice(record.NewStopCode())
	author(t, c.hub, n)
	signAll(t, c.hub)
	meet(t, c.hub, c.peer())
	yesterday := c.copyOf(t)
	c.land.clock.Advance(24 * time.Hour)
	stop := author(t, c.hub, c.land.stop(n.Mandate, 0))
	signAll(t, c.hub)
	meet(t, c.hub, c.peer())

	c.restore(t, yesterday)
	c.land.clock.Advance(time.Minute)
	if err := c.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.mustDoubt(t, "rollback")
	if n, err := c.JournalCount(t.Context(), journal.KindHubDoubt); err != nil || n != 1 {
		t.Errorf("%d entries say so (%v)", n, err)
	}
	if err := c.GrantsDoubtful(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("grants: %v", err)
	}
	if said := message(t, c.hub, "restored"); !strings.Contains(said, "sauvegarde") || !strings.Contains(said, "service informatique") {
		t.Errorf("the alarm says %q", said)
	}
	if p := c.say(t); p.Incarnation == stop.Incarnation || p.Seq != 1 {
		t.Errorf("wrote at %+v", p)
	}
	again := author(t, c.hub, c.land.stop(n.Mandate, 1))
	signAll(t, c.hub)
	if again.Seq != 2 {
		t.Errorf("then wrote at %+v", again)
	}
	c.mustSayOnce(t)
	if s := standing(t, c.hub, n.Mandate); s.All {
		t.Fatal("the copy knows the stop: it shows nothing")
	}

	t.Run("kept over a restart", func(t *testing.T) {
		c.restart(t)
		signAll(t, c.hub)
		c.mustDoubt(t, "rollback")
		if p := c.say(t); p.Seq != 3 {
			t.Errorf("a third log at %+v", p)
		}
	})

	t.Run("one other answers", func(t *testing.T) {
		meet(t, c.hub, c.peer())
		c.PeerCompared(c.peer().Self(), c.land.clock.Now())
		if err := c.GrantsDoubtful(t.Context()); err != nil {
			t.Errorf("grants: %v", err)
		}
		if s := standing(t, c.hub, n.Mandate); !s.All {
			t.Error("the stop was not learnt again")
		}
		if said := message(t, c.hub, "restored"); !strings.Contains(said, "jusqu’à ce que tous aient répondu") {
			t.Errorf("the alarm says %q", said)
		}
	})
	t.Run("all answered", func(t *testing.T) {
		c.PeerCompared(c.bus().Self(), c.land.clock.Now())
		signAll(t, c.hub)
		c.mustDoubt(t, "")
		if alarmed(t, c.hub, "restored") || alarmed(t, c.hub, "forked") {
			t.Error("an alarm stays")
		}
	})
}

// The twin: without the counter the same folder says two things at one place.
func TestFolderOfYesterdayWithoutCounter(t *testing.T) {
	c := newCounted(t)
	c.Options.Counter = nil
	c.restart(t)
	c.say(t)
	yesterday := c.copyOf(t)
	c.say(t)
	meet(t, c.hub, c.peer())
	c.restore(t, yesterday)
	c.say(t)
	if len(c.twice) == 0 {
		t.Fatal("the test before shows nothing")
	}
	c.mustDoubt(t, "")
	meet(t, c.hub, c.peer())
	if said := message(t, c.peer(), "forked"); !strings.Contains(said, "Valbrume") {
		t.Errorf("the fork is not named: %q", said)
	}
}

// TestCopyOfTheSameRun: a copy made while the hub runs is as stale, once something
// more was published, as one of yesterday; so is one made before a stop in good
// order, whatever happened since.
func TestCopyOfTheSameRun(t *testing.T) {
	t.Run("published since", func(t *testing.T) {
		c := newCounted(t)
		c.say(t)
		copied := c.copyOf(t)
		c.land.clock.Advance(time.Second)
		c.say(t)
		c.restore(t, copied)
		signAll(t, c.hub)
		c.mustDoubt(t, "rollback")
	})
	t.Run("stopped since", func(t *testing.T) {
		c := newCounted(t)
		c.say(t)
		copied := c.copyOf(t)
		stop := run(t, c.hub)
		if err := c.Note(t.Context(), node.JournalEntry{Kind: journal.KindMandateView, Actor: "machine"}); err != nil {
			t.Fatal(err)
		}
		stop()
		c.restore(t, copied)
		signAll(t, c.hub)
		c.mustDoubt(t, "rollback")
	})
	t.Run("nothing since", func(t *testing.T) {
		c := newCounted(t)
		c.say(t)
		copied := c.copyOf(t)
		run(t, c.hub)()
		c.restore(t, copied)
		signAll(t, c.hub)
		c.mustDoubt(t, "")
	})
}

// TestUnpluggedEveryEvening: a machine that never stops in good order keeps its one
// log.
func TestUnpluggedEveryEvening(t *testing.T) {
	t.Parallel()
	c := newCounted(t)
	for range 30 {
		c.land.clock.Advance(24 * time.Hour)
		c.say(t)
		author(t, c.hub, c.land.notice(record.NewStopCode())) // and one that was not published yet
		c.restore(t, c.copyOf(t))
		signAll(t, c.hub)
	}
	if p := c.say(t); p.Incarnation != 1 || p.Seq != 61 {
		t.Errorf("after a month it writes at %+v", p)
	}
	c.mustDoubt(t, "")
}

// TestWrittenBeforeTheVerdict: the room does not wait for the counter. What was
// written before it answered is moved, whole, to the log that the doubt opens.
func TestWrittenBeforeTheVerdict(t *testing.T) {
	c := newCounted(t)
	c.say(t)
	yesterday := c.copyOf(t)
	c.say(t)
	c.restore(t, yesterday)
	n, m := c.land.notice(record.NewStopCode()), c.land.notice(record.NewStopCode())
	if p := author(t, c.hub, n); p.Incarnation != 1 || p.Seq != 2 {
		t.Fatalf("wrote at %+v", p)
	}
	author(t, c.hub, m)
	author(t, c.hub, c.land.stop(n.Mandate, 0))
	signAll(t, c.hub)
	c.mustSayOnce(t)
	if len(c.said) != 5 {
		t.Errorf("%d records were said, want 2 before and 3 now", len(c.said))
	}
	meet(t, c.hub, c.peer())
	for _, h := range []*hub{c.hub, c.peer()} {
		if s := standing(t, h, n.Mandate); s.Notices != 1 || !s.All {
			t.Errorf("%s: the mandate stands as %+v", h.site, s)
		}
		if s := standing(t, h, m.Mandate); s.Notices != 1 || s.All {
			t.Errorf("%s: the other stands as %+v", h.site, s)
		}
	}
	if n, err := c.JournalCount(t.Context(), journal.KindRecordReissue); err != nil || n != 3 {
		t.Errorf("%d entries say that they were moved (%v)", n, err)
	}
}

// TestUnsignedInTheCopy: what the copy held unsigned was signed since, elsewhere.
// Said again where it stands, it is the same record.
func TestUnsignedInTheCopy(t *testing.T) {
	c := newCounted(t)
	n := c.land.notice(record.NewStopCode())
	author(t, c.hub, n)
	copied := c.copyOf(t)
	signAll(t, c.hub)
	meet(t, c.hub, c.peer())
	c.land.clock.Advance(time.Minute)
	c.say(t)
	c.restore(t, copied)
	signAll(t, c.hub)
	c.mustDoubt(t, "rollback")
	meet(t, c.hub, c.peer())
	c.mustSayOnce(t)
	if s := standing(t, c.peer(), n.Mandate); s.Notices != 1 || s.Conflict() {
		t.Errorf("the mandate stands as %+v", s)
	}
}

// dispelled has all others answer.
func (c *counted) dispelled(t testing.TB) {
	t.Helper()
	c.land.clock.Advance(time.Second)
	for _, h := range c.land.hubs[1:] {
		meet(t, c.hub, h)
		c.PeerCompared(h.Self(), c.land.clock.Now())
	}
	signAll(t, c.hub)
	c.mustDoubt(t, "")
}

// TestJournalAlone: what is in the journal alone is vouched for within the hour.
func TestJournalAlone(t *testing.T) {
	c := newCounted(t)
	c.say(t)
	copied := c.copyOf(t)
	if err := c.Note(t.Context(), node.JournalEntry{Kind: journal.KindMandateView, Actor: "machine"}); err != nil {
		t.Fatal(err)
	}
	before := c.device.raised
	signAll(t, c.hub)
	if c.device.raised != before {
		t.Error("it counted at once")
	}
	c.land.clock.Advance(time.Hour)
	signAll(t, c.hub)
	if c.device.raised != before+1 {
		t.Errorf("%d values within the hour, want 1", c.device.raised-before)
	}
	c.restore(t, copied)
	signAll(t, c.hub)
	c.mustDoubt(t, "rollback")
}

// TestFolderOfItsBirth: a copy made before the hub ever ran, whole or the database
// alone, is known as one.
func TestFolderOfItsBirth(t *testing.T) {
	l := newLand(t)
	d := newDevice(l)
	h := l.newHub(t, "Valbrume", func(o *node.Options) { o.Counter = d })
	l.enrol(t)
	c := &counted{hub: h, land: l, device: d, said: map[record.Place]record.Hash{}}
	c.restart(t)
	born := c.copyOf(t)
	signAll(t, c.hub)
	c.mustDoubt(t, "")
	c.say(t)
	c.restore(t, born)
	signAll(t, c.hub)
	c.mustDoubt(t, "rollback")
	c.say(t)
	c.mustSayOnce(t)
}

// TestSoloHub: with nobody to ask, grants go on at once, in another log.
func TestSoloHub(t *testing.T) {
	l := newLand(t)
	c := &counted{hub: l.newHub(t, "Valbrume"), land: l, device: newDevice(l), said: map[record.Place]record.Hash{}}
	l.enrol(t)
	c.Options.Counter = c.device
	c.restart(t)
	c.say(t)
	yesterday := c.copyOf(t)
	c.say(t)
	c.restore(t, yesterday)
	signAll(t, c.hub)
	c.mustDoubt(t, "rollback")
	if err := c.GrantsDoubtful(t.Context()); err != nil {
		t.Errorf("grants: %v", err)
	}
	if p := c.say(t); p.Incarnation == 1 {
		t.Errorf("wrote at %+v", p)
	}
	signAll(t, c.hub)
	c.mustDoubt(t, "")
	c.mustSayOnce(t)
}

// TestRecoveredIdentity: the new identity begins without doubt, whatever the lost
// machine's counter said.
func TestRecoveredIdentity(t *testing.T) {
	c := newCounted(t)
	c.say(t)
	author(t, c.hub, c.land.notice(record.NewStopCode()))
	signed, before := c.Keys(), record.LogID{Hub: c.Self(), Incarnation: 1}
	head, err := c.LogState(t.Context(), before)
	if err != nil {
		t.Fatal(err)
	}
	lose(t, c.hub)
	c.device.set(func(d *device) { d.gone = true })
	if a := adopt(t, c.hub); !a.Done || a.Waiting != 1 {
		t.Fatalf("%+v", a)
	}
	c.start(t)
	c.land.enrol(t, func(r *territory.Roster) {
		replaced(r, signed, []territory.Cut{{Incarnation: 1, Seq: head.Head, Hash: head.Hash[:]}})
	})
	signAll(t, c.hub)
	c.mustDoubt(t, "")
	if state, err := c.LogState(t.Context(), record.LogID{Hub: c.Self(), Incarnation: 1}); err != nil || state.Head != 1 {
		t.Errorf("what waited is not said again: %+v (%v)", state, err)
	}
}

var _ node.Counter = (*device)(nil)
