// Package label lists the domain-separation labels of Relais, all of them, in
// one file: relais/v1/<purpose>.
//
// Whatever is hashed, signed, or derived begins with a label, so that octets
// made for one purpose are never mistaken for another's. No label is the
// beginning of another, so label ‖ data can be read only one way. Each has a
// vector in testdata/labels.json; a label once published is never reused.
package label

import "crypto/sha256"

// Label is the first part of whatever is hashed, signed or derived.
type Label string

// The labels.
const (
	HubID      Label = "relais/v1/hub-id"      // SHA-256(label ‖ SPKI)[:16]
	Record     Label = "relais/v1/record"      // external_aad: label ‖ territory
	Chain      Label = "relais/v1/chain"       // SHA-256(label ‖ protected header ‖ payload)
	Fork       Label = "relais/v1/fork"        // SHA-256(label ‖ chain hashes): the head of a log with two histories
	StopCode   Label = "relais/v1/stop-code"   // SHA-256(label ‖ territory ‖ code)[:16]
	Dossier    Label = "relais/v1/dossier"     // SHA-256(label ‖ dossier)[:16]
	SubjectTag Label = "relais/v1/subject-tag" // HMAC under the territory's yearly key
	Leaf       Label = "relais/v1/leaf"        // journal: the leaf of one entry
	Personal   Label = "relais/v1/personal"    // journal: HMAC of the personal part
	Recap      Label = "relais/v1/recap"       // what the helper approves
	Text       Label = "relais/v1/text"        // the text presented and printed
	Seal       Label = "relais/v1/seal"        // additional data of the one ciphertext format
	Keyring    Label = "relais/v1/keyring"     // purpose keys, derived by HKDF
	Session    Label = "relais/v1/session"     // hash of a session token at rest
	LinkLeaf   Label = "relais/v1/link-leaf"   // certificate of a link key
	NextRoot   Label = "relais/v1/next-root"   // SHA-256(label ‖ next root key)
	Beacon     Label = "relais/v1/beacon"      // Ed25519 by the witness key over label ‖ territory ‖ 0 ‖ beacon

	RootFingerprint Label = "relais/v1/root-fingerprint" // SHA-256(label ‖ root key)[:16]
	Enrolment       Label = "relais/v1/enrolment"        // SHA-256(label ‖ request)[:10], read aloud
	Invitation      Label = "relais/v1/invitation"       // SHA-256(label ‖ invitation)[:4]: a code well copied
	InviteSecret    Label = "relais/v1/invite-secret"    // SHA-256(label ‖ secret): an invitation at rest
)

// All lists every label, for tests and for readers of other programs.
var All = []Label{
	HubID, Record, Chain, Fork, StopCode, Dossier, SubjectTag, Leaf, Personal,
	Recap, Text, Seal, Keyring, Session, LinkLeaf, NextRoot, Beacon,
	RootFingerprint, Enrolment, Invitation, InviteSecret,
}

// Sum returns SHA-256(l ‖ parts…). Parts are joined without separators: at most
// one of them may vary in length, or their lengths must be fixed by a format.
func (l Label) Sum(parts ...[]byte) [32]byte {
	h := sha256.New()
	h.Write([]byte(l))
	for _, part := range parts {
		h.Write(part)
	}
	return [32]byte(h.Sum(nil))
}
