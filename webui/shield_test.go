package webui_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"relais/node"
	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/territory"
	"relais/webui"
	"relais/webui/internal/htmlcheck"
)

// at fills a pattern with identifiers that name nothing.
func at(pattern string) string {
	return strings.NewReplacer(
		"{visit}", mediation.AccompanimentID{1}.String(), "{mandate}", mandate.ID{1}.String(),
		"{hub}", territory.HubID{1}.String(), "{structure}", territory.StructureID{1}.String(), "{invitation}", node.InvitationID{1}.String(),
	).Replace(pattern)
}

// shielded checks what every answer carries, whatever its status.
func (a answer) shielded() answer {
	a.t.Helper()
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; script-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
		"X-Content-Type-Options":  "nosniff",
		"Referrer-Policy":         "same-origin",
		"X-Frame-Options":         "DENY",
	} {
		if got := a.Header.Get(name); got != want {
			a.t.Errorf("%s %s (%d): %s %q", a.Request.Method, a.Request.URL.Path, a.StatusCode, name, got)
		}
	}
	if got := a.Header.Values("Cache-Control"); len(got) == 0 || got[0] != "no-store" {
		a.t.Errorf("%s %s (%d): Cache-Control %q", a.Request.Method, a.Request.URL.Path, a.StatusCode, got)
	}
	return a
}

// ask sends a request of any method to a path.
func (b *browser) ask(method, path string, change ...func(*http.Request)) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, "https://"+b.host+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, f := range change {
		f(r)
	}
	return b.do(r)
}

func crossSite(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }

func foreignOrigin(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }

func wrongHost(r *http.Request) { r.Host = "other.example" }

func TestEveryRoute(t *testing.T) {
	s := newSite(t)
	audiences := []struct {
		host   string
		routes []webui.Route
	}{{deskName, s.server.DeskRoutes()}, {kioskName, s.server.KioskRoutes()}}
	for _, audience := range audiences {
		b := s.browser(t, audience.host)
		if len(audience.routes) < 8 {
			t.Fatalf("%s: only %d routes were walked", audience.host, len(audience.routes))
		}
		for _, route := range audience.routes {
			path := at(route.Pattern)
			b.ask(route.Method, path, wrongHost).shielded().wants(http.StatusMisdirectedRequest)
			if route.Method == http.MethodPost {
				b.ask(route.Method, path, crossSite).shielded().wants(http.StatusForbidden, htmlcheck.In("[role=alert]"))
				b.ask(route.Method, path, foreignOrigin).shielded().wants(http.StatusForbidden)
			}
			answer := b.ask(route.Method, path).shielded()
			if strings.HasPrefix(path, "/bureau") || strings.HasPrefix(path, "/departement") {
				answer.leads("/connexion")
			}
			if answer.StatusCode >= 500 {
				t.Errorf("%s %s: %d", route.Method, path, answer.StatusCode)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	s := newSite(t)
	desk, kiosk := s.browser(t, deskName), s.browser(t, kioskName)
	t.Run("ErrNotFound", func(t *testing.T) {
		desk.get("/nowhere").shielded().wants(http.StatusNotFound, htmlcheck.In("h1", htmlcheck.HasText("Page introuvable")))
		desk.get("/static/000000000000/relais.css").shielded().wants(http.StatusNotFound)
	})
	t.Run("ErrMethod", func(t *testing.T) {
		desk.ask(http.MethodDelete, "/connexion").shielded().wants(http.StatusMethodNotAllowed)
		desk.post("/bureau/territoire").shielded().wants(http.StatusMethodNotAllowed)
	})
	t.Run("cleaned path", func(t *testing.T) {
		desk.get("//connexion").shielded().wants(http.StatusMovedPermanently)
	})
	t.Run("the kiosk serves nothing else", func(t *testing.T) {
		for _, route := range s.server.DeskRoutes() {
			if route.Pattern != "/" {
				kiosk.ask(route.Method, at(route.Pattern)).shielded().wants(http.StatusNotFound)
			}
		}
	})
	t.Run("the desk serves no kiosk", func(t *testing.T) { desk.get("/kiosque").wants(http.StatusNotFound) })
	t.Run("ErrTooLarge", func(t *testing.T) {
		kiosk.post("/kiosque/arreter", "code", strings.Repeat("0", 70<<10)).shielded().wants(http.StatusRequestEntityTooLarge)
	})
	t.Run("ErrOtherKind", func(t *testing.T) {
		s.signedIn(t).get("/bureau/mandats/" + mediation.AccompanimentID{1}.String()).wants(http.StatusNotFound)
	})
}

// TestHeadersComeFromOutside is the twin of the tests above: the router alone
// answers 404 without any header of ours, so the wrapping is what they test.
func TestHeadersComeFromOutside(t *testing.T) {
	s, err := webui.New(webui.Options{Names: []string{deskName}})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.BareDesk().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/nowhere", nil))
	if w.Code != http.StatusNotFound || w.Header().Get("Content-Security-Policy") != "" {
		t.Errorf("%d with policy %q: the router sets headers by itself", w.Code, w.Header().Get("Content-Security-Policy"))
	}
}

func TestAssets(t *testing.T) {
	s := newSite(t)
	b := s.browser(t, deskName)
	page := b.get("/connexion").wants(http.StatusOK)
	root, _, err := webui.Assets()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page.body, root+"/relais.css") {
		t.Errorf("the page does not name %s", root)
	}
	for name, kind := range map[string]string{
		"relais.css": "text/css; charset=utf-8", "relais.js": "text/javascript; charset=utf-8", "mark.svg": "image/svg+xml",
		"fonts/atkinson-hyperlegible-next.woff2": "font/woff2", "fonts/LICENSE.txt": "text/plain; charset=utf-8",
	} {
		asset := b.get(root + "/" + name)
		if asset.StatusCode != http.StatusOK || asset.Header.Get("Content-Type") != kind {
			t.Errorf("%s: %d %s", name, asset.StatusCode, asset.Header.Get("Content-Type"))
		}
		if got := asset.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("%s: Cache-Control %q", name, got)
		}
	}
}
