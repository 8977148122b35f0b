package node_test

import (
	"errors"
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"relais/node/record"
)

// crashes is how often TestCrashesCastNoDoubt cuts the power.
var crashes = flag.Int("crashes", 40, "power cuts in the test of the counter")

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
