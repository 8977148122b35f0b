package node_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"relais/node"
	"relais/node/fault"
	"relais/node/id"
	"relais/node/journal"
	"relais/node/people"
	"relais/node/seal"
)

// newPersonID names somebody new.
func newPersonID() (p people.BeneficiaryID) {
	fresh := id.New[accompanied]()
	return people.BeneficiaryID(fresh)
}

type accompanied struct{}

func (accompanied) Prefix() string { return "p" }

var here = seal.Place{Table: "people", Row: "1", Column: "name", Version: 1}

func TestPersonKeys(t *testing.T) {
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	alma, bruno := newPersonID(), newPersonID()
	for _, p := range []people.BeneficiaryID{alma, bruno} {
		if err := h.NewPerson(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	sealed, err := h.SealFor(t.Context(), alma, here, []byte("Alma"))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("opens after a restart", func(t *testing.T) {
		h.reopen(t)
		if plain, err := h.OpenFor(t.Context(), alma, here, sealed); err != nil || string(plain) != "Alma" {
			t.Errorf("%q, %v", plain, err)
		}
	})
	t.Run("ErrOtherKey or ErrAltered for somebody else", func(t *testing.T) {
		if _, err := h.OpenFor(t.Context(), bruno, here, sealed); err == nil {
			t.Error("opened under another person's key")
		}
	})
	t.Run("moved", func(t *testing.T) {
		there := here
		there.Row = "2"
		if _, err := h.OpenFor(t.Context(), alma, there, sealed); !errors.Is(err, seal.ErrAltered) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("NotFound", func(t *testing.T) {
		if _, err := h.OpenFor(t.Context(), newPersonID(), here, sealed); !fault.Is(err, fault.NotFound) {
			t.Errorf("got %v", err)
		}
	})
}

func TestForgettingLeavesEveryProofValid(t *testing.T) {
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	alma := newPersonID()
	if err := h.NewPerson(t.Context(), alma); err != nil {
		t.Fatal(err)
	}
	const seq = 2 // after hub.create and person.create
	if err := h.Note(t.Context(), node.JournalEntry{
		Kind: journal.KindMandateGrant, Actor: "a_TEST", Person: alma,
		Personal: map[string]any{"name": "Alma Exemple"},
	}); err != nil {
		t.Fatal(err)
	}
	text, bound, err := h.PersonalPart(t.Context(), seq)
	if err != nil || !bound || !strings.Contains(string(text), "Alma Exemple") {
		t.Fatalf("personal part %q, bound %v, %v", text, bound, err)
	}
	before, err := h.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := h.SealFor(t.Context(), alma, here, []byte("Alma"))
	if err != nil {
		t.Fatal(err)
	}

	if err := h.ErasePerson(t.Context(), alma); err != nil {
		t.Fatal(err)
	}
	if _, err := h.OpenFor(t.Context(), alma, here, sealed); !fault.Is(err, fault.NotFound) ||
		!strings.Contains(fault.Of(err).Message, "effacées") {
		t.Errorf("after forgetting: %v", err)
	}
	if _, _, err := h.PersonalPart(t.Context(), seq); !fault.Is(err, fault.NotFound) {
		t.Errorf("the journal still says it: %v", err)
	}
	if _, err := h.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	verifies(t, h.Options.Dir, 4, 4)
	h.Close()
	verifies(t, h.Options.Dir, 4, 4)
	file, err := os.ReadFile(filepath.Join(h.Options.Dir, "relais.db"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(file), string(before)) {
		t.Error("the checkpoint signed before is gone")
	}
}

func TestAPersonalPartNeedsAPerson(t *testing.T) {
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	err := h.Note(t.Context(), node.JournalEntry{
		Kind: journal.KindControl, Actor: "machine", Personal: map[string]any{"name": "Alma"},
	})
	if err == nil || !fault.Is(err, fault.Internal) {
		t.Errorf("got %v", err)
	}
}
