package territory_test

import (
	"encoding/json"
	"maps"
	"testing"

	"relais/node/territory"
)

// FuzzExtra: what a member keeps is what encoding/json would have given in a map,
// less what it has a field for.
func FuzzExtra(f *testing.F) {
	f.Add([]byte(`{"incarnation":1,"seq":2,"hash":null,"a":1}`))
	f.Add([]byte(` { "\u0061b" : [ {"x":"}\"]"} , 2 ] , "c":{},"c":"é" , "":null } `))
	f.Add([]byte(`null`))
	f.Add([]byte("{\"\xff\":1,\"\\\\\":\" , \"}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var c territory.Cut
		if c.UnmarshalJSON(b) != nil {
			return
		}
		want := map[string]json.RawMessage{}
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatal(err)
		}
		for _, known := range []string{"incarnation", "seq", "hash"} {
			delete(want, known)
		}
		if !maps.EqualFunc(want, c.Extra, func(x, y json.RawMessage) bool { return string(x) == string(y) }) {
			t.Errorf("%s keeps %q, want %q", b, c.Extra, want)
		}
	})
}
