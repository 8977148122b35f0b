package nodetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"relais/node/territory"
)

// HugeHubs is how many hubs a huge roster lists: a hundred territories' worth.
const HugeHubs = 10_000

// Huge lists ten thousand hubs, each with keys of its own, after those of r, in
// the next version of it.
func Huge(t testing.TB, r *territory.Roster) *territory.Roster {
	t.Helper()
	huge, err := r.Clone()
	if err != nil {
		t.Fatal(err)
	}
	huge.Version++
	for i := range HugeHubs {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		huge.Hubs = append(huge.Hubs, territory.Hub{
			Index: uint16(20_000 + i), ID: territory.HubIDOf(der), Name: fmt.Sprintf("Site %d", i), Identity: der, Witness: make([]byte, 32),
			Recipient: "age1example", Addresses: []string{fmt.Sprintf("site-%d.example:7443", i)},
			Assurance: territory.AssuranceTPM, State: territory.HubActive,
		})
	}
	return huge
}

// SignHuge signs a roster as Sign writes it, for a root that bounds nothing: Sign
// refuses it.
func SignHuge(t testing.TB, r *territory.Roster, root note.Signer) []byte {
	t.Helper()
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Sign(&note.Note{Text: string(text) + "\n"}, root)
	if err != nil {
		t.Fatal(err)
	}
	if len(signed) < 2*territory.MaxRosterOctets {
		t.Fatalf("a huge roster of %d octets", len(signed))
	}
	return signed
}
