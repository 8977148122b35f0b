package webui_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"relais/webui/internal/htmlcheck"
)

func TestSignIn(t *testing.T) {
	s := newSite(t)
	b := s.browser(t, deskName)
	b.get("/bureau").leads("/connexion")
	b.get("/connexion").wants(http.StatusOK, htmlcheck.None(".flash"))

	t.Run("ErrUnauthenticated", func(t *testing.T) {
		refused := b.post("/connexion", "login", "camille", "passphrase", "not the passphrase", "code", s.code(t))
		refused.shielded().wants(http.StatusUnauthorized,
			htmlcheck.In("title", htmlcheck.HasText("Erreur : ")), htmlcheck.In("#login", htmlcheck.HasAttr("value", "camille")),
			htmlcheck.In("#passphrase", htmlcheck.HasAttr("value", "")), htmlcheck.In("[role=alert]"),
			htmlcheck.In("#code-aide", htmlcheck.HasText("Le prochain code arrive dans")))
	})
	t.Run("cookie", func(t *testing.T) {
		s.clock.advance(time.Minute)
		in := b.post("/connexion", "login", "camille", "passphrase", s.helper.Passphrase, "code", s.code(t))
		in.leads("/bureau")
		cookie := in.Header.Get("Set-Cookie")
		for _, want := range []string{"__Host-relais=", "Path=/", "HttpOnly", "Secure", "SameSite=Lax"} {
			if !strings.Contains(cookie, want) {
				t.Errorf("cookie %q lacks %s", cookie, want)
			}
		}
		if strings.Contains(cookie, "Domain") || strings.Contains(cookie, "Max-Age") || strings.Contains(cookie, "Expires") {
			t.Errorf("cookie %q outlives the browser or the host", cookie)
		}
		b.get("/bureau").wants(http.StatusOK, htmlcheck.In(".who", htmlcheck.HasText("Camille E. · Maison de services (démo)")))
	})
	t.Run("another token at each sign-in", func(t *testing.T) {
		first, second := s.signedIn(t), s.signedIn(t)
		if a, b := token(first), token(second); a == "" || a == b {
			t.Errorf("tokens %q and %q", a, b)
		}
	})
	t.Run("a code serves once", func(t *testing.T) {
		code := s.code(t)
		other := s.browser(t, deskName)
		other.post("/connexion", "login", "camille", "passphrase", s.helper.Passphrase, "code", code).leads("/bureau")
		third := s.browser(t, deskName)
		third.post("/connexion", "login", "camille", "passphrase", s.helper.Passphrase, "code", code).wants(http.StatusUnauthorized,
			htmlcheck.In("[role=alert]", htmlcheck.HasText("Attendez le suivant")))
	})
	t.Run("ErrEmpty", func(t *testing.T) {
		for range 8 { // more than the attempts that are free: none is counted
			b := s.browser(t, deskName)
			b.post("/connexion", "login", "camille", "passphrase", "", "code", " ").wants(http.StatusUnprocessableEntity,
				htmlcheck.None("#login-erreur"), htmlcheck.In("#passphrase-erreur", htmlcheck.HasAttr("role", "alert")), htmlcheck.In("#code-erreur"))
		}
		s.signedIn(t)
	})
	t.Run("ErrLimited", func(t *testing.T) {
		limited := false
		for range 12 {
			answer := b.post("/connexion", "login", "camille", "passphrase", "not the passphrase", "code", "000000")
			if limited = answer.StatusCode == http.StatusTooManyRequests; limited {
				answer.waits()
				break
			}
		}
		if !limited {
			t.Error("twelve wrong sign-ins and no wait")
		}
	})
}

// waits checks that a refusal says how long, to a person once and to a program.
func (a answer) waits() {
	a.t.Helper()
	if seconds, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || seconds < 1 {
		a.t.Errorf("Retry-After %q", a.Header.Get("Retry-After"))
	}
	if n := strings.Count(a.body, "seconde"); n != 1 {
		a.t.Errorf("the wait is said %d times", n)
	}
}

func token(b *browser) string {
	for _, c := range b.client.Jar.Cookies(mustURL("https://" + b.host + "/")) {
		if c.Name == "__Host-relais" {
			return c.Value
		}
	}
	return ""
}

func TestSessionEnds(t *testing.T) {
	t.Run("idle", func(t *testing.T) {
		s := newSite(t)
		b := s.signedIn(t)
		for range 3 {
			s.clock.advance(14 * time.Minute)
			b.get("/bureau").wants(http.StatusOK)
		}
		s.clock.advance(16 * time.Minute)
		b.get("/bureau").leads("/connexion")
		b.get("/connexion").wants(http.StatusOK, htmlcheck.In(".flash", htmlcheck.HasText("Votre session est finie")))
	})
	t.Run("absolute", func(t *testing.T) {
		s := newSite(t)
		b := s.signedIn(t)
		for range 12 * 60 / 14 {
			s.clock.advance(14 * time.Minute)
			b.get("/bureau/territoire").wants(http.StatusOK)
		}
		s.clock.advance(10 * time.Minute)
		b.get("/bureau").leads("/connexion")
	})
	t.Run("signed out", func(t *testing.T) {
		s := newSite(t)
		b := s.signedIn(t)
		kept := token(b)
		b.post("/deconnexion").leads("/connexion")
		b.client.Jar.SetCookies(mustURL("https://"+deskName+"/"), []*http.Cookie{{Name: "__Host-relais", Value: kept, Secure: true, Path: "/"}})
		b.get("/bureau").leads("/connexion")
	})
}
