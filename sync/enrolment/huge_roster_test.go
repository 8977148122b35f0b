package enrolment_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"relais/node/nodetest"
	"relais/node/territory"
)

// TestHugeRoster: a newcomer whom a territory of ten thousand hubs invites says
// so, and makes nothing: such a roster is not looked into.
func TestHugeRoster(t *testing.T) {
	secret, public, err := note.GenerateKey(rand.Reader, "relais-demo")
	check(t, err)
	root, err := note.NewSigner(secret)
	check(t, err)
	var answer []byte
	h := newHost(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(answer) }))
	bus := newNewcomer(t)
	i := h.invitation()
	i.Root = territory.RootFingerprint(public)
	look := func(signed []byte) error {
		answer, err = json.Marshal(map[string]any{"root": public, "roster": string(signed)})
		check(t, err)
		seen, err := bus.Look(t.Context(), i)
		if err != nil && seen.Roster != nil {
			t.Error("refused, and shown")
		}
		return err
	}
	r, err := h.Roster().Clone()
	check(t, err)
	r.Root, r.NextRoot = "", nil
	signed, err := r.Sign(root)
	check(t, err)
	check(t, look(signed)) // but for its size it would be taken
	huge := nodetest.SignHuge(t, nodetest.Huge(t, r), root)
	if err := look(huge); err == nil || !strings.Contains(err.Error(), "the limit is 1048576") {
		t.Errorf("refused with %v", err)
	}
	if err := look(append(huge, huge...)); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("read to the end: %v", err)
	}
	check(t, look(signed))
}
