package node_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"relais/node"
	"relais/node/territory"
)

// A folder tells whose it is without keys, and beside the hub that has it open.
func TestInspectFolder(t *testing.T) {
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	i, err := node.InspectFolder(t.Context(), h.Options.Dir)
	if err != nil || i.Roster != nil || i.Forged != nil || i.Keys.Hub != h.Self() || i.Birth != h.Birth() {
		t.Errorf("before a roster: %+v, %v", i, err)
	}
	l.enrol(t)
	i, err = node.InspectFolder(t.Context(), h.Options.Dir)
	if err != nil || i.Roster == nil || i.Roster.Version != h.Roster().Version || i.Forged != nil {
		t.Errorf("with its roster: %+v, %v", i, err)
	}
	if keys := h.Keys(); !bytes.Equal(i.Keys.Witness, keys.Witness) || i.Keys.Recipient != keys.Recipient || !bytes.Equal(i.Keys.Identity, keys.Identity) {
		t.Errorf("keys %+v", i.Keys)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	change(t, h.Options.Dir, `UPDATE meta SET value = CAST(value || x'00' AS BLOB) WHERE key = 'roster'`)
	i, err = node.InspectFolder(t.Context(), h.Options.Dir)
	if err != nil || i.Roster != nil || i.Forged == nil {
		t.Errorf("a roster that was changed: %+v, %v", i, err)
	}
}

// change writes behind the hub's back.
func change(t *testing.T, dir, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "relais.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

func TestInspectFolderRefuses(t *testing.T) {
	h := newLand(t).newHub(t, "Valbrume")
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	t.Run("ErrNoFolder", func(t *testing.T) {
		if _, err := node.InspectFolder(t.Context(), t.TempDir()); !errors.Is(err, node.ErrNoFolder) {
			t.Errorf("%v", err)
		}
	})
	t.Run("ErrDamaged", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "relais.db"), bytes.Repeat([]byte("not a database"), 500), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := node.InspectFolder(t.Context(), dir); !errors.Is(err, node.ErrDamaged) {
			t.Errorf("%v", err)
		}
	})
	t.Run("ErrHalfWritten", func(t *testing.T) {
		change(t, h.Options.Dir, `DELETE FROM meta`)
		if _, err := node.InspectFolder(t.Context(), h.Options.Dir); !errors.Is(err, node.ErrHalfWritten) {
			t.Errorf("%v", err)
		}
	})
}

// Where a hub stands is said in the words of its alarms, asleep or awake.
func TestStanding(t *testing.T) {
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	said := func(r *territory.Roster) []string {
		var keys []string
		for _, a := range node.Standing(h.Self(), r, l.clock.Now()) {
			keys = append(keys, a.Key)
		}
		return keys
	}
	if got := said(nil); len(got) != 1 || got[0] != "no-roster" {
		t.Errorf("before a roster: %v", got)
	}
	view, err := h.Territory(context.Background())
	if err != nil || len(view.Alarms) == 0 || view.Alarms[0].Message != node.Standing(h.Self(), nil, l.clock.Now())[0].Message {
		t.Errorf("the page says %v, %v", view.Alarms, err)
	}
	l.enrol(t)
	if got := said(h.Roster()); len(got) != 0 {
		t.Errorf("listed: %v", got)
	}
	r := *h.Roster()
	r.ExpiresAt = l.clock.Now().AddDate(0, 0, 3)
	r.Hubs = nil
	if got := said(&r); len(got) != 2 || got[0] != "not-listed" || got[1] != "roster-expires" {
		t.Errorf("neither listed nor young: %v", got)
	}
}
