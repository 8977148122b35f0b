package exchange_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"relais/sync/exchange"
)

func TestPage(t *testing.T) {
	wires := [][]byte{[]byte("a"), bytes.Repeat([]byte("b"), 255), []byte("cc")}
	page := exchange.AppendPage(nil, wires)
	if len(page) != 1+1+1+255+1+2 || page[0] != 1 || page[2] != 255 {
		t.Errorf("a page of %d octets begins %x", len(page), page[:3])
	}
	back, err := exchange.ParsePage(page)
	if err != nil || !cmp.Equal(wires, back) {
		t.Errorf("%v, %s", err, cmp.Diff(wires, back))
	}
	if empty, err := exchange.ParsePage(nil); err != nil || len(empty) != 0 {
		t.Errorf("an empty page: %v, %v", empty, err)
	}
}

func FuzzParsePage(f *testing.F) {
	f.Add([]byte{1, 'a', 2, 'b', 'c'})
	f.Add([]byte{0})
	f.Add([]byte{255, 1})
	f.Fuzz(func(t *testing.T, page []byte) {
		wires, err := exchange.ParsePage(page)
		if err == nil && !bytes.Equal(exchange.AppendPage(nil, wires), page) {
			t.Fatalf("%x reads as %x", page, wires)
		}
	})
}
