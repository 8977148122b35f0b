package link_test

import (
	"errors"
	"testing"
	"time"

	"relais/sync/link"
	"relais/sync/link/linktest"
)

func TestRests(t *testing.T) {
	rests := link.Rests(80)
	if first := rests[0].For; first < 800*time.Millisecond || first > 1200*time.Millisecond {
		t.Errorf("the first rest is %v", first)
	}
	for _, r := range rests {
		switch {
		case r.At <= 2*time.Minute && r.For > 5*time.Second:
			t.Errorf("%v into a cut the peer rests %v", r.At, r.For)
		case r.At > 2*time.Minute && (r.For < 48*time.Second || r.For > 72*time.Second):
			t.Errorf("%v into the night the peer rests %v", r.At, r.For)
		}
	}
}

func TestErrResting(t *testing.T) {
	terr := linktest.NewTerritory()
	a := start(t, terr, linktest.Options{})
	h := linktest.NewHub(t)
	terr.Admit(t, h, "127.0.0.1:1") // nobody there
	if err := a.link.Connect(t.Context(), h.ID); err == nil || errors.Is(err, link.ErrResting) {
		t.Fatalf("the first call: %v", err)
	}
	if err := a.link.Connect(t.Context(), h.ID); !errors.Is(err, link.ErrResting) {
		t.Errorf("the second call: %v", err)
	}
	// The peer calls by itself: the rest is over.
	b := open(t, terr, h, linktest.Options{})
	linktest.Run(t, b.link)
	if err := b.link.Connect(t.Context(), a.ID); err != nil {
		t.Fatal(err)
	}
	linktest.Eventually(t, 5*time.Second, "a uses the peer's own call", func() bool {
		return a.link.Connect(t.Context(), h.ID) == nil
	})
	if got := echo(t, a, b, "back along it"); got != "back along it" {
		t.Errorf("echoed %q", got)
	}
}
