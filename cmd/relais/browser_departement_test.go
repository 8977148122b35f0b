package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"relais/node"
	"relais/node/territory"
)

// departement enrols a hub of its own from /departement and expels it again, as
// the person who looks after the territory does: she makes a code, hears a
// fingerprint, approves; weeks later the machine is stolen.
func departement(t *testing.T, s *stage, b *browser) {
	office := officeOf(t, s, b)
	office.signIn()
	office.has("Territoire de démonstration")
	office.has("Rien n’attend")
	office.shot("departement")
	office.open("/bureau/mandats")
	office.lacks("ESSAI") // the département never sees a person

	h := &stageHub{name: "La mairie", folder: filepath.Join(s.dir, "mairie"), provider: "software"}
	if err := s.configure(t.Context(), h, "mairie"); err != nil {
		t.Fatal(err)
	}
	h.code = office.invite(h.name)
	asked, err := s.join(t.Context(), h)
	if err != nil || asked.State != node.RequestWaiting {
		t.Fatalf("join: %+v, %v", asked, err)
	}
	office.open("/departement")
	office.press(`li.asks a.button`)
	office.has("en logiciel : c’est nettement plus faible")
	office.approve("0000 0000 0000 0000")
	office.has("n’est pas celle de la demande")
	office.shot("departement-empreinte")
	office.approve(asked.Fingerprint)
	office.open("/departement")
	office.has(h.name)
	office.lacks("demande sa place")

	if done, err := s.join(t.Context(), h); err != nil || done.State != node.RequestApproved {
		t.Fatalf("join, once approved: %+v, %v", done, err)
	}
	if got := s.listed(t, s.port, h.name); got.State != territory.HubActive {
		t.Errorf("at Port-Exemple %s is %q", h.name, got.State)
	}

	office.open("/departement/relais/" + asked.Hub.String())
	office.shot("departement-relais")
	office.open("/departement/relais/" + asked.Hub.String() + "/exclure")
	office.do(typed("name", h.name), typed("code", office.totp()))
	office.shot("departement-exclure")
	office.press("form.side button.danger")
	if got := s.listed(t, s.port, h.name); got.State != territory.HubExpelled {
		t.Errorf("at Port-Exemple %s is %q after it was expelled", h.name, got.State)
	}
	if _, err := s.join(t.Context(), h); err == nil {
		t.Error("an expelled hub comes back by its old invitation")
	}
	office.open("/departement/registre")
	office.has(h.name)
	office.shot("departement-registre")
}

// officeOf opens a tab at Valbrume for an account of the département.
func officeOf(t *testing.T, s *stage, b *browser) *tab {
	t.Helper()
	at := *s.valbrume
	out, err := s.relais(t.Context(), "helper", "add", "--json", "--config", at.configFile(),
		"--login", "departement", "--given", "Alex", "--family", "TERRITOIRE", "--role", "departement")
	if err == nil {
		err = json.Unmarshal(out, &at.account)
	}
	if err == nil {
		at.codes, err = newAuthenticator(at.account.TOTP)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.private(t, &at)
}

// invite makes an invitation and returns its code, which is shown once.
func (b *tab) invite(site string) (code string) {
	b.t.Helper()
	b.open("/departement/inviter")
	b.do(typed("site", site))
	b.press("main form button.button")
	b.shot("departement-invitation")
	line := see(b, chromedp.Evaluate[string](`document.getElementById("commande").textContent`))
	code, found := strings.CutPrefix(line, "relais join ")
	if !found {
		b.t.Fatalf("the page says to type %q", line)
	}
	return code
}

// approve fills in what the site read aloud, and a code.
func (b *tab) approve(fingerprint string) {
	b.t.Helper()
	see(b, chromedp.Evaluate[string](`document.getElementById("fingerprint").value = ""`))
	b.do(typed("fingerprint", fingerprint), typed("code", b.totp()))
	b.press("form.side button.button")
}

// listed returns what a hub's roster says of another one, once it has the roster
// that Valbrume signed.
func (s *stage) listed(t *testing.T, at *stageHub, name string) (h territory.Hub) {
	t.Helper()
	roster := func(of *stageHub) (r territory.Roster) {
		t.Helper()
		if err := s.says(t.Context(), &r, "territory", "roster", "--json", "--config", of.configFile()); err != nil {
			t.Fatal(err)
		}
		return r
	}
	signed := roster(s.valbrume).Version
	for deadline := time.Now().Add(learnTimeout); ; time.Sleep(100 * time.Millisecond) {
		r := roster(at)
		if r.Version >= signed {
			i := slices.IndexFunc(r.Hubs, func(known territory.Hub) bool { return known.Name == name })
			if i < 0 {
				t.Fatalf("%s: roster %d does not list %s", at.name, r.Version, name)
			}
			return r.Hubs[i]
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s still has roster %d after %v", at.name, r.Version, learnTimeout)
		}
	}
}
