package service_test

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"relais/cmd/national/internal/service"
	"relais/cmd/national/internal/store/storetest"
	"relais/node/territory"
	"relais/sync/national"
)

func TestErrPublic(t *testing.T) {
	g := newGround(t, storetest.SQLite(t), 1)
	g.open(t, service.Limits{}).Close()
	key, err := service.LoadIdentity(g.dir)
	check(t, err)
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0"} {
		s, err := service.Open(t.Context(), service.Options{Database: g.database.At, Listen: "127.0.0.1:0", Health: address, Identity: key})
		if !errors.Is(err, service.ErrPublic) {
			t.Errorf("%s: %v", address, err)
		}
		if err == nil {
			s.Close()
		}
	}
}

// TestStatusPage: the territory, its hubs, when each was last here and how far
// apart it was, for people who do not see it too.
func TestStatusPage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		g := newGround(t, empty(t), 4)
		for i, name := range []string{"Valbrume", "Port-Exemple", "Le bus & sa <remorque>", "Ancien relais"} {
			g.roster.Hubs[i].Name = name
		}
		g.roster.Hubs[3].State = territory.HubExpelled
		g.open(t, service.Limits{}).Close()
		at := time.Date(2026, time.November, 22, 7, 58, 0, 0, time.UTC)
		s := g.beside(t, service.Options{Health: "127.0.0.1:0", Now: func() time.Time { return at }})
		count := func(hub int, said string) int {
			req, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+s.Addr().String()+national.PathCounts, nil)
			check(t, err)
			req.Header.Set(national.HeaderCounts, said)
			resp, err := g.client(t, s, g.hub(hub)).Do(req)
			check(t, err)
			resp.Body.Close()
			return resp.StatusCode
		}
		wires := g.pen(g.hub(0)).write(t, 20)
		_, err := s.Apply(t.Context(), wires, g.hub(0))
		check(t, err)
		same := national.Held{Records: 20, Notices: 14, Revocations: 4, Structures: 7, Aside: 1}
		fewer := national.Held{Records: 1217, Notices: 1210, Revocations: 4}
		at = at.Add(-30 * time.Hour)
		if status := count(1, fewer.Header()); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
		at = at.Add(30 * time.Hour)
		if status := count(0, same.Header()); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
		if status := count(0, "records=-1"); status != http.StatusUnprocessableEntity {
			t.Errorf("counts that are none: %d", status)
		}

		page := lookAt(t, s, "/", "localhost")
		defer page.Body.Close()
		text, err := io.ReadAll(page.Body)
		check(t, err)
		said := plain(t, string(text))
		for _, want := range []string{
			"Territoire demo · registre n° 1 · à jour le 22 novembre 2026 à 08:58",
			"À regarder : 3\u00a0relais",
			"Informations 20", "Mandats 14", "Arrêts 4",
			"Valbrume en service 22 novembre 2026 à 08:58 aucun le 22 novembre 2026 à 08:58 20 0 0 7 1\u00a0mise de côté",
			"Port-Exemple muet 21 novembre 2026 à 02:58 1\u202f197\u00a0informations le 21 novembre 2026 à 02:58 0 0 0 0",
			"Le bus & sa <remorque> muet jamais pas encore comparé",
			"Ancien relais hors service jamais",
		} {
			if !strings.Contains(said, want) {
				t.Errorf("not on the page: %s", want)
			}
		}
		if t.Failed() {
			t.Log(said)
		}
		if csp := page.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; style-src 'self';") || strings.Contains(csp, "unsafe") {
			t.Errorf("policy %q", csp)
		}
		for _, part := range []string{`<html lang="fr">`, `<title>`, `href="#contenu"`, `<main id="contenu"`, `<th scope="col"`, `<th scope="row"`} {
			if !strings.Contains(string(text), part) {
				t.Errorf("no %s", part)
			}
		}
		if strings.Contains(string(text), "style=") || strings.Contains(string(text), "<script") {
			t.Error("something inline, which the policy refuses")
		}
	})
}

// TestStatusPageIsOfThisMachine: a name that somebody else made lead here is
// refused, and nothing but the page and its parts is served.
func TestStatusPageIsOfThisMachine(t *testing.T) {
	g := newGround(t, storetest.SQLite(t), 1)
	g.open(t, service.Limits{}).Close()
	s := g.beside(t, service.Options{Health: "127.0.0.1:0"})
	for _, tt := range []struct {
		path, host string
		status     int
	}{
		{"/", "", 200},
		{"/", "[::1]:9465", 200},
		{"/national.css", "", 200},
		{"/mark.svg", "", 200},
		{"/", "ailleurs.example", 421},
		{"/readyz", "ailleurs.example:9465", 421},
		{"/status.tmpl", "", 404},
		{"/relais/v1/vector", "", 404},
	} {
		if status, _ := look(t, s, tt.path, tt.host); status != tt.status {
			t.Errorf("%s as %q: %d, want %d", tt.path, tt.host, status, tt.status)
		}
	}
	if _, text := look(t, s, "/national.css", ""); !strings.Contains(text, "prefers-color-scheme: dark") || strings.Contains(text, "http") {
		t.Error("the style is not there, or comes from elsewhere")
	}
}

// plain is what a page says, and fails where its tags do not match.
func plain(t *testing.T, page string) string {
	t.Helper()
	closed := regexp.MustCompile(`<(meta|link|img)[^>]*`).ReplaceAllString(page, "$0/")
	d := xml.NewDecoder(strings.NewReader(closed))
	var words []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return strings.Join(words, " ")
		}
		if err != nil {
			t.Fatalf("%v in %s", err, page)
		}
		if text, ok := token.(xml.CharData); ok {
			words = slices.AppendSeq(words, strings.FieldsFuncSeq(string(text), func(r rune) bool { return r == ' ' || r == '\n' }))
		}
	}
}
