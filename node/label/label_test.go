package label_test

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"relais/node/label"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the vectors again")

// Each vector is label.Sum of the octets 00 01 02 03.
func TestVectors(t *testing.T) {
	const path = "testdata/labels.json"
	got := map[string]string{}
	for _, l := range label.All {
		sum := l.Sum([]byte{0, 1}, []byte{2, 3})
		got[string(l)] = hex.EncodeToString(sum[:])
	}
	if *update {
		b, err := json.MarshalIndent(got, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("vectors differ from %s (-want +got):\n%s", path, diff)
	}
}

func TestNoLabelBeginsAnother(t *testing.T) {
	for i, a := range label.All {
		if !strings.HasPrefix(string(a), "relais/v1/") {
			t.Errorf("%s does not begin with relais/v1/", a)
		}
		for j, b := range label.All {
			if i != j && strings.HasPrefix(string(b), string(a)) {
				t.Errorf("%s begins with %s", b, a)
			}
		}
	}
}
