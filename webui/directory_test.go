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
