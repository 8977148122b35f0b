package territory

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Extra keeps the members of a JSON object that this version does not know, so
// that a roster passes unharmed through the hands of an older program.
type Extra map[string]json.RawMessage

// decodeKeeping fills known, a pointer to a struct without methods of its own,
// and returns the members it has no field for. A member that differs from a
// known one in case alone is refused: encoding/json would take it for the other.
func decodeKeeping(data []byte, known any) (extra Extra, err error) {
	if err := json.Unmarshal(data, known); err != nil {
		return nil, err
	}
	names := memberNames(reflect.TypeOf(known).Elem())
	for name, value := range members(data) {
		if slices.Contains(names, name) {
			continue
		}
		for _, field := range names {
			if strings.EqualFold(field, name) {
				return nil, fmt.Errorf("member %.40q is %q in another case", name, field)
			}
		}
		if extra == nil {
			extra = Extra{}
		}
		extra[name] = bytes.Clone(value)
	}
	return extra, nil
}

// encodeKeeping writes known, a struct without methods of its own, followed by
// the members it does not know, by name.
func encodeKeeping(known any, extra Extra) ([]byte, error) {
	b, err := json.Marshal(known)
	if err != nil || len(extra) == 0 {
		return b, err
	}
	names := memberNames(reflect.TypeOf(known))
	out := bytes.NewBuffer(bytes.TrimSuffix(b, []byte("}")))
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		if slices.Contains(names, name) {
			return nil, fmt.Errorf("extra member %q has a field", name)
		}
		quoted, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		out.Write(quoted)
		out.WriteByte(':')
		out.Write(extra[name])
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// namesOf keeps what memberNames found: a roster has a thousand members.
var namesOf sync.Map // reflect.Type to []string

// memberNames are those that a struct has fields for.
func memberNames(t reflect.Type) []string {
	if names, found := namesOf.Load(t); found {
		return names.([]string)
	}
	var names []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name != "-" {
			names = append(names, name)
		}
	}
	namesOf.Store(t, names)
	return names
}

// The members of each level have the same two methods; the alias types lose
// them, so that encoding/json does not call them again.

// UnmarshalJSON implements json.Unmarshaler, keeping what it does not know.
func (r *Roster) UnmarshalJSON(b []byte) error {
	type plain Roster
	var p plain
	extra, err := decodeKeeping(b, &p)
	p.IssuedAt, p.ExpiresAt = p.IssuedAt.UTC(), p.ExpiresAt.UTC()
	*r = Roster(p)
	r.Extra = extra
	return err
}

// MarshalJSON implements json.Marshaler, unknown members included.
func (r Roster) MarshalJSON() ([]byte, error) {
	type plain Roster
	return encodeKeeping(plain(r), r.Extra)
}

// UnmarshalJSON implements json.Unmarshaler, keeping what it does not know.
func (h *Hub) UnmarshalJSON(b []byte) error {
	type plain Hub
	var p plain
	extra, err := decodeKeeping(b, &p)
	p.ExpelledAt = p.ExpelledAt.UTC()
	*h = Hub(p)
	h.Extra = extra
	return err
}

// MarshalJSON implements json.Marshaler, unknown members included.
func (h Hub) MarshalJSON() ([]byte, error) {
	type plain Hub
	return encodeKeeping(plain(h), h.Extra)
}

// UnmarshalJSON implements json.Unmarshaler, keeping what it does not know.
func (c *Cut) UnmarshalJSON(b []byte) error {
	type plain Cut
	var p plain
	extra, err := decodeKeeping(b, &p)
	*c = Cut(p)
	c.Extra = extra
	return err
}

// MarshalJSON implements json.Marshaler, unknown members included.
func (c Cut) MarshalJSON() ([]byte, error) {
	type plain Cut
	return encodeKeeping(plain(c), c.Extra)
}

// UnmarshalJSON implements json.Unmarshaler, keeping what it does not know.
func (s *Structure) UnmarshalJSON(b []byte) error {
	type plain Structure
	var p plain
	extra, err := decodeKeeping(b, &p)
	*s = Structure(p)
	s.Extra = extra
	return err
}

// MarshalJSON implements json.Marshaler, unknown members included.
func (s Structure) MarshalJSON() ([]byte, error) {
	type plain Structure
	return encodeKeeping(plain(s), s.Extra)
}

// UnmarshalJSON implements json.Unmarshaler, keeping what it does not know.
func (n *National) UnmarshalJSON(b []byte) error {
	type plain National
	var p plain
	extra, err := decodeKeeping(b, &p)
	*n = National(p)
	n.Extra = extra
	return err
}

// MarshalJSON implements json.Marshaler, unknown members included.
func (n National) MarshalJSON() ([]byte, error) {
	type plain National
	return encodeKeeping(plain(n), n.Extra)
}
