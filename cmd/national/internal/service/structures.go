package service

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"relais/cmd/national/internal/store"
	"relais/node"
	"relais/sync/exchange"
	"relais/sync/national"
)

// cursorSize is the name of a list, and a change of it, in octets.
const cursorSize = 8 + 8

// cursorOf is the cursor after a change of a list; "" when there is no list.
func cursorOf(l store.List, change int64) string {
	if l.Head == 0 {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(l.Name[:], uint64(change)))
}

// changeOf reads a cursor of a list. The problem is 422 for what is none, 410 for one
// of another list.
func changeOf(l store.List, cursor string) (change int64, err error) {
	if cursor == "" {
		return 0, nil
	}
	octets, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(octets) != cursorSize {
		return 0, &exchange.Problem{Status: http.StatusUnprocessableEntity, Detail: "not a cursor"}
	}
	change = int64(binary.BigEndian.Uint64(octets[8:]))
	if [8]byte(octets) != l.Name || change < 0 || change > l.Head {
		return 0, &exchange.Problem{Status: http.StatusGone, Detail: "the cursor is of another list"}
	}
	return change, nil
}

// getStructures gives a page of the list.
func (s *Service) getStructures(w http.ResponseWriter, r *http.Request) error {
	list, err := s.db.List(r.Context())
	if err != nil {
		return err
	}
	after, err := changeOf(list, r.URL.Query().Get("after"))
	if err != nil {
		return err
	}
	if list.Head == 0 {
		return &exchange.Problem{Status: http.StatusGone, Detail: "there is no list"}
	}
	found, last, err := s.db.StructuresAfter(r.Context(), after, national.MaxStructures)
	if err != nil {
		return err
	}
	page := national.StructurePage{Items: make([]json.RawMessage, len(found)), Next: cursorOf(list, last), More: last < list.Head}
	for i, f := range found {
		if page.Items[i], err = json.Marshal(written(f)); err != nil {
			return fmt.Errorf("write a structure: %w", err)
		}
	}
	body, err := json.Marshal(page)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", national.TypeStructures)
	w.Write(body)
	return nil
}

// written is a structure as the contract writes it.
func written(f store.Structure) national.Structure {
	s := national.Structure{ID: uuid.UUID(f.ID).String(), Gone: f.Gone}
	if f.Gone {
		return s
	}
	s.Name, s.SIRET, s.Commune, s.Postcode, s.Address = f.Name, f.SIRET, f.Commune, f.Postcode, f.Address
	if state := node.Habilitation(f.Habilitation); state != node.HabilitationNone {
		s.Habilitation = &national.Habilitation{State: state, Since: f.Since}
	}
	return s
}
