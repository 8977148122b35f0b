package territory_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"syscall"
	"testing"
	"time"

	"relais/node/id"
	"relais/node/territory"
)

// large is the signed roster of 500 hubs, which serve 100 structures, ten each.
func large(b *testing.B) (signed []byte, root string) {
	b.Helper()
	r := &territory.Roster{Territory: "demo", Name: "Territoire de démonstration", Zone: "Europe/Paris"}
	for i := range 500 {
		h := r.Enrol(newcomer(b, fmt.Sprintf("hub-%d", i)))
		if i%5 == 0 {
			r.Structures = append(r.Structures, territory.Structure{
				ID: id.Random[territory.StructureID](), Name: fmt.Sprintf("structure %d", i), State: territory.StructureOpen, Scopes: []string{"social"},
			})
		}
		for n := range 2 {
			s := &r.Structures[(i/5+n*7)%len(r.Structures)]
			if !s.ServedBy(h.ID) {
				s.Serving = append(s.Serving, h.ID)
			}
		}
	}
	by := freshRoot(b)
	signed, err := by.Issue(r, rootNow, 400)
	if err != nil {
		b.Fatal(err)
	}
	return signed, by.Public()
}

// used is the processor time of this process: a busy machine does not change it.
func used(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkGoalRoster verifies a roster of 500 hubs, rules included, in at most
// 20 ms of processor: it is done at each start and each change.
func BenchmarkGoalRoster(b *testing.B) {
	signed, root := large(b)
	begun := used(b)
	for b.Loop() {
		if _, err := territory.OpenRoster(signed, root); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((used(b)-begun).Microseconds())/1000/float64(b.N), "ours:ms")
	b.ReportMetric(20, "goal:max")
}

// BenchmarkGoalRosterBesideParts sets it beside what cannot be spared: the keys
// parsed, the signature verified, the text read as JSON.
func BenchmarkGoalRosterBesideParts(b *testing.B) {
	signed, root := large(b)
	r, err := territory.OpenRoster(signed, root)
	if err != nil {
		b.Fatal(err)
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	text, err := json.Marshal(r)
	if err != nil {
		b.Fatal(err)
	}
	signature := ed25519.Sign(private, text)
	var ours, peer time.Duration
	for b.Loop() {
		begun := used(b)
		if _, err := territory.OpenRoster(signed, root); err != nil {
			b.Fatal(err)
		}
		ours, begun = ours+used(b)-begun, used(b)
		for _, h := range r.Hubs {
			if _, err := x509.ParsePKIXPublicKey(h.Identity); err != nil {
				b.Fatal(err)
			}
		}
		var read any
		if !ed25519.Verify(public, text, signature) || json.Unmarshal(text, &read) != nil {
			b.Fatal("not verified")
		}
		peer += used(b) - begun
	}
	b.ReportMetric(float64(ours.Microseconds())/1000/float64(b.N), "ours:ms")
	b.ReportMetric(float64(peer.Microseconds())/1000/float64(b.N), "peer:ms")
	b.ReportMetric(3, "goal:max")
}
