package webui_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"relais/webui/internal/htmlcheck"
	"relais/webui/page"
)

const mirrorsPath = "/bureau/mandats/aidants-connect"

// mirrorFields are what a helper types of the nth mandate made in Aidants Connect
// today.
func (s *site) mirrorFields(n int, given string) []string {
	name := func(field string) string { return fmt.Sprintf("entry_%d_%s", n, field) }
	return []string{
		name("given"), given, name("family"), "Exemple", name("birth_date"), "14/03/1950",
		name("made"), s.clock.Now().Format("02/01/2006"), name("term"), "SEMESTER", name("scopes"), "argent", name("scopes"), "social",
	}
}

// mirror enters one mandate and returns its address.
func (s *site) mirror(t *testing.T, b *browser, given string) string {
	t.Helper()
	form := b.get(mirrorsPath).wants(http.StatusOK)
	paper := b.post(mirrorsPath, append(s.mirrorFields(1, given), "id", form.field("id"), "paper", "oui", "code", s.code(t))...).leads("/bureau/mandats/m_")
	return strings.TrimSuffix(paper, "/papier")
}

// TestMirrors: what is on a paper of Aidants Connect is entered in six fields, one
// or a batch; the person gets a paper with a code, which is not a mandate.
func TestMirrors(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t)
	if len(page.MirrorFields) > 6 {
		t.Errorf("%d fields a mandate", len(page.MirrorFields))
	}
	t.Run("one", func(t *testing.T) {
		mandate := s.mirror(t, b, "Dominique")
		slip := b.get(mandate+"/papier").wants(http.StatusOK, htmlcheck.Count("article", 1), htmlcheck.In("article", htmlcheck.HasText("Ce papier n’est pas le mandat")),
			htmlcheck.In("article", htmlcheck.HasText("reste actif dans Aidants Connect")))
		if strings.Contains(slip.body, "Hors Aidants Connect") {
			t.Error("the paper says that it is a local mandate")
		}
		b.get("/bureau/mandats").wants(http.StatusOK, htmlcheck.In("td", htmlcheck.HasText("Aidants Connect")))
		b.get(mandate).wants(http.StatusOK, state("awaiting_paper"), htmlcheck.In(".lead", htmlcheck.HasText("fait dans Aidants Connect")))
		b.post(mandate+"/papier", "signed", "oui", "handed", "oui").leads(mandate)
		b.get(mandate).wants(http.StatusOK, state("active"), htmlcheck.Count("li.usable", 2))
		if strings.Contains(b.get(mandate+"/papier").body, "data-stop-code") {
			t.Error("the code is still shown")
		}
	})
	t.Run("a batch", func(t *testing.T) {
		form := b.get(mirrorsPath)
		one := append(s.mirrorFields(1, "Sacha"), "id", form.field("id"))
		b.post(mirrorsPath, append(one, "action", "ajouter")...).wants(http.StatusOK, htmlcheck.Count("fieldset.entry", 2),
			htmlcheck.In("#entry_1_given", htmlcheck.HasAttr("value", "Sacha")), htmlcheck.Count("[role=alert]", 0))
		two := append(one, s.mirrorFields(2, "Maé")...)
		b.post(mirrorsPath, append(two, "action", "retirer-1")...).wants(http.StatusOK, htmlcheck.Count("fieldset.entry", 1),
			htmlcheck.In("#entry_1_given", htmlcheck.HasAttr("value", "Maé")))
		code := s.code(t)
		for range 2 { // sent twice, it is entered once
			b.post(mirrorsPath, append(two, "paper", "oui", "code", code)...).leads("/bureau/mandats?etat=awaiting_paper")
		}
		b.get("/bureau/mandats?etat=awaiting_paper").wants(http.StatusOK, htmlcheck.Count("td[data-label=Fin]", 2), htmlcheck.In(".flash"))
	})
	t.Run("ErrForm", func(t *testing.T) {
		form := b.get(mirrorsPath)
		fields := func(change ...string) []string {
			all := append(s.mirrorFields(1, "Noa"), "id", form.field("id"), "paper", "oui", "code", "000000")
			for i := 0; i+1 < len(all); i += 2 {
				if all[i] == change[0] {
					all[i+1] = change[1]
				}
			}
			return all
		}
		for name, value := range map[string]string{
			"entry_1_given": "", "entry_1_family": " ", "entry_1_birth_date": "hier", "entry_1_made": "01/01/2020", "entry_1_term": "DECADE",
			"entry_1_scopes": "banque", "paper": "",
		} {
			b.post(mirrorsPath, fields(name, value)...).wants(http.StatusUnprocessableEntity, htmlcheck.In("#"+name+"-erreur", htmlcheck.HasAttr("role", "alert")),
				htmlcheck.In("#entry_1_made"))
		}
		b.post(mirrorsPath, fields("", "")...).wants(http.StatusUnauthorized, htmlcheck.In("#code-erreur"), htmlcheck.In("#entry_1_given", htmlcheck.HasAttr("value", "Noa")))
		b.post(mirrorsPath, append(s.mirrorFields(1, "Dominique"), "id", form.field("id"), "paper", "oui", "code", s.code(t))...).
			wants(http.StatusConflict, htmlcheck.In("#entry_1_made-erreur", htmlcheck.HasText("déjà inscrit")))
		b.post(mirrorsPath, "id", form.field("id")).wants(http.StatusUnprocessableEntity, htmlcheck.Count("fieldset.entry", 1))
	})
}
