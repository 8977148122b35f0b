package territory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
)

// MaxRosterOctets bounds a roster on the wire; a hundred hubs take about 100 kB.
const MaxRosterOctets = 1 << 20

// ErrForged means that the roster is not signed by the territory's root.
var ErrForged = errors.New("the roster is not signed by the territory's root")

// OpenRoster reads a signed roster: a C2SP signed note whose text is JSON. It
// fails with ErrForged when rootKey, a note verifier key, did not sign it, and
// with what Validate says when its inner rules do not hold.
func OpenRoster(signed []byte, rootKey string) (*Roster, error) {
	if len(signed) > MaxRosterOctets {
		return nil, fmt.Errorf("roster of %d octets; the limit is %d", len(signed), MaxRosterOctets)
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
	if err := r.UnmarshalJSON([]byte(n.Text)); err != nil { // checks the text by itself; once is enough
		return nil, fmt.Errorf("read roster: %w", err)
	}
	if err := r.Validate(); err != nil {
		return nil, fmt.Errorf("roster %d of %s: %w", r.Version, r.Territory, err)
	}
	if r.Root != "" && r.Root != rootKey {
		return nil, fmt.Errorf("%w: it names another root than the one that signed", ErrForged)
	}
	return r, nil
}

// OpenNext is OpenRoster for whoever holds a roster of the root already: signed
// by it, or by the root whose hash that roster announced (NextRootHash; nil: none
// was). It returns the root that signed, to be pinned from then on. A hub that
// slept through a rotation so recognises the new root by itself.
func OpenNext(signed []byte, rootKey string, announced []byte) (r *Roster, root string, err error) {
	r, err = OpenRoster(signed, rootKey)
	if !errors.Is(err, ErrForged) || len(announced) == 0 {
		return r, rootKey, err
	}
	named := NamedRoot(signed)
	if named == "" || !bytes.Equal(NextRootHash(named), announced) {
		return nil, rootKey, err
	}
	if r, err = OpenRoster(signed, named); err != nil {
		return nil, rootKey, err
	}
	return r, named, nil
}

// NamedRoot reads, unverified, which root a roster says it is signed by; "" when
// it says none.
func NamedRoot(signed []byte) string {
	text, _, _ := bytes.Cut(signed, []byte("\n\n"))
	var says struct{ Root string }
	if json.Unmarshal(text, &says) != nil {
		return ""
	}
	return says.Root
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
	if len(signed) > MaxRosterOctets {
		return nil, fmt.Errorf("roster of %d octets; the limit is %d", len(signed), MaxRosterOctets)
	}
	return signed, nil
}
