package link_test

import (
	"net/http"
	"testing"
	"time"

	"relais/node/territory"
	"relais/sync/link/linktest"
)

// TestExpiredRoster: past the end of its roster a territory is its known hubs and
// nobody else; an expelled one is let go at once all the same.
func TestExpiredRoster(t *testing.T) {
	terr := linktest.NewTerritory()
	past := func(r *territory.Roster) {
		r.IssuedAt, r.ExpiresAt = time.Now().AddDate(-2, 0, 0), time.Now().AddDate(-1, 0, 0)
	}
	terr.Change(past)
	serve := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	a, b, stranger := linktest.NewHub(t), linktest.NewHub(t), linktest.NewHub(t)
	here := terr.Open(t, a, linktest.Options{HTTP: serve})
	there := terr.Open(t, b, linktest.Options{HTTP: serve})
	terr.Admit(t, a, here.Addr().String())
	terr.Admit(t, b, there.Addr().String())
	open := linktest.NewTerritory() // in which the stranger is known, and the hub it calls
	open.Admit(t, a, here.Addr().String())
	open.Admit(t, stranger)
	outside := open.Open(t, stranger, linktest.Options{})
	linktest.Run(t, here)
	linktest.Run(t, there)
	linktest.Run(t, outside)
	call := func(client *http.Client, hub linktest.Hub) bool {
		resp, err := client.Get("https://" + hub.ID.String() + "/")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusNoContent
	}
	if !call(there.HTTPClient(), a) || !call(here.HTTPClient(), b) {
		t.Error("known hubs do not talk")
	}
	if call(outside.HTTPClient(), a) {
		t.Error("a stranger is let in")
	}
	terr.Update(b.ID, func(h *territory.Hub) { h.State = territory.HubExpelled })
	here.Refresh()
	if call(there.HTTPClient(), a) {
		t.Error("an expelled hub is let in")
	}
}
