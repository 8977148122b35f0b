package territory

import (
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
)

// maxRosterOctets bounds a roster on the wire; a hundred hubs take about 100 kB.
const maxRosterOctets = 1 << 20

// ErrForged means that the roster is not signed by the territory's root.
var ErrForged = errors.New("the roster is not signed by the territory's root")

// OpenRoster reads a signed roster: a C2SP signed note whose text is JSON. It
// fails with ErrForged when rootKey, a note verifier key, did not sign it, and
// with what Validate says when its inner rules do not hold.
func OpenRoster(signed []byte, rootKey string) (*Roster, error) {
	if len(signed) > maxRosterOctets {
		return nil, fmt.Errorf("roster of %d octets; the limit is %d", len(signed), maxRosterOctets)
	}
	root, err := note.NewVerifier(rootKey)
	if err != nil {
		return nil, fmt.Errorf("root key: %w", err)
	}
	n, err := note.Open(signed, note.VerifierList(root))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForged, err)
	}
	r := new(Roster)
	if err := json.Unmarshal([]byte(n.Text), r); err != nil {
		return nil, fmt.Errorf("read roster: %w", err)
	}
	if err := r.Validate(); err != nil {
		return nil, fmt.Errorf("roster %d of %s: %w", r.Version, r.Territory, err)
	}
	return r, nil
}

// Sign returns the roster as the root publishes it. It refuses a roster that
// hubs would refuse.
func (r *Roster) Sign(root note.Signer) ([]byte, error) {
	if err := r.Validate(); err != nil {
		return nil, fmt.Errorf("sign roster %d of %s: %w", r.Version, r.Territory, err)
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write roster: %w", err)
	}
	signed, err := note.Sign(&note.Note{Text: string(text) + "\n"}, root)
	if err != nil {
		return nil, fmt.Errorf("sign roster: %w", err)
	}
	if len(signed) > maxRosterOctets {
		return nil, fmt.Errorf("roster of %d octets; the limit is %d", len(signed), maxRosterOctets)
	}
	return signed, nil
}
