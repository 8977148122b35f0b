package territory

import "time"

// Assurance says what guards a hub's identity key, and so how far to trust it.
type Assurance string

// The assurances.
const (
	AssuranceTPM      Assurance = "tpm"
	AssuranceSoftware Assurance = "software"
)

// HubState is where a hub stands in its territory.
type HubState string

// The states of a hub. An expelled hub keeps its entry for ever: its cuts say
// which of its records still count.
const (
	HubActive   HubState = "active"
	HubExpelled HubState = "expelled"
)

// Hub is one machine of the territory as the roster describes it.
type Hub struct {
	// Index is the hub's number in vectors and cuts. Never used twice.
	Index uint16 `json:"index"`
	ID    HubID  `json:"id"`
	// Name is the site's, as people say it: "Valbrume", "le bus".
	Name string `json:"name"`
	// Identity is the P-256 key that signs records and certifies the link's
	// TLS key: DER SubjectPublicKeyInfo.
	Identity []byte `json:"identity"`
	// Witness is the Ed25519 key of checkpoints and cosignatures: 32 octets.
	Witness []byte `json:"witness"`
	// Recipient receives dossiers: an age X25519 recipient, "age1…".
	Recipient string `json:"recipient"`
	// Addresses are where the link answers, host:port, best first. Empty for a
	// hub that can only call out.
	Addresses []string `json:"addresses"`
	// HostNames are the names its pages answer to, the desk's first.
	HostNames []string `json:"host_names"`
	// KioskName is the host name of its kiosk, which serves nothing else; empty
	// where there is no kiosk.
	KioskName string    `json:"kiosk_name,omitempty"`
	Assurance Assurance `json:"assurance"`
	State     HubState  `json:"state"`
	// Cuts close logs of this hub: at or below is valid from anyone, above is
	// ignored everywhere, whatever came first.
	Cuts []Cut `json:"cuts,omitempty"`
	// ExpelledAt is when the roster that expelled it was issued, UTC: a stop that
	// somebody had heard from it by then stands. Root.Issue writes it. Zero for an
	// active hub, and in rosters made before it.
	ExpelledAt time.Time `json:"expelled_at,omitzero"`

	Extra Extra `json:"-"` // fields of a later version, kept on re-issue
}

// Cut is the last valid record of one log.
type Cut struct {
	Incarnation uint16 `json:"incarnation"`
	Seq         uint32 `json:"seq"`
	Hash        []byte `json:"hash"` // full chain hash, 32 octets

	Extra Extra `json:"-"`
}
