package simulation_test

import (
	"crypto"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"relais/node/territory"
)

// world is a territory in one bubble.
type world struct {
	*templates
	draw   *rand.Rand
	fabric *fabric
	dir    string
	roster *territory.Roster // the newest, and as it was signed
	signed []byte
	hubs   []*hub
	behind bool            // two of the five hubs cannot be called
	sides  map[string]int  // of the line that is cut; nil: none is
	out    []crypto.Signer // of hubs that are out of the territory

	stirred  time.Time // when who hears whom last changed
	mandates []known
	stops    []*stop
	told     []string
	planted  bug
	broken   map[property][]string
	count    counts
}

// counts tell whether a run meant anything.
type counts struct{ grants, stops, calm, restores, clones, expulsions, forgeries, alike, forgotten, confirmed int }

func newWorld(t *testing.T, seed uint64, dir string, planted bug) *world {
	t.Helper()
	made, err := shared()
	check(t, err)
	draw := rand.New(rand.NewPCG(seed, 1))
	w := &world{behind: seed%2 == 0, templates: made, draw: draw, fabric: newFabric(draw), dir: dir, planted: planted, broken: make(map[property][]string)}
	now := clock().UTC()
	w.roster = &territory.Roster{
		Territory: code, Name: "Territoire d’essai", Zone: "Europe/Paris", IssuedAt: now, ExpiresAt: now.AddDate(1, 0, 0),
	}
	for _, office := range made.offices {
		w.roster.Structures = append(w.roster.Structures, territory.Structure{
			ID: office, Name: "Maison " + office.String(), State: territory.StructureOpen, Scopes: []string{"argent", "social"},
		})
	}
	for i := range made.hubs {
		h := &hub{
			world: w, index: i, template: &made.hubs[i], host: siteHost(i), dir: filepath.Join(dir, siteHost(i)), signer: made.hubs[i].keys.Identity(),
		}
		copyFolder(t, h.template.dir, h.dir)
		w.hubs = append(w.hubs, h)
		w.enlist(h)
	}
	return w
}

func siteHost(i int) string { return string(rune('a'+i)) + ".example" }

// enlist gives a hub its place on the roster.
func (w *world) enlist(h *hub) {
	office := &w.roster.Structures[0]
	if h.index >= 3 {
		office = &w.roster.Structures[1]
	}
	keys := h.template.public
	w.roster.Enrol(territory.Hub{
		ID: h.self(), Name: siteName(h.index), Identity: spkiOf(h.signer), Witness: keys.Witness,
		Recipient: keys.Recipient, Addresses: h.called(), Assurance: territory.AssuranceSoftware,
	})
	if !office.ServedBy(h.self()) {
		office.Serving = append(office.Serving, h.self())
	}
}

// called is where the others call a hub.
func (h *hub) called() []string {
	if h.world.behind && h.index >= 3 {
		return nil
	}
	return []string{h.address()}
}

// edit signs the next roster.
func (w *world) edit(t *testing.T, change func()) {
	t.Helper()
	change()
	w.roster.Version++
	w.roster.IssuedAt = clock().UTC().Truncate(time.Second)
	w.roster.ExpiresAt = w.roster.IssuedAt.AddDate(1, 0, 0)
	for i := range w.roster.Hubs {
		if h := &w.roster.Hubs[i]; h.State == territory.HubExpelled && h.ExpelledAt.IsZero() {
			h.ExpelledAt = w.roster.IssuedAt
		}
	}
	signed, err := w.roster.Sign(w.root)
	check(t, err)
	w.signed = signed
}

// stop ends every hub, and waits for the timers of memberlist and yamux, which
// nobody can end: a bubble must not have any left.
func (w *world) stop() {
	for _, h := range w.hubs {
		if h.awake() {
			h.end()
		}
	}
	time.Sleep(time.Hour)
}
