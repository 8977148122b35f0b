package gossip_test

import (
	"flag"
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"relais/node/territory"
	"relais/sync/link"
	"relais/sync/link/linktest"
	"relais/sync/link/relay"
)

// manyHubs is a territory as large as these tests go: it costs their number's square.
var manyHubs = flag.Int("hubs", 10, "hubs of a large territory")

func TestManyHubs(t *testing.T) {
	t.Parallel()
	w := newWorld()
	var hubs []*hub
	for range *manyHubs {
		hubs = append(hubs, w.add(t, linktest.Options{}, nil))
	}
	run(t, hubs...)
	together(t, hubs...)
	for i, h := range hubs[:5] {
		everywhere(t, h.mem.write(fmt.Sprint("record ", i)), hubs...)
	}
	linktest.Eventually(t, 10*time.Second, "signs of life of the others", func() bool {
		hubs[7].mem.mu.Lock()
		defer hubs[7].mem.mu.Unlock()
		return len(hubs[7].mem.heard) > 0 && len(hubs[7].mem.compared) > 0
	})
}

func TestMoreHubsThanSessions(t *testing.T) { // nobody keeps a session with everybody
	t.Parallel()
	w := newWorld()
	var hubs []*hub
	for range *manyHubs {
		h := w.add(t, linktest.Options{}, nil)
		h.pool.KeepSessions(*manyHubs / 2)
		hubs = append(hubs, h)
	}
	run(t, hubs...)
	together(t, hubs...)
	everywhere(t, hubs[len(hubs)-1].mem.write("far away"), hubs...)
}

func TestTwoHubsBothWays(t *testing.T) {
	t.Parallel()
	w := newWorld()
	a, b := w.add(t, linktest.Options{}, nil), w.add(t, linktest.Options{}, nil)
	run(t, a, b)
	together(t, a, b)
	everywhere(t, a.mem.write("from a"), a, b)
	everywhere(t, b.mem.write("from b"), a, b)
	if n := len(strings.Split(a.pool.Members()[0].String(), "_")); n != 2 {
		t.Errorf("a member's name has %d parts", n)
	}
}

func TestComparesNowAndThen(t *testing.T) { // what no packet told of
	t.Parallel()
	w := newWorld()
	a, b := w.add(t, linktest.Options{}, nil), w.add(t, linktest.Options{}, nil)
	for _, h := range []*hub{a, b} {
		h.pool.CompareEvery(500 * time.Millisecond)
		h.mem.told = func([]byte, territory.HubID) {} // every packet is lost
	}
	run(t, a, b)
	together(t, a, b)
	for i := range 2 { // the first may be found by a comparison of those that meet
		everywhere(t, a.mem.write(fmt.Sprint("silent ", i)), a, b)
		everywhere(t, b.mem.write(fmt.Sprint("silent ", i)), a, b)
	}
}

func TestFreshConnectionCompares(t *testing.T) { // what was written before anybody met
	t.Parallel()
	w := newWorld()
	a, b := w.add(t, linktest.Options{}, nil), w.add(t, linktest.Options{}, nil)
	early, late := a.mem.write("before the start"), b.mem.write("on the other side")
	run(t, a, b)
	everywhere(t, early, a, b)
	everywhere(t, late, a, b)
}

func TestCutBusCatchesUp(t *testing.T) {
	// A line that is cut tells both sides; one that falls silent tells nobody yet.
	t.Run("cut", func(t *testing.T) { cutBusCatchesUp(t, (*relay.Line).Cut, true) })
	t.Run("silence", func(t *testing.T) { cutBusCatchesUp(t, (*relay.Line).Silence, false) })
}

func cutBusCatchesUp(t *testing.T, cut func(*relay.Line), tells bool) {
	t.Parallel()
	w := newWorld()
	line := relay.New()
	t.Cleanup(func() { line.Close() })
	proxy, err := line.Proxy("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	front := func(addr string) string {
		through, err := line.Forward("127.0.0.1:0", addr)
		if err != nil {
			t.Fatal(err)
		}
		return through
	}
	bus := w.add(t, linktest.Options{Proxy: &url.URL{Scheme: "http", Host: proxy}}, front)
	desk, kiosk := w.add(t, linktest.Options{}, nil), w.add(t, linktest.Options{}, nil)
	all := []*hub{bus, desk, kiosk}
	run(t, all...)
	together(t, all...)
	everywhere(t, desk.mem.write("before"), all...)

	cut(line)
	onBus, onDesk := bus.mem.write("on the bus"), kiosk.mem.write("in town")
	everywhere(t, onDesk, desk, kiosk)
	time.Sleep(1500 * time.Millisecond)
	if bus.mem.has(onDesk) || desk.mem.has(onBus) {
		t.Fatal("a record passed the cut")
	}
	if told := desk.mem.knowsLost(bus.link.Self()); told != tells {
		t.Errorf("the desk knows that the bus is out of reach: %t", told)
	}
	line.Restore()
	restored := time.Now()
	everywhere(t, onDesk, all...)
	everywhere(t, onBus, all...)
	t.Logf("both sides caught up %v after the cut", time.Since(restored).Round(time.Millisecond))
}

func TestBurst(t *testing.T) {
	t.Parallel()
	w := newWorld()
	var hubs []*hub
	for range 8 {
		hubs = append(hubs, w.add(t, linktest.Options{}, nil))
	}
	run(t, hubs...)
	together(t, hubs...)
	const records = 400
	for i := range records {
		hubs[0].mem.write(fmt.Sprint("burst ", i))
	}
	began := time.Now()
	linktest.Eventually(t, 20*time.Second, "every hub has the burst", func() bool {
		for _, h := range hubs {
			if h.mem.count() != records {
				return false
			}
		}
		return true
	})
	took := time.Since(began).Round(time.Millisecond)
	w.mu.Lock()
	pulls := w.pulls
	w.mu.Unlock()
	t.Logf("%d records at %d hubs after %v, %d pulls", records, len(hubs), took, pulls)
	if pulls == 0 {
		t.Error("a burst went by broadcast alone")
	}
}

func TestForgedRecordGoesNoFurther(t *testing.T) {
	t.Parallel()
	w := newWorld()
	rude, b, c := w.add(t, linktest.Options{}, nil), w.add(t, linktest.Options{}, nil), w.add(t, linktest.Options{}, nil)
	run(t, rude, b, c)
	together(t, rude, b, c)
	if err := rude.link.Send(b.ID, link.TypeRecord, []byte("no record at all")); err != nil {
		t.Fatal(err)
	}
	good := rude.mem.write("a good one")
	everywhere(t, good, b, c)
	linktest.Eventually(t, 5*time.Second, "b refuses it", func() bool {
		b.mem.mu.Lock()
		defer b.mem.mu.Unlock()
		return b.mem.refused == 1
	})
	c.mem.mu.Lock()
	defer c.mem.mu.Unlock()
	if c.mem.refused != 0 {
		t.Error("a forged record was passed on")
	}
}

func TestRubbishIsHarmless(t *testing.T) {
	t.Parallel()
	w := newWorld()
	rude, b := w.add(t, linktest.Options{}, nil), w.add(t, linktest.Options{}, nil)
	run(t, rude, b)
	together(t, rude, b)
	for _, kind := range []link.Type{link.TypePacket, link.TypeRecord, link.TypeVector, link.TypeBeacon, 99} {
		for _, payload := range [][]byte{nil, {0}, {1}, []byte(strings.Repeat("x", 300)), make([]byte, link.MaxPayload)} {
			rude.link.Send(b.ID, kind, payload)
		}
	}
	everywhere(t, rude.mem.write("after the rubbish"), rude, b)
	everywhere(t, b.mem.write("and back"), rude, b)
}

func TestExpelledHubIsToldNothing(t *testing.T) {
	t.Parallel()
	w := newWorld()
	a, b, gone := w.add(t, linktest.Options{}, nil), w.add(t, linktest.Options{}, nil), w.add(t, linktest.Options{}, nil)
	run(t, a, b, gone)
	together(t, a, b, gone)
	w.terr.Update(gone.ID, func(h *territory.Hub) { h.State = territory.HubExpelled })
	a.link.Refresh()
	b.link.Refresh()
	secret := a.mem.write("after the expulsion")
	everywhere(t, secret, a, b)
	time.Sleep(time.Second)
	if gone.mem.has(secret) {
		t.Error("an expelled hub still learns of records")
	}
}

// TestStopWaitsForNobody: a hub stops at once while it waits for the answer of
// another, which has none.
func TestStopWaitsForNobody(t *testing.T) {
	t.Parallel()
	w := newWorld()
	a, mute := w.add(t, linktest.Options{}, nil), w.add(t, linktest.Options{}, nil)
	linktest.Run(t, mute.link) // and not its pool
	run(t, a)
	linktest.Eventually(t, 20*time.Second, "a asks to join", func() bool { return mute.pool.Unanswered() > 0 })
	a.stop()
	select {
	case <-a.done:
	case <-time.After(20 * time.Second):
		t.Error("it still waits")
	}
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("pool", func(t *testing.T) {
		w := newWorld()
		a, b := w.add(t, linktest.Options{}, nil), w.add(t, linktest.Options{}, nil)
		run(t, a, b)
		together(t, a, b)
		everywhere(t, a.mem.write("x"), a, b)
	})
	linktest.Eventually(t, 10*time.Second, "every goroutine ends", func() bool {
		return runtime.NumGoroutine() <= before
	})
}
