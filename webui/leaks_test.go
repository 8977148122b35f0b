package webui_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"relais/webui/internal/htmlcheck"
)

// planted is typed in every field: markup that would run, and names that must
// stay where they belong.
const (
	plantedGiven   = `Zélie<script>alert(1)</script>`
	plantedFamily  = `Plantée"onfocus="alert(2)`
	plantedPlace   = `Lieudit'><img src=x>`
	plantedContact = `06 55 44 33 22`
	plantedService = `guichet<b>planté</b>.fr`
	plantedAct     = `lire la lettre <a href="javascript:alert(3)">secrète</a>`
	plantedNote    = `note plantée </textarea><script>alert(4)</script>`
)

// secretWords identify a person or what was done for her.
var secretWords = []string{"Zélie", "Plantée", "Lieudit", "55 44 33", "guichet", "secrète", "note plantée", "1951"}

func TestPlantedMarkup(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t)
	visit := b.visit()
	pages := &visited{t: t}
	pages.see(b.post(visit+"/mandat/personne", "given", plantedGiven, "family", plantedFamily, "birth_date", "x"))
	b.post(visit+"/mandat/personne", "given", plantedGiven, "family", plantedFamily, "birth_date", "02/03/1951", "birth_place", plantedPlace,
		"contact", plantedContact, "evidence", "known", "adult", "oui", "protected", "non", "willing", "oui").leads(visit)
	pages.see(b.get(visit + "/mandat/personne"))
	line := []string{"line_1_scope", "social", "line_1_service", plantedService, "line_1_acts", plantedAct}
	pages.see(b.post(visit+"/mandat/services", append(line, "action", "ajouter")...))
	b.post(visit+"/mandat/services", line...).leads(visit)
	pages.see(b.get(visit + "/mandat/services"))
	b.post(visit+"/mandat/duree", "term", "SHORT").leads(visit)
	recap := b.get(visit + "/mandat/relire")
	pages.see(recap)
	pages.see(b.post(visit+"/mandat/relire", "recap", recap.field("recap"), "code", `"><script>alert(5)</script>`))
	mandate := strings.TrimSuffix(b.post(visit+"/mandat/relire", "recap", recap.field("recap"), "code", s.code(t)).leads("/bureau/mandats/"), "/papier")
	pages.see(b.get(mandate + "/papier"))
	b.post(mandate+"/papier", "signed", "oui", "handed", "oui").leads(mandate)
	form := b.get(mandate + "/demarche")
	pages.see(b.post(mandate+"/demarche", "id", form.field("id"), "line", "1", "note", plantedNote))
	b.post(mandate+"/demarche", "id", form.field("id"), "line", "1", "channel", "phone", "present", "oui", "note", plantedNote).leads(mandate)
	for _, path := range []string{mandate, mandate + "/arreter", visit, "/bureau", "/bureau/mandats"} {
		pages.see(b.get(path))
	}
	mirror := append(s.mirrorFields(1, plantedGiven), "entry_1_family", plantedFamily, "id", b.get(mirrorsPath).field("id"))
	pages.see(b.post(mirrorsPath, append(mirror, "action", "ajouter")...))
	pages.see(b.get(s.mirror(t, b, plantedGiven) + "/papier"))
	pages.see(s.browser(t, kioskName).post("/kiosque/arreter", "code", `"><script>alert(6)</script>`))
	pages.see(s.browser(t, deskName).post("/connexion", "login", `"><script>alert(7)</script>`))
	if pages.named < 9 {
		t.Errorf("only %d pages show the planted name: the test sees too little", pages.named)
	}
	for _, word := range append(secretWords, s.helper.Passphrase, "Camille") {
		if strings.Contains(s.logs.String(), word) {
			t.Errorf("the log contains %q", word)
		}
	}
	if !strings.Contains(s.logs.String(), "/bureau/mandats/{mandate}/papier") {
		t.Error("the log names no route: the test reads the wrong log")
	}
}

// visited checks every page it sees.
type visited struct {
	t     *testing.T
	named int // pages that show the person, as text
}

func (v *visited) see(a answer) {
	v.t.Helper()
	if a.StatusCode >= 500 || a.StatusCode == http.StatusNotFound {
		v.t.Fatalf("%s %s: %d", a.Request.Method, a.Request.URL.Path, a.StatusCode)
	}
	doc, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		v.t.Fatal(err)
	}
	if strings.Contains(htmlcheck.Text(doc), "Zélie<script>") {
		v.named++
	}
	for _, n := range htmlcheck.Find(doc, "") {
		for _, attr := range n.Attr {
			if strings.HasPrefix(attr.Key, "on") || attr.Key == "style" || strings.HasPrefix(attr.Val, "javascript:") {
				v.t.Errorf("%s: <%s %s=%q>", a.Request.URL.Path, n.Data, attr.Key, attr.Val)
			}
			if attr.Key == "href" || attr.Key == "action" || attr.Key == "src" {
				v.local(a, attr.Val)
			}
		}
		if n.Data == "img" || n.Data == "script" && !strings.HasPrefix(htmlcheck.Attr(n, "src"), "/static/") {
			v.t.Errorf("%s: planted <%s>", a.Request.URL.Path, n.Data)
		}
	}
}

// local checks an address on a page: ours, and without a person in it.
func (v *visited) local(a answer, address string) {
	v.t.Helper()
	if !strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "#") {
		v.t.Errorf("%s leads outside: %q", a.Request.URL.Path, address)
	}
	decoded, err := url.QueryUnescape(address)
	if err != nil {
		v.t.Errorf("%s: address %q: %v", a.Request.URL.Path, address, err)
	}
	for _, word := range secretWords {
		if strings.Contains(decoded, word) {
			v.t.Errorf("%s: address %q says who", a.Request.URL.Path, address)
		}
	}
}

// TestVisitedSeesMarkup is the twin: the same eyes find markup that is not
// escaped.
func TestVisitedSeesMarkup(t *testing.T) {
	doc, err := html.Parse(strings.NewReader(`<p>Zélie<script>alert(1)</script></p>`))
	if err != nil {
		t.Fatal(err)
	}
	if len(htmlcheck.Find(doc, "script")) != 1 {
		t.Error("a script in the page was not seen")
	}
}
