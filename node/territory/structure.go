package territory

import "slices"

// StructureState is whether a structure may hold mandates: the territory's own
// authorisation, never the national habilitation.
type StructureState string

// The states of a structure.
const (
	StructureOpen      StructureState = "open"
	StructureSuspended StructureState = "suspended"
	StructureClosed    StructureState = "closed"
)

// Structure is an organisation that holds mandates (mandataire).
type Structure struct {
	ID   StructureID `json:"id"`
	Name string      `json:"name"`
	// Address is one line, as printed on the mandate.
	Address string         `json:"address,omitempty"`
	SIRET   string         `json:"siret,omitempty"` // 14 digits, or empty
	State   StructureState `json:"state"`
	// Scopes are the keys of the démarches the territory allows it.
	Scopes []string `json:"scopes"`
	// Serving are the hubs that receive its dossiers.
	Serving []HubID `json:"serving"`

	Extra Extra `json:"-"`
}

// ServedBy tells whether the hub receives this structure's dossiers.
func (s Structure) ServedBy(hub HubID) bool { return slices.Contains(s.Serving, hub) }

// Allows tells whether the structure may hold mandates for the scope today.
func (s Structure) Allows(scope string) bool {
	return s.State == StructureOpen && slices.Contains(s.Scopes, scope)
}
