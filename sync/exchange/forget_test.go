package exchange_test

import (
	"bytes"
	"net/http"
	"slices"
	"testing"

	"relais/node/record"
	"relais/node/territory"
	"relais/sync/link/linktest"
)

// TestAskForgets: a hub that confirms is not asked again; one that sleeps, and one
// that is not ready, are left for later.
func TestAskForgets(t *testing.T) {
	terr := linktest.NewTerritory()
	here, there := start(t, terr, newMemory(1)), start(t, terr, newMemory(1))
	asleep := linktest.NewHub(t)
	terr.Admit(t, asleep, "127.0.0.1:1")
	held, unready := record.MandateID{1}, record.MandateID{2}
	there.mem.dossiers[held] = []byte("sealed")
	there.mem.serving[here.ID] = true
	here.mem.forgets = map[territory.HubID][]record.MandateID{there.ID: {held, unready}, asleep.ID: {held}}
	done, left, err := here.client.AskForgets(t.Context())
	if err != nil || done != 1 || left != 2 {
		t.Errorf("%d done, %d left, %v", done, left, err)
	}
	if len(there.mem.dossiers) != 0 || !slices.Equal(here.mem.forgets[there.ID], []record.MandateID{unready}) || len(here.mem.forgets[asleep.ID]) != 1 {
		t.Errorf("left: %v", here.mem.forgets)
	}
	t.Run("a word about something else counts for nothing", func(t *testing.T) {
		there.mem.liar = []record.MandateID{{9}}
		here.mem.forgets[asleep.ID] = []record.MandateID{{9}}
		done, left, err := here.client.AskForgets(t.Context())
		if err != nil || done != 0 || left != 2 {
			t.Errorf("%d done, %d left, %v", done, left, err)
		}
		there.mem.liar = nil
	})
	t.Run("ErrForbidden", func(t *testing.T) {
		there.mem.serving[here.ID] = false
		if _, left, err := here.client.AskForgets(t.Context()); err == nil || left != 2 {
			t.Errorf("%d left, %v", left, err)
		}
	})
	t.Run("ErrForm", func(t *testing.T) {
		for _, octets := range []int{15, 16*64 + 16} {
			resp, err := here.link.HTTPClient().Post("https://"+there.ID.String()+"/relais/v1/dossiers/forget",
				"application/vnd.relais.mandates", bytes.NewReader(make([]byte, octets)))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusUnprocessableEntity && resp.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("%d octets: %s", octets, resp.Status)
			}
		}
	})
}
