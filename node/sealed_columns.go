package node

import (
	"errors"

	"relais/node/internal/store"
	"relais/node/mediation"
	"relais/node/people"
	"relais/node/seal"
)

// sealedColumn is a column sealed under the hub's key, and how its values open.
type sealedColumn struct {
	store.Sealed
	purpose seal.Purpose
	place   func(key any) seal.Place // of the row of a primary key
}

// sealedColumns lists every one. A column that is not here is passed over by
// Reseal, and lost with the key that sealed it: a test holds the list against the
// schema.
var sealedColumns = []sealedColumn{
	{store.Sealed{Table: "meta", Key: "key", Column: "value", Where: sealedMeta}, seal.PurposeSecret, ofMeta},
	{store.Sealed{Table: "helpers", Key: "id", Column: "name"}, seal.PurposeHelper, ofHelper("name")},
	{store.Sealed{Table: "helpers", Key: "id", Column: "verifier"}, seal.PurposeCredential, ofHelper("verifier")},
	{store.Sealed{Table: "helpers", Key: "id", Column: "seed"}, seal.PurposeCredential, ofHelper("seed")},
	{store.Sealed{Table: "persons", Key: "id", Column: "wrapped"}, seal.PurposePerson, ofPerson},
	{store.Sealed{Table: "secrets", Key: "key", Column: "value"}, seal.PurposeSecret, ofSecret},
	{store.Sealed{Table: "sessions", Key: "token", Column: "data"}, seal.PurposeSecret, ofSession},
	{store.Sealed{Table: "drafts", Key: "accompaniment", Column: "content"}, seal.PurposeDraft, ofDraft},
}

// sealedMeta names the rows of meta that are sealed; the others are in clear.
const sealedMeta = `key IN ('` + metaWitnessKey + `', '` + metaDossierKey + `')`

func ofHelper(column string) func(key any) seal.Place {
	return func(key any) seal.Place { return helperPlace(people.HelperID(key.([]byte)), column) }
}

func ofMeta(key any) seal.Place    { return metaPlace(key.(string)) }
func ofSecret(key any) seal.Place  { return secretPlace(key.(string)) }
func ofPerson(key any) seal.Place  { return personPlace(people.BeneficiaryID(key.([]byte))) }
func ofSession(key any) seal.Place { return sessionPlace([32]byte(key.([]byte))) }
func ofDraft(key any) seal.Place   { return draftPlace(mediation.AccompanimentID(key.([]byte))) }

// countLeft counts what is sealed, or tagged, under another key than this one.
func countLeft(r *store.Reader, newest uint32) (int, error) {
	left, err := r.CountLogins(newest)
	for _, c := range sealedColumns {
		n, failure := r.CountSealed(c.Sealed, newest)
		left, err = left+n, errors.Join(err, failure)
	}
	return left, err
}
