package node_test

import (
	"bytes"
	"testing"

	"relais/node/territory"
)

// An envelope made ahead serves once, and not at all once another roster came.
func TestEnvelopes(t *testing.T) {
	l := newLand(t)
	here, there := l.newHub(t, "Valbrume"), l.newHub(t, "Bus")
	l.enrol(t)
	plain := []byte("dossier")
	seal := func() []byte {
		t.Helper()
		sealed, err := here.SealDossier(l.office, plain)
		if err != nil {
			t.Fatal(err)
		}
		if opened, err := here.OpenSealed(sealed); err != nil || !bytes.Equal(opened, plain) {
			t.Fatalf("here it opens to %q, %v", opened, err)
		}
		return sealed
	}
	var before []byte
	for range 3 {
		sealed := seal()
		if opened, err := there.OpenSealed(sealed); err != nil || !bytes.Equal(opened, plain) {
			t.Errorf("there it opens to %q, %v", opened, err)
		}
		if before != nil && bytes.HasPrefix(sealed, before) {
			t.Error("an envelope served twice")
		}
		before = sealed[:200] // of the header
	}
	l.enrol(t, func(r *territory.Roster) { r.Structures[0].Serving = r.Structures[0].Serving[:1] })
	if _, err := there.OpenSealed(seal()); err == nil {
		t.Error("a hub that serves the structure no more opens what is sealed now")
	}
}
