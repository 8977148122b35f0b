package webui_test

import (
	"net/http"
	"strings"
	"testing"

	"relais/node"
	"relais/webui/internal/htmlcheck"
)

// TestDirectoryPage: the département looks a structure up by its commune; what is
// typed is in no address, and the page says how old the copy is.
func TestDirectoryPage(t *testing.T) {
	s, office := newOffice(t)
	const path = "/departement/annuaire"
	office.get(path).wants(http.StatusOK, htmlcheck.In(".note", htmlcheck.HasText("n’a pas encore lu")))
	if _, err := s.node.BeginCrawl(t.Context()); err != nil {
		t.Fatal(err)
	}
	page := node.DirectoryPage{Number: 1, Total: 2, Last: true, Entries: []node.DirectoryEntry{
		{ID: [16]byte{1}, Name: "CCAS d’Étretat <b>", Commune: "Étretat", Postcode: "00000", SIRET: "11100000000000"},
	}}
	if _, err := s.node.TakeDirectoryPage(t.Context(), page); err != nil {
		t.Fatal(err)
	}
	office.get(path).wants(http.StatusOK, htmlcheck.In("main", htmlcheck.HasText("1 structure · 1 écart")), htmlcheck.None(".rows"))
	found := office.post(path, "sought", "étretat ccas").wants(http.StatusOK, htmlcheck.In(".rows", htmlcheck.HasText("CCAS d’Étretat <b>")),
		htmlcheck.In("#sought", htmlcheck.HasAttr("value", "étretat ccas")))
	if found.Request.URL.RawQuery != "" || strings.Contains(s.logs.String(), "étretat") {
		t.Error("what was typed is in an address or in the log")
	}
	office.post(path, "sought", "nulle part").wants(http.StatusOK, htmlcheck.In(".empty"))
	office.get("/departement/structures").wants(http.StatusOK, htmlcheck.In("a[href="+path+"]"))
}

// TestHabilitationPages: the département sees on a structure's page what was decided
// nationally, and what could not be read of the list; a helper sees her structure's.
func TestHabilitationPages(t *testing.T) {
	s, office := newOffice(t)
	roster := s.node.Roster()
	structure := roster.Structures[0]
	path := "/departement/structures/" + structure.ID.String()
	office.get(path).wants(http.StatusOK, htmlcheck.In("section[aria-labelledby=habilitation]", htmlcheck.HasText("ne peut pas le dire")))
	if _, err := s.node.BeginNationalList(t.Context()); err != nil {
		t.Fatal(err)
	}
	page := node.NationalPage{
		Next: "1", Total: 2, Last: true,
		Entries: []node.DirectoryEntry{{ID: [16]byte{1}, Name: "CCAS <b>", SIRET: "11100000000000", Habilitation: node.HabilitationActive, Since: "2024-03-12"}},
		Aside:   []node.SetAside{{Key: [16]byte{2}, Named: true, Reason: "siret"}},
	}
	if _, err := s.node.TakeNationalPage(t.Context(), page); err != nil {
		t.Fatal(err)
	}
	office.get(path).wants(http.StatusOK, htmlcheck.In("section[aria-labelledby=habilitation]", htmlcheck.HasText("inscrivez le SIRET")))
	structure.SIRET = "11100000000000"
	if _, err := s.node.PutStructure(t.Context(), nil, "", structure); err != nil {
		t.Fatal(err)
	}
	office.get(path).wants(http.StatusOK, htmlcheck.In("section[aria-labelledby=habilitation]", htmlcheck.HasText("active depuis le 12 mars 2024 CCAS <b>")))
	office.get("/departement/annuaire").wants(http.StatusOK, htmlcheck.In("main", htmlcheck.HasText("1 structure mise de côté")),
		htmlcheck.In("main", htmlcheck.HasText("02000000-0000-0000-0000-000000000000")), htmlcheck.In("main", htmlcheck.HasText("SIRET n’a pas 14 chiffres")))
}
