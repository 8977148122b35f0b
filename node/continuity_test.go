package node_test

import (
	"errors"
	"flag"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"relais/node"
	"relais/node/fault"
	"relais/node/journal"
	"relais/node/record"
	"relais/node/territory"
)

// crashes is how often TestCrashesCastNoDoubt cuts the power.
var crashes = flag.Int("crashes", 40, "power cuts in the test of the counter")

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

// TestCrashesCastNoDoubt cuts the power before, within and after each step of
// intent, increment and mark, and puts old copies of the folder back now and then.
// No cut casts a doubt; each copy that lacks something published does; and by a
// TPM's counter no place is ever given to two records, however often the folder
// goes back.
func TestCrashesCastNoDoubt(t *testing.T) {
	for name, moves := range map[string]bool{"TPM": false, "file": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seed := uint64(time.Now().UnixNano())
			s := &story{counted: newCounted(t), draw: rand.New(rand.NewPCG(seed, 0))}
			s.device.set(func(d *device) { d.moves = moves })
			for range *crashes {
				s.live(t)
				if s.draw.IntN(6) == 0 {
					s.goBack(t)
				} else {
					s.crash(t)
				}
				if !moves { // a file's copies are kept apart by chance, and these are many
					s.mustSayOnce(t)
				}
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
			t.Logf("%d power cuts, %d copies put back, %d of which lacked something; %d increments, %d records said",
				s.cuts, s.backs, s.lacking, s.device.raised, len(s.said))
		})
	}
}

// story is the life of a machine that fares badly.
type story struct {
	*counted
	draw   *rand.Rand
	copies []backup

	cuts, backs, lacking int
}

// backup is a copy of the folder, and where a counter in it would stand.
type backup struct {
	folder string
	value  uint64
}

// live writes and publishes a little, with a counter that fails now and then.
func (s *story) live(t *testing.T) {
	t.Helper()
	for range s.draw.IntN(4) {
		s.land.clock.Advance(40 * time.Minute) // what it may count for its wear is another test's
		if s.draw.IntN(3) > 0 {
			author(t, s.hub, s.land.notice(record.NewStopCode()))
		}
		switch s.draw.IntN(5) {
		case 0:
			s.device.set(func(d *device) { d.lose = true })
		case 1:
			s.device.set(func(d *device) { d.unsaid = true })
		case 2:
			continue // nothing is published before the cut
		}
		if err := s.SignAll(t.Context()); err != nil && !errors.Is(err, errNoAnswer) {
			t.Fatal(err)
		}
		if s.draw.IntN(3) == 0 {
			s.copies = append(s.copies, backup{s.copyOf(t), s.device.count.Value})
		}
	}
}

// crash goes on with what is on the disk at this moment.
func (s *story) crash(t *testing.T) {
	t.Helper()
	before := s.doubt(t)
	s.restore(t, s.copyOf(t))
	s.device.set(func(d *device) { d.lose, d.unsaid = false, false })
	if err := s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.cuts++
	s.mustDoubt(t, before)
}

// goBack puts an old copy back. Where the counter is a file, it comes back too,
// and stands elsewhere.
func (s *story) goBack(t *testing.T) {
	t.Helper()
	if len(s.copies) == 0 {
		return
	}
	i := s.draw.IntN(len(s.copies))
	old := s.copies[i]
	s.land.clock.Advance(time.Hour)
	s.device.set(func(d *device) {
		if d.lose, d.unsaid = false, false; d.moves {
			d.count.Value = old.value
			d.move()
		}
	})
	s.restore(t, old.folder)
	lacking := s.lacks(t)
	if err := s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.backs++
	if lacking == 0 { // either answer is right, and the copies made since are of another life
		s.copies = s.copies[:i+1]
		return
	}
	s.lacking++
	if s.doubt(t) == "" {
		t.Errorf("a copy that lacks %d records passed for the newest", lacking)
	}
}

// lacks counts the records that were said and that the folder does not hold, not
// even unsigned: those would be said again as they are.
func (s *story) lacks(t *testing.T) (lacking int) {
	t.Helper()
	for place, hash := range s.said {
		held, err := s.Holds(t.Context(), place, hash)
		if err != nil {
			t.Fatal(err)
		}
		if !held {
			lacking++
		}
	}
	return lacking
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
