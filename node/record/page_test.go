package record_test

import (
	"bytes"
	"crypto/ecdsa"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"relais/node/record"
	"relais/node/territory"
)

// logOf is a log of notices, and a stop each tenth, as it goes on the wire.
func logOf(t testing.TB, key *ecdsa.PrivateKey, hub territory.HubID, n int) (wires [][]byte) {
	t.Helper()
	r := record.Record{Territory: demo, Place: record.Place{LogID: record.LogID{Hub: hub, Incarnation: 1}}, Time: morning}
	for i := range n {
		r.Seq, r.Time = r.Seq+1, r.Time.Add(time.Minute)
		r.Body = notice(byte(i))
		if i%10 == 9 {
			r.Body = &record.Revocation{Mandate: fill[record.MandateID](byte(i - 1)), Reason: record.ReasonPerson, Channel: record.ChannelDesk, Claimed: r.Time}
		}
		r.Kind = record.KindOf(r.Body)
		payload, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		signature, err := record.Sign(key, demo, hub, payload)
		if err != nil {
			t.Fatal(err)
		}
		wires = append(wires, record.Assemble(hub, payload, signature))
		h := record.ChainHash(hub, payload)
		r.Prev = [16]byte(h[:16])
	}
	return wires
}

func octets(wires [][]byte) (n int) {
	for _, wire := range wires {
		n += len(wire)
	}
	return n
}

// TestPage: what goes in comes out, in its order, whatever stands beside it.
func TestPage(t *testing.T) {
	key, hub := newKey(t)
	other, elsewhere := newKey(t)
	log, second := logOf(t, key, hub, 600), logOf(t, other, elsewhere, 3)
	altered := bytes.Clone(log[1])
	altered[60] ^= 1
	holed := slices.Concat(log[:4], log[6:9])
	for name, c := range map[string]struct {
		wires [][]byte
		most  float64 // octets of the page, beside those of the records
	}{
		"Nothing": {nil, 0}, "One": {log[:1], 1}, "Middle": {log[10:11], 1}, "Log": {log, 0.77}, "Two": {slices.Concat(log[:9], second), 0.85},
		"Hole": {holed, 0.95}, "Backwards": {[][]byte{log[4], log[3], log[2]}, 1.01}, "Twice": {slices.Concat(log[:2], log[:2]), 1.01},
		"Fork":      {[][]byte{log[0], altered, log[1], log[2]}, 1.01},
		"NoRecords": {[][]byte{[]byte("a"), bytes.Repeat([]byte("b"), 255), log[0], bytes.Repeat([]byte{0xd2}, 120)}, 1.02},
	} {
		t.Run(name, func(t *testing.T) {
			page := record.AppendPage(nil, c.wires)
			back, err := record.ParsePage(page)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.wires, back); diff != "" {
				t.Error(diff)
			}
			if got := float64(len(page)) / float64(max(octets(c.wires), 1)); got > c.most {
				t.Errorf("%d octets for %d: %.3f, want %.2f at most", len(page), octets(c.wires), got, c.most)
			}
		})
	}
}

func TestErrParsePage(t *testing.T) {
	key, hub := newKey(t)
	page := record.AppendPage(nil, logOf(t, key, hub, 3))
	if page[0] != 0 {
		t.Fatal("a log is not written as a run")
	}
	for n := 1; n < len(page); n++ {
		if _, err := record.ParsePage(page[:n]); !errors.Is(err, record.ErrPage) {
			t.Errorf("cut at %d of %d: %v", n, len(page), err)
		}
	}
	for name, bad := range map[string][]byte{
		"ErrEmptyRun": append([]byte{0, 0}, page[2:]...), "ErrCode": append([]byte{0, 3, 9}, page[3:]...), "ErrSingle": {5, 1, 2},
		"ErrNoSignature": append(bytes.Clone(page[:len(page)-1-200]), 3, 1, 1, 1),
	} {
		if _, err := record.ParsePage(bad); !errors.Is(err, record.ErrPage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzParsePage: what a page says can be said again, in no more octets.
func FuzzParsePage(f *testing.F) {
	key, hub := newKey(f)
	log := logOf(f, key, hub, 12)
	f.Add(record.AppendPage(nil, log))
	f.Add(record.AppendPage(nil, [][]byte{log[3], []byte("x"), log[4], log[5]}))
	f.Add([]byte{1, 'a', 2, 'b', 'c'})
	f.Add([]byte{0, 1, 0})
	f.Fuzz(func(t *testing.T, page []byte) {
		wires, err := record.ParsePage(page)
		if err != nil {
			return
		}
		for _, wire := range wires {
			if len(wire) == 0 || len(wire) > record.MaxOctets {
				t.Fatalf("a record of %d octets", len(wire))
			}
		}
		back, err := record.ParsePage(record.AppendPage(nil, wires))
		if err != nil || !cmp.Equal(wires, back) {
			t.Fatalf("%v: %s", err, cmp.Diff(wires, back))
		}
	})
}
