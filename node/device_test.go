package node_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"relais/node"
	"relais/node/record"
	"relais/node/territory"
)

// device is a counter as a machine keeps it: no copy of the folder holds it. It
// fails as told.
type device struct {
	now func() time.Time

	mu     sync.Mutex
	count  node.Count
	gone   bool  // somebody removed it
	full   bool  // none can be made
	silent error // every answer
	moves  bool  // each value has another place, as a file's
	lose   bool  // the next increment is not made, and not answered
	unsaid bool  // the next increment is made, and not answered
	raised int   // increments made
	hang   chan struct{}
}

func newDevice(l *land) *device { return &device{now: l.clock.Now, gone: true} }

var errNoAnswer = errors.New("no answer")

func (d *device) answer() (node.Count, error) {
	switch {
	case d.silent != nil:
		return node.Count{}, d.silent
	case d.gone:
		return node.Count{}, fmt.Errorf("%w: removed", node.ErrNoCounter)
	}
	return d.count, nil
}

func (d *device) wait() {
	if d.hang != nil {
		<-d.hang
	}
}

func (d *device) Count() (node.Count, error) {
	d.wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.answer()
}

func (d *device) Raise(to uint64) (node.Count, error) {
	d.wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lose {
		d.lose = false
		return node.Count{}, errNoAnswer
	}
	if c, err := d.answer(); err != nil || c.Value+1 != to {
		return c, err
	}
	d.count.Value = to
	d.raised++
	if d.moves {
		d.move()
	}
	if d.unsaid {
		d.unsaid = false
		return node.Count{}, errNoAnswer
	}
	return d.count, nil
}

func (d *device) Renew() (node.Count, error) {
	d.wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.silent != nil {
		return node.Count{}, d.silent
	}
	if d.full {
		return node.Count{}, fmt.Errorf("%w: full", node.ErrNoCounter)
	}
	d.gone = false
	d.count.Value += 7
	d.move()
	if !d.moves {
		d.count.At = time.Time{}
	}
	return d.count, nil
}

func (d *device) move() {
	d.count.Place = make([]byte, 8)
	rand.Read(d.count.Place)
	d.count.At = d.now()
}

func (d *device) set(change func(*device)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(d)
}

// counted is a hub with a counter, beside two without, and everything it ever
// said to them.
type counted struct {
	*hub
	land   *land
	device *device
	said   map[record.Place]record.Hash // by whatever state of the folder
	twice  []record.Place               // said in two ways
}

func newCounted(t testing.TB) *counted {
	t.Helper()
	l := newLand(t)
	c := &counted{hub: l.newHub(t, "Valbrume"), land: l, device: newDevice(l), said: map[record.Place]record.Hash{}}
	l.newHub(t, "Port-Exemple")
	l.newHub(t, "Le bus")
	l.enrol(t)
	c.Options.Counter = c.device
	c.restart(t)
	signAll(t, c.hub)
	return c
}

func (c *counted) peer() *hub { return c.land.hubs[1] }
func (c *counted) bus() *hub  { return c.land.hubs[2] }

// restart closes the hub and opens it again, without asking the counter yet.
func (c *counted) restart(t testing.TB) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c.start(t)
}

func (c *counted) start(t testing.TB) {
	t.Helper()
	c.open(t)
	c.OnRecord(func(wire []byte, from territory.HubID) {
		if !from.IsZero() {
			return
		}
		e, err := record.Parse(wire)
		if err != nil {
			t.Error(err)
			return
		}
		if known, met := c.said[e.Place]; met && known != e.Hash {
			c.twice = append(c.twice, e.Place)
		}
		c.said[e.Place] = e.Hash
	})
}

// say writes a notice down and publishes it.
func (c *counted) say(t testing.TB) record.Place {
	t.Helper()
	p := author(t, c.hub, c.land.notice(record.NewStopCode()))
	signAll(t, c.hub)
	return p
}

// copyOf copies the folder as it is on the disk, while the hub runs or not: what a
// backup holds, and what a power cut leaves. The writer may be moving the log into the
// database and cutting it short, after its callers have their answer: halves of two
// moments are no state of a disk, so both files are read until two looks agree.
func (c *counted) copyOf(t testing.TB) string {
	t.Helper()
	held := c.files(t)
	for again := c.files(t); !maps.EqualFunc(held, again, bytes.Equal); again = c.files(t) {
		held = again
	}
	to := t.TempDir()
	for name, data := range held {
		if err := os.WriteFile(filepath.Join(to, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// files reads the database and its log.
func (c *counted) files(t testing.TB) map[string][]byte {
	t.Helper()
	held := map[string][]byte{}
	for _, name := range []string{"relais.db-wal", "relais.db"} {
		data, err := os.ReadFile(filepath.Join(c.Options.Dir, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if err == nil {
			held[name] = data
		}
	}
	return held
}

// restore goes on with a copy of the folder, itself left as it is.
func (c *counted) restore(t testing.TB, folder string) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	used := t.TempDir()
	if err := os.CopyFS(used, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	c.Options.Dir = used
	c.start(t)
}

func (c *counted) doubt(t testing.TB) string {
	t.Helper()
	why, err := c.Doubt(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return why
}

func (c *counted) mustDoubt(t testing.TB, want string) {
	t.Helper()
	if why := c.doubt(t); why != want {
		t.Errorf("it doubts its folder because %q, want %q", why, want)
	}
}

// mustSayOnce fails if one place was ever given to two records.
func (c *counted) mustSayOnce(t testing.TB) {
	t.Helper()
	if len(c.twice) > 0 {
		t.Errorf("said in two ways: %+v", c.twice)
	}
}

// message is the text of an alarm; "" when it is not raised.
func message(t testing.TB, h *hub, key string) string {
	t.Helper()
	v, err := h.Territory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, a := range v.Alarms {
		if a.Key == key {
			said = append(said, a.Message)
		}
	}
	return strings.Join(said, "\n")
}
