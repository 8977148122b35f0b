package webui_test

import (
	"io"
	"net/http"
	"testing"

	"relais/webui/internal/htmlcheck"
)

// TestWhoHearsWhomIsShown: a page says of each other hub whom it does not hear.
func TestWhoHearsWhomIsShown(t *testing.T) {
	server, _ := storybook(t)
	response, err := http.Get(server.URL + "/territory")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := htmlcheck.Run(string(body), htmlcheck.In("ul.hubs",
		htmlcheck.HasText("entend tous les autres"), htmlcheck.HasText("n’entend pas Port-Exemple"), htmlcheck.HasText("a encore le registre n° 3"))); err != nil {
		t.Error(err)
	}
}
