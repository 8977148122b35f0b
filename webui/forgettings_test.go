package webui_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"relais/node"
	"relais/node/people"
	"relais/webui/internal/htmlcheck"
)

// referent signs in as a référent of the site's structure. The site's codes are hers
// from then on.
func (s *site) referent(t *testing.T) *browser {
	t.Helper()
	by, err := s.node.Actor(t.Context(), s.helper.Helper)
	if err != nil {
		t.Fatal(err)
	}
	s.helper, err = s.node.EnrolHelper(t.Context(), nil, node.NewHelper{
		Login: "maxime", Name: people.Name{Given: "Maxime", Family: "Modèle"}, Role: people.RoleReferent, Structure: by.Structure,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.signedIn(t)
}

var openVisit = regexp.MustCompile(`action="(/bureau/accompagnements/v_[0-9A-Z]+/fin)"`)

// TestForgetPerson plays a référent's forgetting: refused while something is in
// force, her name and a fresh code, a page that says who confirmed; her name is on
// no page afterwards, nor in any log or address. A helper is shown none of it.
func TestForgetPerson(t *testing.T) {
	s := newSite(t)
	helper := s.signedIn(t)
	address := s.grant(t, helper)
	helper.paper(address)
	helper.get(address).wants(http.StatusOK, htmlcheck.None("a[href="+address+"/effacer]"))
	helper.get(address + "/effacer").wants(http.StatusForbidden)
	helper.get("/bureau/effacements").wants(http.StatusForbidden)
	helper.get("/bureau/mandats").wants(http.StatusOK, htmlcheck.None("a[href=/bureau/effacements]"))

	boss := s.referent(t)
	boss.get(address).wants(http.StatusOK, htmlcheck.In("a[href="+address+"/effacer]"))
	boss.get(address+"/effacer").wants(http.StatusOK, htmlcheck.In(".note.warn", htmlcheck.HasText("encore en cours")), htmlcheck.None("#name"))
	boss.post(address+"/arreter", "choice", "1", "lines", "1", "lines", "2", "reason", "person").leads(address)
	open := boss.get(address+"/effacer").wants(http.StatusOK, htmlcheck.In(".note.warn", htmlcheck.HasText("accompagnement")), htmlcheck.None("#name"))
	boss.post(openVisit.FindStringSubmatch(open.body)[1]).leads("/bureau")

	form := boss.get(address+"/effacer").wants(http.StatusOK, htmlcheck.In("h1", htmlcheck.HasText("Effacer Dominique Exemple")), htmlcheck.In("#name"))
	seen := form.field("seen")
	boss.post(address+"/effacer", "seen", seen, "name", "Dominique Essai", "code", "000000").
		wants(http.StatusUnprocessableEntity, htmlcheck.In("#name-erreur"))
	boss.post(address+"/effacer", "seen", seen, "name", "Dominique Exemple").wants(http.StatusUnprocessableEntity, htmlcheck.In("#code-erreur"))
	boss.post(address+"/effacer", "name", "Dominique Exemple", "code", s.code(t)).wants(http.StatusUnprocessableEntity)
	boss.post(address+"/effacer", "seen", seen, "name", "Dominique Exemple", "code", "000000").
		wants(http.StatusUnauthorized, htmlcheck.In("#code-erreur"))
	boss.post(address+"/effacer", "seen", strings.Repeat("0", 64), "name", "Dominique Exemple", "code", s.code(t)).
		wants(http.StatusConflict, htmlcheck.In("[role=alert]", htmlcheck.HasText("Rien n’a été effacé")))

	receipt := boss.post(address+"/effacer", "seen", seen, "name", "dominique  exemple", "code", s.code(t)).leads("/bureau/effacements/e_")
	again := boss.post(address+"/effacer", "seen", seen, "name", "Dominique Exemple", "code", "000000").leads("/bureau/effacements/e_")
	if again != receipt {
		t.Errorf("sent twice, it leads to %s and %s", receipt, again)
	}
	boss.get(receipt).wants(http.StatusOK, htmlcheck.In("h1", htmlcheck.HasText("C’est effacé")), htmlcheck.In(".plainlist", htmlcheck.HasText("m_")))
	boss.get("/bureau/effacements").wants(http.StatusOK, htmlcheck.In("a[href="+receipt+"]"))
	boss.get(address).wants(http.StatusOK, htmlcheck.In("h1", htmlcheck.HasText("personne effacée")))
	helper.get(receipt).wants(http.StatusForbidden)
	for _, path := range []string{receipt, "/bureau/effacements", address, "/bureau/mandats", "/bureau", address + "/arreter"} {
		if body := boss.get(path).body; strings.Contains(body, "Dominique") || strings.Contains(body, "1950") {
			t.Errorf("%s still names her", path)
		}
	}
	if strings.Contains(s.logs.String(), "Dominique") || strings.Contains(s.logs.String(), "Exemple") {
		t.Error("the log names her")
	}
	boss.get("/bureau/effacements/e_00000000000000000000000000").wants(http.StatusNotFound)
}
