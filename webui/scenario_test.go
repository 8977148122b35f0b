package webui_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"relais/node/id"
	"relais/node/mandate"
	"relais/webui/internal/htmlcheck"
)

// field reads the value of a control of a page.
func (a answer) field(name string) string {
	a.t.Helper()
	doc, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		a.t.Fatal(err)
	}
	found := htmlcheck.Find(doc, "#"+name)
	if len(found) == 0 {
		a.t.Fatalf("%s has no control %s\n%s", a.Request.URL.Path, name, excerpt(a.body))
	}
	return htmlcheck.Attr(found[0], "value")
}

// visit opens an accompaniment in posture "je fais" and returns its address.
func (b *browser) visit() string {
	b.t.Helper()
	form := b.get("/bureau/accompagnements/nouveau").wants(http.StatusOK)
	return b.post("/bureau/accompagnements/nouveau", "id", form.field("id"), "posture", "fais", "theme", "argent").
		leads("/bureau/accompagnements/v_")
}

var person = []string{
	"given", "Dominique", "family", "Exemple", "birth_date", "14/03/1950", "birth_place", "Valbrume", "contact", "",
	"evidence", "document", "adult", "oui", "protected", "non", "willing", "oui",
}

var services = []string{
	"line_1_scope", "argent", "line_1_service", "impots.gouv.fr", "line_1_acts", "consulter l’avis d’impôt\r\nsignaler un changement d’adresse",
	"line_2_scope", "famille", "line_2_service", "caf.fr", "line_2_acts", "déclarer les ressources du trimestre",
}

// fill does the first three steps of a mandate.
func (b *browser) fill(visit string) {
	b.t.Helper()
	step := func(name, next string, fields ...string) {
		b.t.Helper()
		form := b.get(visit + "/mandat/" + name).wants(http.StatusOK)
		b.post(visit+"/mandat/"+name, append([]string{"version", form.field("version")}, fields...)...).leads(visit + "/mandat/" + next)
	}
	step("personne", "services", person...)
	step("services", "duree", services...)
	step("duree", "relire", "term", "MONTH")
}

// grant draws up a mandate and returns its address.
func (s *site) grant(t *testing.T, b *browser) string {
	t.Helper()
	visit := b.visit()
	b.fill(visit)
	recap := b.get(visit+"/mandat/relire").wants(http.StatusOK, htmlcheck.In("h1", htmlcheck.HasText("Créer un mandat")))
	paper := b.post(visit+"/mandat/relire", "recap", recap.field("recap"), "code", s.code(t)).leads("/bureau/mandats/m_")
	return strings.TrimSuffix(paper, "/papier")
}

var stopCode = regexp.MustCompile(`data-stop-code="([0-9A-Z*~$=-]+)"`)

// paper prints both copies, reads the code on the person's, and confirms.
func (b *browser) paper(mandate string) string {
	b.t.Helper()
	page := b.get(mandate+"/papier").wants(http.StatusOK, state("awaiting_paper"), htmlcheck.Count("article", 4))
	found := stopCode.FindAllStringSubmatch(page.body, -1)
	if len(found) != 1 {
		b.t.Fatalf("%d stop codes on the copies, want the person's alone", len(found))
	}
	b.post(mandate+"/papier", "signed", "oui", "handed", "oui").leads(mandate)
	return found[0][1]
}

func state(want string) htmlcheck.Check {
	return htmlcheck.In("#etat", htmlcheck.HasAttr("data-state", want))
}

// TestMainJob plays the scenario of one hub through its pages: sign in, visit,
// mandate, paper, act, stop at the kiosk, refusal that says when and where.
func TestMainJob(t *testing.T) {
	s := newSite(t)
	desk, kiosk := s.signedIn(t), s.browser(t, kioskName)
	address := s.grant(t, desk)
	act := func() answer { // as from a form opened before
		return desk.post(address+"/demarche", "id", id.Random[mandate.ActID]().String(), "line", "1", "channel", "online", "present", "oui", "signs_in", "oui")
	}

	desk.get(address+"/demarche").wants(http.StatusOK, state("awaiting_paper"), htmlcheck.None("#line"), htmlcheck.In("a[href="+address+"/papier]"))
	act().wants(http.StatusForbidden, htmlcheck.In("[role=alert]"), htmlcheck.In("title", htmlcheck.HasText("Erreur : ")))
	code := desk.paper(address)
	desk.get(address).wants(http.StatusOK, state("active"), htmlcheck.In(".flash"), htmlcheck.Count("li.usable", 2))
	desk.get(address+"/demarche").wants(http.StatusOK, htmlcheck.In("#line"))
	act().leads(address)
	desk.get(address).wants(http.StatusOK, htmlcheck.In(".plainlist", htmlcheck.HasText("En ligne")))

	kiosk.post("/kiosque/arreter", "code", strings.ToLower(code)).leads("/kiosque/recu")
	kiosk.get("/kiosque/recu").wants(http.StatusOK,
		htmlcheck.In("h1", htmlcheck.HasText("C’est arrêté")), htmlcheck.In("#recu-numero"),
		htmlcheck.In(".receipt", htmlcheck.HasText("Plus personne n’a le droit d’utiliser ce mandat.")))

	desk.get(address).wants(http.StatusOK, state("stopped"),
		htmlcheck.In("#etat", htmlcheck.HasText("a été arrêté aujourd’hui à ")), htmlcheck.In("#etat", htmlcheck.HasText("à la borne de Valbrume")))
	act().wants(http.StatusForbidden, htmlcheck.In("[role=alert]", htmlcheck.HasText("Valbrume")), htmlcheck.None("#line"))
	desk.get(address+"/demarche").wants(http.StatusOK, state("stopped"), htmlcheck.None("#line"),
		htmlcheck.In(".actions", htmlcheck.HasText("Proposer un nouveau mandat")))

	kiosk.post("/kiosque/arreter", "code", code).leads("/kiosque/recu")
	kiosk.get("/kiosque/recu").wants(http.StatusOK, htmlcheck.In("h1", htmlcheck.HasText("C’était déjà arrêté")))
	erased := kiosk.post("/kiosque/effacer")
	erased.leads("/kiosque")
	if got := erased.Header.Get("Clear-Site-Data"); !strings.Contains(got, `"cookies"`) {
		t.Errorf("Clear-Site-Data %q", got)
	}
	kiosk.get("/kiosque/recu").leads("/kiosque")
	desk.get("/bureau").wants(http.StatusOK, htmlcheck.In(".queue", htmlcheck.HasText("Dominique Exemple")), htmlcheck.In(".badge.stopped"))
	desk.get("/bureau/mandats").wants(http.StatusOK, htmlcheck.In("td", htmlcheck.HasText("impots.gouv.fr")))
	desk.get("/bureau/territoire").wants(http.StatusOK, htmlcheck.In(".banner", htmlcheck.HasText("logiciel")))
}

// TestKioskOutside: at a hub that was put out of its territory the kiosk stops
// nothing, says so before anything is typed and whatever is, and names what does.
// No receipt is made; the mandate goes on, as the desk says too.
func TestKioskOutside(t *testing.T) {
	s := newSite(t)
	desk, kiosk := s.signedIn(t), s.browser(t, kioskName)
	address := s.grant(t, desk)
	code := desk.paper(address)
	kiosk.get("/kiosque/arreter").wants(http.StatusOK, htmlcheck.In("#code"))
	r, err := s.node.Roster().Clone()
	if err != nil {
		t.Fatal(err)
	}
	cuts, err := s.node.Cuts(t.Context(), s.node.Self())
	if err == nil {
		err = r.Expel(s.node.Self(), cuts)
	}
	if err != nil {
		t.Fatal(err)
	}
	signed, err := s.root.Issue(r, s.clock.Now(), 400)
	if err == nil {
		err = s.node.InstallRoster(t.Context(), signed)
	}
	if err != nil {
		t.Fatal(err)
	}
	unable := []htmlcheck.Check{
		htmlcheck.In("h1", htmlcheck.HasText("Rien n’a été arrêté ici")), htmlcheck.In("[role=alert]", htmlcheck.HasText("Votre mandat continue")),
		htmlcheck.In(".rights", htmlcheck.HasText("Une autre borne, avec le même code")), htmlcheck.In(".rights", htmlcheck.HasText("Une lettre à la structure")),
		htmlcheck.None("#code"), htmlcheck.None(".receipt"),
	}
	kiosk.get("/kiosque/arreter").wants(http.StatusForbidden, unable...)
	for _, typed := range []string{code, "0000-0000-0000-0000-0"} { // from a page opened before
		kiosk.post("/kiosque/arreter", "code", typed).wants(http.StatusForbidden, unable...)
	}
	kiosk.get("/kiosque/recu").leads("/kiosque")
	desk.post(address+"/arreter", "lines", "1", "lines", "2", "reason", "person").wants(http.StatusForbidden,
		htmlcheck.In("[role=alert]", htmlcheck.HasText("Rien n’a été arrêté")), htmlcheck.In("[role=alert]", htmlcheck.HasText("depuis un autre relais")))
	desk.get(address).wants(http.StatusOK, state("active"))
}
