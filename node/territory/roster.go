package territory

import "time"

// National is the national service as a member of the territory: it has its own
// log and may revoke, never grant.
type National struct {
	Index    uint16 `json:"index"`
	ID       HubID  `json:"id"`
	Name     string `json:"name"`
	Identity []byte `json:"identity"` // DER SubjectPublicKeyInfo, P-256
	URL      string `json:"url"`      // https://host:port of the contract
	Cuts     []Cut  `json:"cuts,omitempty"`
	Extra    Extra  `json:"-"`
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
	// NextRoot is SHA-256 of the next root's public key, so that a rotation can
	// be recognised by hubs that slept; empty until one is planned.
	NextRoot   []byte      `json:"next_root,omitempty"`
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
