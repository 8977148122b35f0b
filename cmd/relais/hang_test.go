package main

import (
	"flag"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"relais/node"
)

// hang is how long TestTPMHangs leaves the TPM silent.
var hang = flag.Duration("hang", 2*time.Second, "how long a TPM hangs")

// pagePatience is how long a page may take while the TPM says nothing. A page that
// waited for it would take as long as the TPM does not answer.
const pagePatience = 5 * time.Second

// drawnUp draws a mandate up by the pages, and returns the code that stops it.
func (h *deviceHub) drawnUp(t *testing.T) (stopCode string) {
	t.Helper()
	_, code, err := h.create(t.Context(), oneLine)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// A reader asks a hub for its next page, and returns how long it took.
type reader func() time.Duration

// reader asks for pages of the desk and of the kiosk in turn.
func (h *deviceHub) reader(t *testing.T) reader {
	t.Helper()
	next, pages := 0, []struct {
		door *visitor
		path string
	}{{h.desk, "/bureau"}, {h.desk, "/bureau/territoire"}, {h.kiosk, "/"}}
	return func() time.Duration {
		v := pages[next%len(pages)]
		next++
		asked := time.Now()
		p, err := v.door.get(t.Context(), v.path)
		took := time.Since(asked)
		if err != nil || p.status != http.StatusOK {
			t.Fatalf("%s: %v, %+v", v.path, err, p)
		}
		if took > pagePatience {
			t.Errorf("%s took %v", v.path, took)
		}
		return took
	}
}

// unmoved tells whether pages are as fast as usual: an answer that comes of the TPM is
// later by more than this, and what the machine does beside a test is not.
func unmoved(p99, usual time.Duration) bool { return p99 <= 2*usual+5*time.Millisecond }

// fewPages is how many pages alongside asks of each hub before it compares.
const fewPages = 300

// alongside reads pages of two hubs in turn, so that what else the machine does falls
// on both, and returns how long the ninety-ninth of a hundred took of each: for that
// while, and while p99 is moved from the usual one, that many pages at most. Nothing slow
// is forgotten, only outnumbered where it was an accident.
func alongside(during time.Duration, most int, hub, other reader) (p99, usual time.Duration) {
	var its, others []time.Duration
	for begun := time.Now(); ; {
		for range fewPages {
			its, others = append(its, hub()), append(others, other())
		}
		p99, usual = percentile99(its), percentile99(others)
		if time.Since(begun) >= during && (unmoved(p99, usual) || len(its) >= most) {
			return p99, usual
		}
	}
}

func percentile99(took []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(took))
	return sorted[(99*len(sorted)-1)/100]
}

// TestTPMHangs: the TPM stops answering in the middle of a day, before it answers a
// request to sign. No page waits for it: they are as fast as those of another hub at
// the same moment. A mandate is stopped and another is drawn up, and what was not signed
// is as soon as it answers. None is lost.
func TestTPMHangs(t *testing.T) {
	t.Parallel()
	h, other := newDeviceHub(t), newDeviceHub(t)
	var code string
	for _, each := range []*deviceHub{other, h} {
		each.start(t)
		if err := each.signIn(t.Context()); err != nil {
			t.Fatal(err)
		}
		code = each.drawnUp(t)
		each.idle(t)
	}
	before := h.published(t)

	h.bus.holds.Lock()
	release := sync.OnceFunc(h.bus.holds.Unlock)
	defer release()
	begun := time.Now()
	if _, err := h.stopAtKiosk(t.Context(), code); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > pagePatience {
		t.Errorf("she held her receipt after %v", took)
	}
	begunDrawing := time.Now()
	h.drawnUp(t)
	if took := time.Since(begunDrawing); took > 2*pagePatience { // ten pages and forms
		t.Errorf("a mandate was drawn up in %v", took)
	}
	hung, usual := alongside(*hang-time.Since(begun), 10*fewPages, h.reader(t), other.reader(t))
	if !unmoved(hung, usual) {
		t.Errorf("page p99 %v while the TPM hangs, %v on a hub whose TPM does not", hung, usual)
	}
	if h.waiting(t) == 0 || h.published(t) != before {
		t.Error("something was signed by a TPM that hangs")
	}
	t.Logf("page p99 %v while it hangs for %v, %v usually", hung, time.Since(begun), usual)

	waiting := h.waiting(t)
	release()
	h.untilSigned(t, 90*time.Second) // a wait that grew while it hung, and the pause after it
	if got := h.published(t); got != before+waiting {
		t.Errorf("%d records are published, want %d and the %d that waited", got, before, waiting)
	}
	h.stop()
	if report, err := node.VerifyFolder(t.Context(), h.stageHub.config.Hub.DataDir); err != nil || !report.OK {
		t.Errorf("the journal: %+v, %v", report, err)
	}
}

// The twin: one page in fifty that waits for a signature, of a TPM that takes
// half a second for it, is found.
func TestPageThatWaitsForTheTPM(t *testing.T) {
	t.Parallel()
	h := newDeviceHub(t)
	h.start(t)
	if err := h.signIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.idle(t)
	page, n := h.reader(t), 0
	waiting := func() time.Duration {
		if n++; n%50 != 0 {
			return page()
		}
		asked := time.Now()
		h.bus.holds.Lock()
		time.AfterFunc(500*time.Millisecond, h.bus.holds.Unlock)
		if _, err := h.keys.Identity().Sign(nil, make([]byte, 32), nil); err != nil {
			t.Error(err)
		}
		page()
		return time.Since(asked)
	}
	if p99, usual := alongside(0, fewPages, waiting, h.reader(t)); unmoved(p99, usual) {
		t.Errorf("page p99 %v where one page in fifty waits for the TPM, %v where none does", p99, usual)
	}
}

// published is how many records of its own the hub has told the others.
func (h *deviceHub) published(t *testing.T) (n int) {
	t.Helper()
	v, err := h.node.Vector(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, log := range v.Entries {
		n += int(log.Seq)
	}
	return n
}

func (h *deviceHub) waiting(t *testing.T) int {
	t.Helper()
	v, err := h.node.Territory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v.Waiting
}

func (h *deviceHub) untilSigned(t *testing.T, patience time.Duration) {
	t.Helper()
	for deadline := time.Now().Add(patience); h.waiting(t) > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d records wait after %v", h.waiting(t), patience)
		}
	}
}

// TestHungTPMIsSaid: after five minutes a screen says that the machine's key does not
// answer, and no more once it does. The twin is in it: nothing is said before.
func TestHungTPMIsSaid(t *testing.T) {
	l := newSavedLand(t)
	machine := startTPM(t)
	h := l.newHub(t, "Valbrume", machine)
	l.newHub(t, "Port-Exemple", nil)
	l.enrol(t)
	m := h.mustGrant(t)
	machine.Hang()
	defer machine.Resume()
	by, err := h.Actor(t.Context(), h.helper.Helper)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.StopAtDesk(t.Context(), by, node.DeskStop{Mandate: m, Reason: 1}); err != nil {
		t.Fatal(err)
	}
	l.pass(4 * time.Minute)
	if said := h.alarm(t, "unsigned"); said != "" {
		t.Errorf("after four minutes: %s", said)
	}
	l.pass(2 * time.Minute)
	h.mustAlarm(t, "unsigned", "la clé de la machine ne répond pas", "service informatique")
	machine.Resume()
	h.published(t)
	if said := h.alarm(t, "unsigned"); said != "" {
		t.Errorf("once it answers: %s", said)
	}
}
