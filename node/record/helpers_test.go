package record_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"testing"
	"time"

	"relais/node/id"
	"relais/node/record"
	"relais/node/territory"
)

const demo = territory.Code("demo")

// morning is the instant most tests happen at.
var morning = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

func newKey(t testing.TB) (*ecdsa.PrivateKey, territory.HubID) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key, territory.HubIDOf(spki(t, key))
}

func spki(t testing.TB, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	b, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fill returns 16 octets that are easy to recognise.
func fill[T ~[16]byte](b byte) (out T) {
	for i := range out {
		out[i] = b
	}
	return out
}

func notice(m byte) *record.Notice {
	return &record.Notice{
		Mandate: fill[record.MandateID](m), Structure: fill[territory.StructureID](0x51), Lines: 2,
		Start: morning, End: morning.Add(31 * 24 * time.Hour), Regime: record.Local,
		Stop: codeOf(m).Commitment(demo), Dossier: fill[[16]byte](0xd0),
	}
}

// codeOf is the stop code of the mandate that notice(m) states.
func codeOf(m byte) record.StopCode {
	c := record.StopCode{0: 'c', 9: m}
	return c
}

func revocation(m byte, lines uint32) *record.Revocation {
	return &record.Revocation{
		Mandate: fill[record.MandateID](m), Lines: lines,
		Reason: record.ReasonPerson, Channel: record.ChannelDesk, Claimed: morning,
	}
}

func byCode(m byte, code record.StopCode) *record.Revocation {
	return &record.Revocation{
		Mandate: fill[record.MandateID](m), Reason: record.ReasonPerson, Channel: record.ChannelKiosk,
		Claimed: morning, Code: &code,
	}
}

func at(hub territory.HubID, seq uint32, body record.Body) record.Record {
	return record.Record{
		Territory: demo, Place: record.Place{LogID: record.LogID{Hub: hub, Incarnation: 1}, Seq: seq},
		Time: morning, Kind: record.KindOf(body), Body: body,
	}
}

// bodies holds one of each kind, the smallest and the largest.
func bodies() map[string]record.Body {
	subject := fill[[16]byte](0x5b)
	code := codeOf(7)
	full := &record.Close{Structure: fill[territory.StructureID](0x51)}
	for i := range record.MaxCuts {
		full.Cuts = append(full.Cuts, record.Position{Index: uint16(60000 + i), Incarnation: 65535, Seq: 1<<32 - 1})
	}
	last := time.UnixMilli(253402300799999).UTC()
	return map[string]record.Body{
		"notice": notice(1),
		"notice, largest": &record.Notice{
			Mandate: fill[record.MandateID](0xff), Structure: fill[territory.StructureID](0xff), Lines: 255,
			Start: last, End: last, Regime: 255, Stop: fill[record.Commitment](0xff), Dossier: fill[[16]byte](0xff), Subject: &subject,
		},
		"revocation":              revocation(1, 1<<31),
		"revocation by code":      &record.Revocation{Mandate: fill[record.MandateID](1), Lines: 1<<32 - 1, Reason: 255, Channel: 255, Claimed: last, Code: &code},
		"close":                   &record.Close{Structure: fill[territory.StructureID](0x51), Cuts: []record.Position{{Index: 0, Incarnation: 1, Seq: 9}}},
		"close, largest":          full,
		"helper suspended":        &record.Helper{Helper: fill[territory.HelperID](0xa1)},
		"helper reinstated":       &record.Helper{Helper: fill[territory.HelperID](0xa1), Lifts: &record.Position{Index: 3, Incarnation: 1, Seq: 70000}},
		"floor":                   &record.Floor{Seq: 41, Hash: record.Hash{1, 2, 3}},
		"unknown kind":            &record.Unknown{Of: 77, Version: 1, Raw: []byte{0x83, 0x01, 0x41, 0x02, 0x61, 'x'}},
		"unknown version":         &record.Unknown{Of: record.KindNotice, Version: 2, Raw: []byte{0xf6}},
		"malformed by its author": &record.Unknown{Of: record.KindRevocation, Version: 1, Raw: []byte{0x80}},
	}
}

// rosterOf makes the roster of a territory whose hubs have these keys. All serve
// the one structure.
func rosterOf(t testing.TB, keys ...*ecdsa.PrivateKey) *territory.Roster {
	t.Helper()
	r := &territory.Roster{
		Territory: demo, Name: "Territoire d’essai", Zone: "Europe/Paris", Version: 1,
		IssuedAt: morning, ExpiresAt: morning.Add(365 * 24 * time.Hour),
		Structures: []territory.Structure{{
			ID: fill[territory.StructureID](0x51), Name: "France Services", State: territory.StructureOpen, Scopes: []string{"argent"},
		}},
	}
	for i, key := range keys {
		der := spki(t, key)
		hub := territory.HubIDOf(der)
		r.Hubs = append(r.Hubs, territory.Hub{
			Index: uint16(i), ID: hub, Name: "hub " + id.Encode(hub[:2]), Identity: der,
			Witness: make([]byte, 32), Recipient: "age1test", Assurance: territory.AssuranceSoftware, State: territory.HubActive,
		})
		r.Structures[0].Serving = append(r.Structures[0].Serving, hub)
	}
	return r
}
