package territory

import "time"

const (
	// RosterDays is how long a roster holds unless told otherwise: a year of hubs
	// asleep, and a meeting a year to renew it.
	RosterDays = 400
	// MaxRosterDays bounds what may be asked.
	MaxRosterDays = 1000
)

// National is the national service as a member of the territory: it has its own
// log and may revoke, never grant.
type National struct {
	Index    uint16 `json:"index"`
	ID       HubID  `json:"id"`
	Name     string `json:"name"`
	Identity []byte `json:"identity"` // DER SubjectPublicKeyInfo, P-256
	URL      string `json:"url"`      // https://host:port of the contract
	// Witness is the Ed25519 key by which it cosigns the hubs' journals, 32 octets.
	// Empty for a service that does not.
	Witness []byte `json:"witness,omitempty"`
	Cuts    []Cut  `json:"cuts,omitempty"`
	Extra   Extra  `json:"-"`
}

// Roster is the signed list of a territory.
type Roster struct {
	Territory Code   `json:"territory"`
	Name      string `json:"name"` // "Territoire de démonstration"
	Zone      string `json:"zone"` // IANA time zone of its screens and papers
	// Version only rises.
	Version  uint32    `json:"version"`
	IssuedAt time.Time `json:"issued_at"`
	// ExpiresAt ends nothing abruptly: past it a hub talks to known hubs only.
	ExpiresAt time.Time `json:"expires_at"`
	// Root is the key that signs this roster, a note verifier key: how a hub that
	// pinned the one before reads a rotation. Empty in rosters made before it.
	Root string `json:"root,omitempty"`
	// NextRoot is NextRootHash of the root that will follow, so that a rotation is
	// recognised by hubs that slept through it.
	NextRoot []byte `json:"next_root,omitempty"`
	// Authority is the certificate by which browsers trust the territory's hubs:
	// DER. Empty in rosters made before it.
	Authority  []byte      `json:"authority,omitempty"`
	Hubs       []Hub       `json:"hubs"`
	Structures []Structure `json:"structures"`
	National   *National   `json:"national,omitempty"`

	Extra Extra `json:"-"`
}

// Hub returns the entry of a hub, expelled ones included.
func (r *Roster) Hub(id HubID) (Hub, bool) {
	for _, h := range r.Hubs {
		if h.ID == id {
			return h, true
		}
	}
	return Hub{}, false
}

// Structure returns the entry of a structure.
func (r *Roster) Structure(id StructureID) (Structure, bool) {
	for _, s := range r.Structures {
		if s.ID == id {
			return s, true
		}
	}
	return Structure{}, false
}
