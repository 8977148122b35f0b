package webui_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"relais/node"
	"relais/node/people"
	"relais/webui"
	"relais/webui/internal/htmlcheck"
	"relais/webui/page"
)

// otherDesk is a browser of a helper of the other structure, signed in.
func (s *site) otherDesk(t *testing.T) *browser {
	t.Helper()
	other := *s
	var err error
	other.helper, err = s.node.EnrolHelper(t.Context(), nil, node.NewHelper{
		Login: "sacha", Name: people.Name{Given: "Sacha", Family: "Exemple"}, Structure: s.node.Roster().Structures[1].ID, Role: people.RoleHelper,
	})
	if err != nil {
		t.Fatal(err)
	}
	return other.signedIn(t)
}

var paperNumber = regexp.MustCompile(`<br>(m_[0-9A-Za-z]+)</p>`)

// TestStopWithPaper keeps the paper's promise: the desk of any structure takes
// the code or the number that stands on it.
func TestStopWithPaper(t *testing.T) {
	s := newSite(t)
	desk, other := s.signedIn(t), s.otherDesk(t)
	const seek = "/bureau/mandats/chercher"
	t.Run("by its number", func(t *testing.T) {
		mandate := s.grant(t, desk)
		desk.paper(mandate)
		number := paperNumber.FindStringSubmatch(desk.get(mandate + "/papier").body)
		if number == nil || "/bureau/mandats/"+number[1] != mandate {
			t.Fatalf("the paper of %s shows the number %q", mandate, number)
		}
		other.post(seek, "sought", " M_"+number[1][2:]+" ").leads(mandate)
		other.get(mandate).wants(http.StatusOK, htmlcheck.In("a.danger", htmlcheck.HasText("Arrêter")))
		other.post(mandate+"/arreter", "reason", "person").leads(mandate)
		desk.get(mandate).wants(http.StatusOK, state("stopped"))
	})
	t.Run("by its code", func(t *testing.T) {
		mandate := s.grant(t, desk)
		code := desk.paper(mandate)
		for _, typed := range []string{strings.ToLower(code), "https://borne.port-exemple.localhost:8443/kiosque/arreter#" + code} {
			confirm := other.post(seek, "sought", typed).wants(http.StatusOK, htmlcheck.In("main", htmlcheck.HasText("Maison de services (démo)")))
			desk.get(mandate).wants(http.StatusOK, state("active"))
			if got := confirm.field("code"); got != code {
				t.Fatalf("it would stop by %q, not %q", got, code)
			}
		}
		for range 2 {
			other.post("/bureau/mandats/code", "code", code).leads(mandate)
			other.get(mandate).wants(http.StatusOK, state("stopped"), htmlcheck.In("#recu-numero"))
		}
		desk.get(mandate).wants(http.StatusOK, state("stopped"))
		other.post(seek, "sought", code).leads(mandate) // nothing is left to confirm
	})
	t.Run("ErrUnknown", func(t *testing.T) {
		alert := htmlcheck.In("#sought-erreur", htmlcheck.HasText("Comparez avec le papier"))
		other.post(seek, "sought", "m_00000000000000000000000004").wants(http.StatusNotFound, alert, htmlcheck.In("details[open]"))
		other.post(seek, "sought", "0000-0000-0000-0000-0").wants(http.StatusNotFound, alert, htmlcheck.In("#sought", htmlcheck.HasAttr("value", "0000-0000-0000-0000-0")))
		other.post("/bureau/mandats/code", "code", "0000-0000-0000-0000-0").wants(http.StatusNotFound, alert)
		for _, typed := range []string{"", "m_12", "Dominique", "h_00000000000000000000000004"} {
			other.post(seek, "sought", typed).wants(http.StatusUnprocessableEntity, htmlcheck.In("#sought-erreur", htmlcheck.HasAttr("role", "alert")))
		}
		for range 12 {
			if answer := other.post(seek, "sought", "0000-0000-0000-0000-0"); answer.StatusCode == http.StatusTooManyRequests {
				answer.waits()
				return
			}
		}
		t.Error("wrong codes are tried without a wait")
	})
}

// TestScannedCode: a scanner types the whole address of the QR.
func TestScannedCode(t *testing.T) {
	for typed, want := range map[string]string{
		"https://borne.port-exemple.localhost:8443/kiosque/arreter#7K3M-9QXD-4T2P-HW8V-5": "7K3M-9QXD-4T2P-HW8V-5",
		" 7k3m 9qxd 4t2p hw8v 5 ": "7k3m 9qxd 4t2p hw8v 5",
		"7K3M-9QXD-4T2P-HW8V-$":   "7K3M-9QXD-4T2P-HW8V-$",
	} {
		if got := webui.StopCodeTyped(&http.Request{PostForm: url.Values{"code": {typed}}, Method: http.MethodPost}, "code"); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}

// TestSamplesSpeakAsTheNode compares the storybook's refusal with the real one.
func TestSamplesSpeakAsTheNode(t *testing.T) {
	s := newSite(t)
	said := func(body string) string {
		doc, err := html.Parse(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		found := htmlcheck.Find(doc, "#code-erreur")
		if len(found) != 1 {
			t.Fatalf("%d refusals of the code", len(found))
		}
		return htmlcheck.Text(found[0])
	}
	samples := page.Samples()
	i := slices.IndexFunc(samples, func(s page.Sample) bool { return s.Name == "kiosk_stop-wrong" })
	sample, err := webui.Draw(samples[i].Page)
	if err != nil {
		t.Fatal(err)
	}
	wrong := s.browser(t, kioskName).post("/kiosque/arreter", "code", "0000-0000-0000-0000-0").wants(http.StatusNotFound)
	if got, want := said(string(sample)), said(wrong.body); got != want {
		t.Errorf("the sample says %q, the program %q", got, want)
	}
}
