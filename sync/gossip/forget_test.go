package gossip_test

import (
	"bytes"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"relais/node"
	"relais/node/fault"
	"relais/node/id"
	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/people"
	"relais/node/record"
	"relais/sync/link/linktest"
)

// staff opens an account at a hub and returns a code of hers for now.
func (s *site) staff(tb testing.TB, l *land, login string, role people.Role) (by node.Actor, code string) {
	tb.Helper()
	e, err := s.EnrolHelper(tb.Context(), nil, node.NewHelper{
		Login: login, Name: people.Name{Given: "Camille", Family: "Exemple"}, Structure: l.office, Role: role,
	})
	check(tb, err)
	by, err = s.Actor(tb.Context(), e.Helper)
	check(tb, err)
	seed, err := people.ParseURI(e.TOTP)
	check(tb, err)
	return by, seed.Code(people.Step(time.Now()))
}

// plantedPerson can be recognised in any file.
var plantedPerson = people.Beneficiary{
	Name: people.Name{Given: "Plantula", Family: "Herbeville"}, BirthDate: "03/09/1937", BirthPlace: "Jardinville", Contact: "plantula@exemple.fr",
}

// grant makes a mandate of the planted person at a hub, in a visit that is closed.
func (s *site) grant(tb testing.TB, l *land) (by node.Actor, m mandate.ID) {
	tb.Helper()
	by, code := s.staff(tb, l, "camille", people.RoleHelper)
	visit := id.Random[mediation.AccompanimentID]()
	_, err := s.OpenAccompaniment(tb.Context(), by, node.NewAccompaniment{ID: visit, Posture: mediation.PostureDo})
	check(tb, err)
	_, err = s.SaveDraft(tb.Context(), by, node.Draft{
		Accompaniment: visit, Person: plantedPerson,
		Declarations: mandate.Declarations{Adult: true, Unprotected: true, Willing: true}, Evidence: mandate.EvidenceDocument,
		Lines: []mandate.Line{{Scope: mandate.Argent, Service: "impots.gouv.fr", Acts: []string{"consulter l’avis d’impôt"}}}, Term: mandate.Month,
	})
	check(tb, err)
	recap, err := s.Recap(tb.Context(), by, visit)
	check(tb, err)
	m, err = s.Grant(tb.Context(), by, visit, node.Approval{Recap: recap.Hash, Code: code})
	check(tb, err)
	check(tb, s.CloseAccompaniment(tb.Context(), by, visit))
	return by, m
}

// TestForgetOverTheLink: forgotten at one hub, a person is forgotten at the hub that
// was given her dossier, and by the one that slept once it wakes: it never gets it.
// Another member's word forgets nothing.
func TestForgetOverTheLink(t *testing.T) {
	l := newLand(t)
	here, there, asleep := l.add(t, true, nil, nil), l.add(t, true, nil, nil), l.add(t, true, nil, nil)
	l.enrol(t)
	here.run()
	there.run()
	by, m := here.grant(t, l)
	reader, _ := there.staff(t, l, "sacha", people.RoleHelper)
	linktest.Eventually(t, 30*time.Second, "the other hub has the dossier", func() bool {
		v, err := there.Mandate(t.Context(), reader, m)
		return err == nil && v.Beneficiary.Name.Family == plantedPerson.Name.Family
	})
	_, err := here.StopAtDesk(t.Context(), by, node.DeskStop{Mandate: m, Reason: record.ReasonPerson})
	check(t, err)

	resp, err := there.link.HTTPClient().Post("https://"+here.Self().String()+"/relais/v1/dossiers/forget",
		"application/vnd.relais.mandates", bytes.NewReader(m[:]))
	check(t, err)
	resp.Body.Close()
	if _, err := here.Mandate(t.Context(), by, m); resp.StatusCode != http.StatusForbidden || err != nil {
		t.Errorf("another hub's word: %s, %v", resp.Status, err)
	}

	boss, code := here.staff(t, l, "dominique", people.RoleReferent)
	file, err := here.PersonFile(t.Context(), boss, m)
	check(t, err)
	made, err := here.ForgetPerson(t.Context(), boss, node.Forget{Mandate: m, Seen: file.Seen, Code: code})
	check(t, err)
	confirmed := func(want int) {
		t.Helper()
		linktest.Eventually(t, 60*time.Second, "hubs confirm", func() bool {
			f, err := here.Forgetting(t.Context(), boss, made)
			return err == nil && len(f.Hubs) == 3 && f.Confirmed() == want // the pen, too, serves and never wakes
		})
	}
	confirmed(1)
	if _, err := there.Mandate(t.Context(), reader, m); !fault.Is(err, fault.NotFound) {
		t.Errorf("the other hub still reads it: %v", err)
	}
	asleep.run()
	confirmed(2)
	if v, err := asleep.Notice(t.Context(), m); err != nil || v.HasDossier || v.ForgottenAt.IsZero() {
		t.Errorf("the hub that slept has %+v, %v", v, err)
	}
	for _, s := range l.hubs {
		for _, text := range []string{"Plantula", "Herbeville", "1937-09-03", "03/09/1937", "Jardinville", "plantula@exemple.fr"} {
			if path := holding(t, s.dir, text); path != "" {
				t.Errorf("%d octets planted are in %s", len(text), path)
			}
		}
	}
	check(t, os.WriteFile(filepath.Join(here.dir, "twin"), []byte("… Herbeville …"), 0o600))
	if holding(t, here.dir, "Herbeville") == "" {
		t.Error("the search finds nothing that is there")
	}
}

// holding is the first file of a folder that holds a text.
func holding(tb testing.TB, dir, text string) (where string) {
	tb.Helper()
	check(tb, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || where != "" {
			return err
		}
		octets, err := os.ReadFile(path)
		if bytes.Contains(octets, []byte(text)) {
			where = filepath.Base(path)
		}
		return err
	}))
	return where
}
