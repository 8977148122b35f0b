package webui_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"relais/webui/internal/htmlcheck"
)

// TestPeerClockIsShown: a hub whose clock is wrong is named on the page of the
// desk and on the département's, with what to do, and no more once it is right.
func TestPeerClockIsShown(t *testing.T) {
	s := newSite(t)
	desk := s.signedIn(t)
	if err := s.node.KeepRoot(t.Context(), nil, s.root); err != nil {
		t.Fatal(err)
	}
	office := s.departement(t)
	q := newcomer(t, "Lointain", nil)
	address, read := s.asks(t, office, q)
	office.post(address, "fingerprint", read, "code", s.code(t)).leads("/departement/relais/")
	const sentence = "L’horloge de « Lointain » et celle d’ici ne s’accordent pas"
	pages := map[string]*browser{"/bureau/territoire": desk, "/departement": office}
	s.node.PeerDates(q.Hub.ID, false, s.clock.Now())
	for path, b := range pages {
		b.get(path).wants(http.StatusOK, htmlcheck.In("main", htmlcheck.HasText(sentence), htmlcheck.HasText("sa pile est à remplacer")))
		if strings.Contains(b.get(path).body, "janvier 1 ") {
			t.Errorf("%s dates what never was: nobody was ever heard", path)
		}
	}
	s.clock.advance(2 * time.Minute)
	for path, b := range pages {
		if strings.Contains(b.get(path).body, "peer-clock") {
			t.Errorf("%s still says so", path)
		}
	}
}
