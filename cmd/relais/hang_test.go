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

// pages asks for pages, of the desk and of the kiosk, one after the other for a
// while, and returns how long the ninety-ninth of a hundred took.
func (h *deviceHub) pages(t *testing.T, during time.Duration) (p99 time.Duration) {
	t.Helper()
	var took []time.Duration
	for begun := time.Now(); time.Since(begun) < during || len(took) < 100; {
		for _, v := range []struct {
			door *visitor
			path string
		}{{h.desk, "/bureau"}, {h.desk, "/bureau/territoire"}, {h.kiosk, "/"}} {
			asked := time.Now()
			p, err := v.door.get(t.Context(), v.path)
			if err != nil || p.status != http.StatusOK {
				t.Fatalf("%s: %v, %+v", v.path, err, p)
			}
			took = append(took, time.Since(asked))
		}
	}
	slices.Sort(took)
	if slowest := took[len(took)-1]; slowest > pagePatience {
		t.Errorf("a page took %v", slowest)
	}
	return took[len(took)*99/100]
}

// TestTPMHangs: the TPM stops answering in the middle of a day, before it answers a
// request to sign. No page waits for it, a mandate is stopped and another is drawn up,
// and what was not signed is as soon as it answers. None is lost.
func TestTPMHangs(t *testing.T) {
	t.Parallel()
	h := newDeviceHub(t)
	h.start(t)
	if err := h.signIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	code := h.drawnUp(t)
	h.idle(t)
	usual := h.pages(t, 0)
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
	h.drawnUp(t)
	hung := h.pages(t, *hang-time.Since(begun))
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
