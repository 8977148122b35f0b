package node_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"relais/node"
	"relais/node/id"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/people"
)

// found lists which of the files hold a planted text, in any of the ways a careless
// program would write it.
func found(all map[string][]byte, planted string) (names []string) {
	for path, octets := range all {
		for _, form := range []string{planted, strings.ToLower(planted), strings.ToUpper(planted)} {
			if bytes.Contains(octets, []byte(form)) {
				names = append(names, filepath.Base(path))
			}
		}
	}
	return names
}

// files reads every file of a folder, and of those in it.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		all[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Nothing of what people said is readable in any file of the data folder, the
// write-ahead log included, with a real keyring, before and after a restart.
func TestPlantedStrings(t *testing.T) {
	l := newLand(t)
	keys := newRing(t, t.TempDir())
	t.Cleanup(func() { keys.Close() })
	h := &hub{site: "Valbrume", Options: node.Options{Dir: t.TempDir(), Sealer: keys, Signer: keys.Identity(), Now: l.clock.Now}}
	if _, err := node.Create(t.Context(), h.Options, node.Birth{Territory: "demo", RootKey: l.rootKey, Name: h.site}); err != nil {
		t.Fatal(err)
	}
	h.open(t)
	t.Cleanup(func() { h.Close() })
	l.hubs = append(l.hubs, h)
	l.enrol(t)

	const login, passphrase = "planteuse.login", "plantation secrete de sauge"
	e, err := h.EnrolHelper(t.Context(), nil, node.NewHelper{
		Login: login, Passphrase: passphrase, Structure: l.office, Name: people.Name{Given: "Plantine", Family: "Aidantier"},
	})
	if err != nil {
		t.Fatal(err)
	}
	by, err := h.Actor(t.Context(), e.Helper)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{hub: h, land: l, by: by, enrol: e}
	if _, err := d.SignIn(t.Context(), login, passphrase, d.code(t), "203.0.113.77"); err != nil {
		t.Fatal(err)
	}
	planted := plant(t, d)
	seed, err := people.ParseURI(e.TOTP)
	if err != nil {
		t.Fatal(err)
	}
	planted = append(planted, login, passphrase, "Plantine", "Aidantier", "203.0.113.77", string(seed), strings.SplitAfter(e.TOTP, "secret=")[1])

	search := func(t *testing.T) {
		all := files(t, h.Options.Dir)
		for _, p := range planted {
			if names := found(all, p); names != nil {
				t.Errorf("%d octets planted are readable in %v", len(p), names)
			}
		}
	}
	t.Run("Running", search)
	t.Run("Restarted", func(t *testing.T) {
		h.reopen(t)
		search(t)
	})
	t.Run("TheSearchCanFail", func(t *testing.T) {
		// The same search finds what is in clear, in the log or in the file.
		if err := h.Note(t.Context(), node.JournalEntry{Kind: journal.KindControl, Actor: "machine", Public: map[string]any{"x": "Plantine"}}); err != nil {
			t.Fatal(err)
		}
		if found(files(t, h.Options.Dir), "Plantine") == nil {
			t.Error("a name written in clear was not found")
		}
	})
}

// plant lives a mandate and a draft whose every text can be recognised.
func plant(t *testing.T, d *desk) []string {
	t.Helper()
	draft := func(mark string) node.Draft {
		visit := d.visit(t)
		w := wholeDraft(visit)
		w.Person = people.Beneficiary{
			Name:      people.Name{Given: "Plantula" + mark, Family: "Herbeville" + mark},
			BirthDate: "03/09/1937", BirthPlace: "Jardinville" + mark, Contact: "plantula" + mark + "@exemple.fr",
		}
		w.Lines = []mandate.Line{{Scope: mandate.Argent, Service: "service-plante" + mark + ".fr", Acts: []string{"cueillir les pivoines " + mark}}}
		if _, err := d.SaveDraft(t.Context(), d.by, w); err != nil {
			t.Fatal(err)
		}
		return w
	}
	planted := []string{"1937-09-03", "03/09/1937", "3 septembre 1937"}
	for _, mark := range []string{"un", "deux"} {
		planted = append(planted, "Plantula"+mark, "Herbeville"+mark, "Jardinville"+mark, "service-plante"+mark, "pivoines "+mark)
	}
	granted := draft("un")
	m, err := d.approve(t, granted.Accompaniment)
	if err != nil {
		t.Fatal(err)
	}
	draft("deux") // and left unfinished
	view, err := d.Mandate(t.Context(), d.by, m)
	if err != nil {
		t.Fatal(err)
	}
	code := view.StopCode.String()
	planted = append(planted, code, strings.ReplaceAll(code, "-", ""), string(view.StopCode[:]))
	if names := found(files(t, d.Options.Dir), string(view.StopCode[:])); names != nil {
		t.Errorf("the stop code is readable in %v while its copy is awaited", names)
	}
	if err := d.MarkPrinted(t.Context(), d.by, m); err != nil {
		t.Fatal(err)
	}
	if err := d.ConfirmPaper(t.Context(), d.by, m, true, true); err != nil {
		t.Fatal(err)
	}
	a := act(m, 1)
	a.Note = "note plantee au sujet du verger"
	if _, err := d.RecordAct(t.Context(), d.by, a); err != nil {
		t.Fatal(err)
	}
	d.mirror(t, mandate.Mirror{
		Person: people.Beneficiary{Name: people.Name{Given: "Plantulatrois", Family: "Herbevilletrois"}, BirthDate: "07/10/1941"},
		Made:   d.land.clock.Now().Format(time.DateOnly), Term: mandate.Long, Scopes: []mandate.Scope{mandate.Loisirs},
	})
	planted = append(planted, "Plantulatrois", "Herbevilletrois", "1941-10-07", "7 octobre 1941")
	theme := node.NewAccompaniment{ID: id.Random[mediation.AccompanimentID](), Posture: mediation.PostureTrain}
	if _, err := d.OpenAccompaniment(t.Context(), d.by, theme); err != nil {
		t.Fatal(err)
	}
	return append(planted, "note plantee", "verger")
}

// What a day leaves behind is gone the day after: drafts, and the codes of
// mandates that are over.
func TestExpireDesk(t *testing.T) {
	d := newDesk(t)
	visit := d.drafted(t)
	m := d.grant(t)
	expire := func() {
		t.Helper()
		if err := d.Expire(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	expire()
	if draft, err := d.Draft(t.Context(), d.by, visit); err != nil || draft.Version != 1 {
		t.Errorf("a fresh draft is gone: %v", err)
	}
	d.land.clock.Advance(25 * time.Hour)
	expire()
	if draft, err := d.Draft(t.Context(), d.by, visit); err != nil || draft.Version != 0 {
		t.Errorf("a draft of yesterday is still here: %v", err)
	}
	if view, err := d.Mandate(t.Context(), d.by, m); err != nil || view.StopCode == nil {
		t.Errorf("the code of a running mandate is gone: %v", err)
	}
	d.land.clock.Advance(31 * 24 * time.Hour)
	for range 2 {
		expire()
	}
	if n, err := d.CountEntries(t.Context(), journal.KindExpire); err != nil || n != 1 {
		t.Errorf("%d entries of expiry, %v", n, err)
	}
	if view, err := d.Mandate(t.Context(), d.by, m); err != nil || view.StopCode != nil || view.State != mandate.StateExpired {
		t.Errorf("state %s, code %v, %v", view.State, view.StopCode, err)
	}
}

// Reading a dossier is a consultation: once a quarter of an hour and a helper.
func TestConsultations(t *testing.T) {
	d := newDesk(t)
	m := d.grant(t)
	count := func(want int) {
		t.Helper()
		if n, err := d.CountEntries(t.Context(), journal.KindMandateView); err != nil || n != want {
			t.Errorf("%d consultations, want %d; %v", n, want, err)
		}
	}
	look := func(by node.Actor) {
		t.Helper()
		if _, err := d.Mandate(t.Context(), by, m); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		look(d.by)
	}
	count(1)
	colleague := d.land.desk(t, d.hub, "sacha", people.Name{Given: "Sacha", Family: "Exemple"})
	look(colleague.by)
	count(2)
	d.land.clock.Advance(15 * time.Minute)
	look(d.by)
	count(3)
}
