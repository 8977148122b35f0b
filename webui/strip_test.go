package webui_test

import (
	"net/http"
	"strings"
	"testing"

	"relais/webui"
	"relais/webui/internal/htmlcheck"
)

// TestSoftwareKeysAreSaid walks every page: where a file guards the hub's keys, the
// red strip is on all those of the desk and of the département, on those that refuse,
// and on those for whoever did not sign in. It is neither on what is printed nor at the
// kiosk. With a TPM it is nowhere, though the roster calls this hub a software one:
// what the hub knows of itself decides.
func TestSoftwareKeysAreSaid(t *testing.T) {
	for name, software := range map[string]bool{"file": true, "tpm": false} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(o *webui.Options) { o.Software = software })
			strip := htmlcheck.None(".alarm-strip")
			if software {
				strip = htmlcheck.In(".alarm-strip", htmlcheck.HasText("Clés gardées en logiciel."))
			}
			s.walkStrips(t, strip)
		})
	}
}

func (s *site) walkStrips(t *testing.T, strip htmlcheck.Check) {
	t.Helper()
	desk, kiosk := s.signedIn(t), s.browser(t, kioskName)
	mandate := s.grant(t, desk)
	desk.get(mandate+"/papier").wants(http.StatusOK, htmlcheck.None(".alarm-strip"))
	ids := strings.NewReplacer("/bureau/mandats/{mandate}", mandate, "{visit}", strings.TrimPrefix(desk.visit(), "/bureau/accompagnements/"),
		"{hub}", s.node.Self().String(), "{structure}", s.node.Roster().Structures[0].ID.String())
	walked := map[string]int{}
	for _, as := range []struct {
		who string
		browser
	}{{"nobody", *s.browser(t, deskName)}, {"helper", *desk}, {"departement", *s.departement(t)}} {
		for _, route := range s.server.DeskRoutes() {
			if route.Method != http.MethodGet || strings.HasSuffix(route.Pattern, "/papier") {
				continue
			}
			switch a := as.get(at(ids.Replace(route.Pattern))); {
			case a.StatusCode == http.StatusOK:
				a.wants(http.StatusOK, strip)
				walked[as.who]++
			case a.StatusCode >= http.StatusBadRequest:
				a.wants(a.StatusCode, strip)
				walked[as.who+" refused"]++
			}
		}
		as.get("/nulle/part").wants(http.StatusNotFound, strip)
	}
	for _, route := range s.server.KioskRoutes() {
		if a := kiosk.get(route.Pattern); a.StatusCode == http.StatusOK {
			a.wants(http.StatusOK, htmlcheck.None(".alarm-strip"))
			walked["kiosk"]++
		}
	}
	for who, least := range map[string]int{"nobody": 1, "helper": 13, "helper refused": 12, "departement": 10, "departement refused": 15, "kiosk": 5} {
		if walked[who] < least {
			t.Errorf("%s: %d pages were seen, want %d at least", who, walked[who], least)
		}
	}
}
