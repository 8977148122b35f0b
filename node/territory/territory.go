// Package territory holds the values a département's root signs: the hubs of a
// territory, the structures that work in it, and the national service, together
// the roster (registre du territoire).
//
// They are pure values. The one guarantee worth remembering: a Roster returned
// by OpenRoster is signed by the root and keeps the rules of Validate. Whether it
// is newer than the one in hand is for the caller to compare.
package territory

import (
	"fmt"
	"regexp"

	"relais/node/id"
	"relais/node/label"
)

type (
	hubKind       struct{}
	structureKind struct{}
	helperKind    struct{}
)

func (hubKind) Prefix() string       { return "h" }
func (structureKind) Prefix() string { return "s" }
func (helperKind) Prefix() string    { return "a" }

// HubID names a hub by its identity key: SHA-256(label ‖ SPKI)[:16].
type HubID = id.ID[hubKind]

// HubIDOf returns the identifier of the hub (or national service) whose
// identity key has this DER SubjectPublicKeyInfo.
func HubIDOf(spki []byte) HubID {
	sum := label.HubID.Sum(spki)
	return HubID(sum[:id.Size])
}

// StructureID names a structure.
type StructureID = id.ID[structureKind]

// HelperID names a helper across the whole territory. Accounts are per hub;
// the identifier is not.
type HelperID = id.ID[helperKind]

// Code is the short name of a territory, such as "2a", "974" or "demo". It is
// part of every signature, so a record of one territory means nothing in another.
type Code string

// maxCodeOctets keeps the largest record within its 255 octets.
const maxCodeOctets = 8

var codeForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,7}$`)

// Validate says whether c is lower-case letters, digits and hyphens, at most 8.
func (c Code) Validate() error {
	if len(c) > maxCodeOctets || !codeForm.MatchString(string(c)) {
		return fmt.Errorf("territory code %.40q is not 1 to %d of a-z, 0-9 and -", string(c), maxCodeOctets)
	}
	return nil
}
