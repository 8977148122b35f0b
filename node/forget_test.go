package node_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"relais/node"
	"relais/node/fault"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/territory"
)

// referent is a référent of the desk's structure, at its hub.
func (d *desk) referent(t testing.TB) *desk {
	t.Helper()
	e, err := d.EnrolHelper(t.Context(), nil, node.NewHelper{
		Login: "referente", Name: people.Name{Given: "Dominique", Family: "Exemple"}, Structure: d.land.office, Role: people.RoleReferent,
	})
	if err != nil {
		t.Fatal(err)
	}
	by, err := d.Actor(t.Context(), e.Helper)
	if err != nil {
		t.Fatal(err)
	}
	return &desk{hub: d.hub, land: d.land, by: by, enrol: e}
}

// over makes a mandate of a visit that is closed, and stops it.
func (d *desk) over(t testing.TB) mandate.ID {
	t.Helper()
	visit := d.drafted(t)
	m, err := d.approve(t, visit)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.ConfirmPaper(t.Context(), d.by, m, true, true); err != nil {
		t.Fatal(err)
	}
	if _, err := d.RecordAct(t.Context(), d.by, act(m, 1)); err != nil {
		t.Fatal(err)
	}
	d.stop(t, m)
	if err := d.CloseAccompaniment(t.Context(), d.by, visit); err != nil {
		t.Fatal(err)
	}
	return m
}

// forget reads the page and confirms it.
func (d *desk) forget(t testing.TB, m mandate.ID) (node.ForgettingID, error) {
	t.Helper()
	file, err := d.PersonFile(t.Context(), d.by, m)
	if err != nil {
		t.Fatal(err)
	}
	return d.ForgetPerson(t.Context(), d.by, node.Forget{Mandate: m, Seen: file.Seen, Code: d.code(t)})
}

// forgotten is a mandate whose person is forgotten, and how.
func (d *desk) forgotten(t testing.TB, m mandate.ID) node.ForgettingID {
	t.Helper()
	made, err := d.forget(t, m)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// readable lists what the hub's keys would still open, of what they opened before,
// by where it stands in any file of its folder.
func readable(t *testing.T, h *hub, before map[string][]byte) (names []string) {
	t.Helper()
	for name, octets := range before {
		for path, text := range files(t, h.Options.Dir) {
			if bytes.Contains(text, octets) {
				names = append(names, name+" in "+filepath.Base(path))
			}
		}
	}
	return names
}

// gone checks that nothing of it is left, once the write-ahead log is scrubbed: right
// after the answer.
func gone(t *testing.T, h *hub, before map[string][]byte) {
	t.Helper()
	var found []string
	for range 200 {
		if found = readable(t, h, before); found == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("still there: %v", found)
}

// TestForgetPerson: of every mandate of hers, what could be opened is in no file of
// the folder, the write-ahead log and the snapshots included; the proofs hold.
func TestForgetPerson(t *testing.T) {
	d := newDesk(t)
	first, second := d.over(t), d.over(t)
	boss := d.referent(t)
	before := map[string][]byte{}
	for i, m := range []mandate.ID{first, second} {
		kept, err := d.Openable(t.Context(), m)
		if err != nil || kept["key"] == nil || kept["content"] == nil || kept["note"] == nil {
			t.Fatalf("%v, %v", kept, err)
		}
		for name, octets := range kept {
			before[name+string(rune('1'+i))] = octets
		}
	}
	snapshots := filepath.Join(d.Options.Dir, "snapshots")
	if err := os.MkdirAll(snapshots, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(snapshots, "schema-0001.db"), before["key1"], 0o600); err != nil {
		t.Fatal(err)
	}
	if found := readable(t, d.hub, before); len(found) < 7 {
		t.Fatalf("before, the search finds only %v", found)
	}

	made := boss.forgotten(t, first)

	gone(t, d.hub, before)
	for _, m := range []mandate.ID{first, second} {
		_, err := d.Mandate(t.Context(), d.by, m)
		refused(t, err, fault.NotFound, "")
		if v, err := d.Notice(t.Context(), m); err != nil || v.ForgottenAt.IsZero() || v.State != mandate.StateStopped {
			t.Errorf("notice %+v, %v", v, err)
		}
	}
	rows, err := d.Mandates(t.Context(), d.by, node.MandateFilter{Limit: 10})
	if err != nil || len(rows) != 2 || rows[0].PersonName != "Personne effacée" || rows[1].PersonName != "Personne effacée" {
		t.Errorf("the list says %+v, %v", rows, err)
	}
	if again, err := boss.ForgetPerson(t.Context(), boss.by, node.Forget{Mandate: second}); err != nil || again != made {
		t.Errorf("forgotten twice: %v, %v", again, err)
	}
	if n, err := d.JournalCount(t.Context(), journal.KindPersonForget); err != nil || n != 2 {
		t.Errorf("%d entries, %v", n, err)
	}
	said, err := boss.Forgetting(t.Context(), boss.by, made)
	if err != nil || len(said.Mandates) != 2 || len(said.Hubs) != 0 {
		t.Errorf("%+v, %v", said, err)
	}
	if _, err := d.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.Close()
	if found := readable(t, d.hub, before); found != nil {
		t.Errorf("after the end: %v", found)
	}
	if _, err := node.VerifyFolder(t.Context(), d.Options.Dir); err != nil {
		t.Error(err)
	}
}

// TestErrForgetPerson: who may not, and what is in force.
func TestErrForgetPerson(t *testing.T) {
	d := newDesk(t)
	m := d.over(t)
	boss := d.referent(t)
	t.Run("ErrHelper", func(t *testing.T) {
		_, err := d.PersonFile(t.Context(), d.by, m)
		refused(t, err, fault.Forbidden, "")
		_, err = d.ForgetPerson(t.Context(), d.by, node.Forget{Mandate: m})
		refused(t, err, fault.Forbidden, "")
	})
	t.Run("ErrOtherStructure", func(t *testing.T) {
		stranger := d.stranger(t)
		stranger.Role = people.RoleReferent
		_, err := d.ForgetPerson(t.Context(), stranger, node.Forget{Mandate: m})
		refused(t, err, fault.NotFound, "")
	})
	t.Run("ErrCode", func(t *testing.T) {
		file, err := boss.PersonFile(t.Context(), boss.by, m)
		if err != nil {
			t.Fatal(err)
		}
		_, err = boss.ForgetPerson(t.Context(), boss.by, node.Forget{Mandate: m, Seen: file.Seen, Code: "000000"})
		refused(t, err, fault.Unauthenticated, "code")
	})
	says := func(want string) func(*testing.T) {
		return func(t *testing.T) {
			file, err := boss.PersonFile(t.Context(), boss.by, m)
			if err != nil || !strings.Contains(file.Refusal, want) {
				t.Errorf("the page says %q, %v", file.Refusal, err)
			}
			_, err = boss.forget(t, m)
			refused(t, err, fault.Conflict, "")
		}
	}
	visit := d.drafted(t)
	t.Run("ErrDraft", says("encore ouvert"))
	granted, err := d.approve(t, visit)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("ErrInForce", says("encore en cours"))
	d.stop(t, granted)
	t.Run("ErrOpenVisit", says("encore ouvert"))
	if err := d.CloseAccompaniment(t.Context(), d.by, visit); err != nil {
		t.Fatal(err)
	}
	t.Run("ErrStale", func(t *testing.T) {
		_, err := boss.ForgetPerson(t.Context(), boss.by, node.Forget{Mandate: m, Code: boss.code(t)})
		refused(t, err, fault.Stale, "")
	})
	if n := d.rows(t, "forgotten"); n != 0 {
		t.Errorf("%d mandates were forgotten", n)
	}
	boss.forgotten(t, m)
}

// TestErrForgetBeforeAidantsConnect: whoever stops a mandate there needs the name.
func TestErrForgetBeforeAidantsConnect(t *testing.T) {
	d := newDesk(t)
	made := d.mirror(t, aMirror("Denise"))
	d.stop(t, made[0])
	boss := d.referent(t)
	_, err := boss.forget(t, made[0])
	refused(t, err, fault.Conflict, "")
	item := d.item(t)
	day := d.land.clock.Now().Format("02/01/2006")
	if err := d.NoteWorkDone(t.Context(), d.by, []node.WorkID{item.ID}, day); err != nil {
		t.Fatal(err)
	}
	boss.forgotten(t, made[0])
}

// shared is a mandate that is over, made at one hub and held at two, with a third
// that serves the structure and has not heard of it.
func shared(t *testing.T) (l *land, d *desk, there, asleep *hub, m mandate.ID) {
	t.Helper()
	l, a, b, c := three(t)
	d = l.desk(t, a, "camille", people.Name{Given: "Camille", Family: "Exemple"})
	m = d.over(t)
	signAll(t, a)
	pull(t, b, a)
	dossierTo(t, a, b, m)
	return l, d, b, c, m
}

// TestHoldersForget: what another hub was given is gone there too, on the word of
// the hub that made it and of no other, and does not come back.
func TestHoldersForget(t *testing.T) {
	l, d, there, asleep, m := shared(t)
	kept, err := there.Openable(t.Context(), m)
	if err != nil || kept["key"] == nil || kept["dossier"] == nil || readable(t, there, kept) == nil {
		t.Fatalf("%v, %v", kept, err)
	}
	late, err := there.Dossier(t.Context(), m, asleep.Self())
	if err != nil {
		t.Fatal(err)
	}
	boss := d.referent(t)
	made := boss.forgotten(t, m)
	awaited := func() (hubs []territory.HubID) {
		t.Helper()
		list, err := d.AwaitedForgets(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range list {
			if !cmp.Equal(a.Mandates, []mandate.ID{m}) {
				t.Errorf("asked for %v", a.Mandates)
			}
			hubs = append(hubs, a.Hub)
		}
		return hubs
	}
	if got := awaited(); !cmp.Equal(got, []territory.HubID{there.Self(), asleep.Self()}) {
		t.Errorf("asked: %v", got)
	}
	t.Run("ErrNotTheAuthor", func(t *testing.T) {
		_, err := there.TakeForget(t.Context(), []mandate.ID{m}, asleep.Self())
		refused(t, err, fault.Forbidden, "")
		if readable(t, there, kept) == nil {
			t.Error("it is gone")
		}
	})
	take := func(h *hub) []mandate.ID {
		t.Helper()
		done, err := h.TakeForget(t.Context(), []mandate.ID{m}, d.Self())
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	t.Run("ErrUnknown", func(t *testing.T) { // its records come first
		if done := take(asleep); done != nil {
			t.Errorf("confirmed %v", done)
		}
	})
	if done := take(there); !cmp.Equal(done, []mandate.ID{m}) {
		t.Fatalf("confirmed %v", done)
	}
	gone(t, there, kept)
	if done := take(there); !cmp.Equal(done, []mandate.ID{m}) {
		t.Errorf("asked twice, confirmed %v", done)
	}
	if err := d.ForgetConfirmed(t.Context(), there.Self(), []mandate.ID{m}); err != nil {
		t.Fatal(err)
	}
	if got := awaited(); !cmp.Equal(got, []territory.HubID{asleep.Self()}) {
		t.Errorf("asked after one confirmed: %v", got)
	}
	said, err := boss.Forgetting(t.Context(), boss.by, made)
	if err != nil || len(said.Hubs) != 2 || said.Confirmed() != 1 || said.Hubs[0].Confirmed.IsZero() || said.Hubs[1].Expelled {
		t.Errorf("%+v, %v", said, err)
	}
	t.Run("NoResurrection", func(t *testing.T) {
		pull(t, asleep, d.hub)
		if wanted, err := asleep.WantedDossiers(t.Context(), 10); err != nil || len(wanted) != 1 {
			t.Fatalf("before: %v, %v", wanted, err)
		}
		if done := take(asleep); len(done) != 1 {
			t.Fatalf("confirmed %v", done)
		}
		if wanted, err := asleep.WantedDossiers(t.Context(), 10); err != nil || wanted != nil {
			t.Errorf("it wants %v, %v", wanted, err)
		}
		refused(t, asleep.PutDossier(t.Context(), m, late), fault.NotFound, "")
		refused(t, there.PutDossier(t.Context(), m, late), fault.NotFound, "")
		for _, h := range []*hub{d.hub, there} {
			_, err := h.Dossier(t.Context(), m, asleep.Self())
			refused(t, err, fault.NotFound, "")
		}
	})
	t.Run("Expelled", func(t *testing.T) {
		l.enrol(t, func(r *territory.Roster) { r.Hubs[2].State = territory.HubExpelled })
		if got := awaited(); got != nil {
			t.Errorf("asked: %v", got)
		}
		said, err := boss.Forgetting(t.Context(), boss.by, made)
		if err != nil || !said.Hubs[1].Expelled || said.Confirmed() != 1 {
			t.Errorf("%+v, %v", said, err)
		}
	})
}

// TestTakeForgetWaits: a hub that has not heard of the stop still uses the mandate.
func TestTakeForgetWaits(t *testing.T) {
	l, a, b, _ := three(t)
	d := l.desk(t, a, "camille", people.Name{Given: "Camille", Family: "Exemple"})
	m := d.signed(t)
	signAll(t, a)
	pull(t, b, a)
	dossierTo(t, a, b, m)
	done, err := b.TakeForget(t.Context(), []mandate.ID{m}, a.Self())
	if err != nil || done != nil {
		t.Fatalf("confirmed %v, %v", done, err)
	}
	d.stop(t, m)
	signAll(t, a)
	pull(t, b, a)
	if done, err := b.TakeForget(t.Context(), []mandate.ID{m}, a.Self()); err != nil || len(done) != 1 {
		t.Errorf("confirmed %v, %v", done, err)
	}
}

// TestNewcomerIsTold: a hub that serves the structure since could be given the
// dossier by a third that was not told yet.
func TestNewcomerIsTold(t *testing.T) {
	l := newLand(t)
	a, b, c := l.newHub(t, "Valbrume"), l.newHub(t, "Port-Exemple"), l.newHub(t, "Le bus")
	later, muchLater := l.newHub(t, "Antenne"), l.newHub(t, "Annexe")
	serving := func(n int) func(*territory.Roster) {
		return func(r *territory.Roster) { r.Structures[0].Serving = r.Structures[0].Serving[:n] }
	}
	l.enrol(t, serving(2))
	d := l.desk(t, a, "camille", people.Name{Given: "Camille", Family: "Exemple"})
	m := d.over(t)
	d.referent(t).forgotten(t, m)
	asked := func() (hubs []territory.HubID) {
		t.Helper()
		list, err := a.AwaitedForgets(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range list {
			hubs = append(hubs, w.Hub)
		}
		return hubs
	}
	if got := asked(); !cmp.Equal(got, []territory.HubID{b.Self()}) {
		t.Errorf("asked: %v", got)
	}
	l.enrol(t, serving(3))
	if got := asked(); !cmp.Equal(got, []territory.HubID{b.Self(), c.Self()}) {
		t.Errorf("asked once it serves: %v", got)
	}
	l.enrol(t, serving(1))
	if got := asked(); !cmp.Equal(got, []territory.HubID{b.Self(), c.Self()}) {
		t.Errorf("asked once they serve no more: %v", got)
	}
	l.clock.Advance(60 * 24 * time.Hour) // nobody wants it any more; a folder may be of a backup
	l.enrol(t, serving(4))
	if got := asked(); !cmp.Equal(got, []territory.HubID{b.Self(), c.Self(), later.Self()}) {
		t.Errorf("asked two months later: %v", got)
	}
	l.clock.Advance(366 * 24 * time.Hour)
	l.enrol(t, serving(5))
	if got := asked(); !cmp.Equal(got, []territory.HubID{b.Self(), c.Self(), later.Self()}) {
		t.Errorf("asked a year later, %s among them or not: %v", muchLater.Self(), got)
	}
}

// TestFormerServerIsTold: a hub that served the structure when the mandate was made
// may hold its dossier.
func TestFormerServerIsTold(t *testing.T) {
	l, d, there, asleep, m := shared(t)
	l.enrol(t, func(r *territory.Roster) { r.Structures[0].Serving = r.Structures[0].Serving[:1] })
	d.land.clock.Advance(time.Hour)
	l.enrol(t, func(r *territory.Roster) { r.Structures[0].Serving = r.Structures[0].Serving[:1] })
	d.referent(t).forgotten(t, m)
	list, err := d.AwaitedForgets(t.Context())
	if err != nil || len(list) != 2 || list[0].Hub != there.Self() || list[1].Hub != asleep.Self() {
		t.Errorf("%v, %v", list, err)
	}
}

// TestForgetElsewhere: another hub's mandate is that hub's to forget, while it is
// there; afterwards each forgets its own copy.
func TestForgetElsewhere(t *testing.T) {
	l, d, there, _, m := shared(t)
	boss := l.desk(t, there, "sacha", people.Name{Given: "Sacha", Family: "Exemple"}).referent(t)
	file, err := boss.PersonFile(t.Context(), boss.by, m)
	if err != nil || !file.Mandates[0].Elsewhere || !strings.Contains(file.Refusal, "Valbrume") || file.Hubs != nil {
		t.Errorf("%+v, %v", file, err)
	}
	_, err = boss.forget(t, m)
	refused(t, err, fault.Conflict, "")
	cuts, err := there.CutsOf(t.Context(), d.Self())
	if err != nil {
		t.Fatal(err)
	}
	l.enrol(t, func(r *territory.Roster) { r.Hubs[0].State, r.Hubs[0].Cuts = territory.HubExpelled, cuts })
	made := boss.forgotten(t, m)
	if said, err := boss.Forgetting(t.Context(), boss.by, made); err != nil || len(said.Hubs) != 0 || len(said.Mandates) != 1 {
		t.Errorf("%+v, %v", said, err)
	}
}

// TestForgetRetired: six years after the last of her mandates ended, and not before.
func TestForgetRetired(t *testing.T) {
	l, d, there, _, m := shared(t)
	run := func(h *hub, want int) {
		t.Helper()
		if n, err := h.ForgetRetired(t.Context(), node.RetentionMonths); err != nil || n != want {
			t.Errorf("%d people, want %d: %v", n, want, err)
		}
	}
	run(d.hub, 0)
	if n, err := d.ForgetRetired(t.Context(), 0); err == nil {
		t.Errorf("no retention forgets %d people", n)
	}
	l.clock.Advance(3 * 365 * 24 * time.Hour)
	again := d.signed(t) // she came back, in a visit that nobody closes
	d.stop(t, again)
	l.clock.Advance(4 * 365 * 24 * time.Hour)
	run(d.hub, 0)
	run(there, 1) // which knows of the first alone
	l.clock.Advance(3 * 365 * 24 * time.Hour)
	visit := d.drafted(t)
	run(d.hub, 0)
	if err := d.CloseAccompaniment(t.Context(), d.by, visit); err != nil {
		t.Fatal(err)
	}
	run(d.hub, 1)
	run(d.hub, 0)
	for _, gone := range []mandate.ID{m, again} {
		_, err := d.Mandate(t.Context(), d.by, gone)
		refused(t, err, fault.NotFound, "")
	}
	list, err := d.AwaitedForgets(t.Context())
	if err != nil || len(list) != 2 {
		t.Errorf("%v, %v", list, err)
	}
}
