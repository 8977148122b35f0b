package national

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"relais/node"
	"relais/node/people"
	"relais/sync/exchange"
)

// The list of structures is followed by a cursor: an opaque text that the service
// gives with each page, and from which it goes on. The counts say where the list
// ends, so that a pass with nothing new asks for nothing.
const (
	// MaxStructures is of one page.
	MaxStructures = 200
	// MaxCursorOctets bounds a cursor.
	MaxCursorOctets = 64
	maxListPages    = 1000
	maxListOctets   = 1 << 20 // of one page
	// rereadAfter is how long what was set aside waits before the whole list is read
	// again: it was put right, or this version reads what the one before could not.
	rereadAfter = 24 * time.Hour
)

// Structure is one structure of the service's list, as it is written. It says what
// was decided nationally, and nothing of what the territory allows.
type Structure struct {
	ID           string        `json:"id"` // UUID, in lower case
	Name         string        `json:"name,omitempty"`
	SIRET        string        `json:"siret,omitempty"` // 14 digits
	Commune      string        `json:"commune,omitempty"`
	Postcode     string        `json:"postcode,omitempty"`
	Address      string        `json:"address,omitempty"`
	Habilitation *Habilitation `json:"habilitation,omitempty"` // nil: it has none
	Gone         bool          `json:"gone,omitempty"`         // no longer of the list: nothing else is said
}

// Habilitation is the habilitation Aidants Connect of a structure.
type Habilitation struct {
	State node.Habilitation `json:"state"` // active or ended
	Since string            `json:"since"` // the day, YYYY-MM-DD
}

// StructurePage is an answer of PathStructures. An item is one Structure, kept as it
// came so that one that cannot be read spoils no other.
type StructurePage struct {
	Items []json.RawMessage `json:"items"`
	Next  string            `json:"next"` // the cursor to go on from
	More  bool              `json:"more"` // there is more at once
}

var siretForm = regexp.MustCompile(`^[0-9]{14}$`)

// The reasons for which an item is set aside, as they are kept and shown.
const (
	AsideForm         = "form" // no structure at all
	AsideID           = "id"
	AsideName         = "name"
	AsideText         = "text" // too long, or what does not print
	AsideSIRET        = "siret"
	AsideHabilitation = "habilitation"
)

// asideError is why an item is set aside.
type asideError string

func (e asideError) Error() string { return "not a structure of the list: " + string(e) }

// Entry reads a structure. Its error says, by one of the reasons, what is wrong.
func (s Structure) Entry() (e node.DirectoryEntry, err error) {
	id, err := uuid.Parse(s.ID)
	if err != nil || id == uuid.Nil || id.String() != s.ID {
		return e, asideError(AsideID)
	}
	if s.Gone {
		return node.DirectoryEntry{ID: id}, nil
	}
	if s.Name == "" {
		return e, asideError(AsideName)
	}
	for text, most := range map[string]int{
		s.Name: maxDirectoryName, s.Commune: maxDirectoryText, s.Postcode: maxDirectoryCode, s.Address: maxDirectoryName,
	} {
		if utf8.RuneCountInString(text) > most || text != "" && text != printable(text, most) {
			return e, asideError(AsideText)
		}
	}
	if s.SIRET != "" && !siretForm.MatchString(s.SIRET) {
		return e, asideError(AsideSIRET)
	}
	e = node.DirectoryEntry{
		ID: id, Name: s.Name, Commune: s.Commune, Postcode: s.Postcode, Address: s.Address, SIRET: s.SIRET,
		Habilitation: node.HabilitationNone,
	}
	if h := s.Habilitation; h != nil {
		if _, err := time.Parse(time.DateOnly, h.Since); err != nil || h.State != node.HabilitationActive && h.State != node.HabilitationEnded {
			return node.DirectoryEntry{}, asideError(AsideHabilitation)
		}
		e.Habilitation, e.Since = h.State, h.Since
	}
	return e, nil
}

// parseStructures reads a page. What cannot be read of it is set aside, item by
// item.
func parseStructures(body []byte) (p node.NationalPage, more bool, err error) {
	var page StructurePage
	if err := json.Unmarshal(body, &page); err != nil {
		return p, false, fmt.Errorf("the page is no JSON of one: %w", err)
	}
	if len(page.Items) > MaxStructures || page.Next == "" || len(page.Next) > MaxCursorOctets || !people.Plain(page.Next) {
		return p, false, errors.New("the page holds too much, or does not say where it ends")
	}
	p.Next = page.Next
	for _, raw := range page.Items {
		var s Structure
		if err := json.Unmarshal(raw, &s); err != nil {
			p.Aside = append(p.Aside, asideOf(raw, s, asideError(AsideForm)))
			continue
		}
		e, err := s.Entry()
		switch {
		case err != nil:
			p.Aside = append(p.Aside, asideOf(raw, s, err))
		case s.Gone:
			p.Gone = append(p.Gone, e.ID)
		default:
			p.Entries = append(p.Entries, e)
		}
	}
	return p, page.More, nil
}

// asideOf names an item that cannot be read: by its identifier, or else by what it
// is.
func asideOf(raw []byte, s Structure, err error) node.SetAside {
	a := node.SetAside{Reason: AsideForm}
	var why asideError
	if errors.As(err, &why) {
		a.Reason = string(why)
	}
	if id, err := uuid.Parse(s.ID); err == nil && id != uuid.Nil && id.String() == s.ID {
		a.Key, a.Named = id, true
		return a
	}
	sum := sha256.Sum256(raw)
	copy(a.Key[:], sum[:])
	return a
}

// structures follows the service's list from where this hub stands in it. Each page
// is committed before the next is asked for.
func (t *attempt) structures(ctx context.Context, r *Report) error {
	head := t.counts.StructuresHead
	if head == "" {
		return nil // the service has no list
	}
	l, err := t.Hub.NationalList(ctx)
	if err != nil {
		return err
	}
	if l.Cursor == "" || l.Aside > 0 && l.Whole && r.At.Sub(l.Began) > rereadAfter {
		if l, err = t.Hub.BeginNationalList(ctx); err != nil {
			return err
		}
	}
	if l.Whole && l.Cursor == head {
		return t.takeStructures(ctx, r, node.NationalPage{After: head, Next: head, Total: t.counts.Structures, Last: true})
	}
	for range maxListPages {
		page, more, err := t.getStructures(ctx, l.Cursor)
		if errors.Is(err, errOtherList) && l.Cursor != "" {
			if l, err = t.Hub.BeginNationalList(ctx); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		page.After, page.Total, page.Last = l.Cursor, t.counts.Structures, !more
		if more && page.Next == l.Cursor {
			return fmt.Errorf("the list goes on from where it was")
		}
		if err := t.takeStructures(ctx, r, page); err != nil || !more {
			return err
		}
		l.Cursor = page.Next
	}
	return fmt.Errorf("the list has more than %d pages", maxListPages)
}

func (t *attempt) takeStructures(ctx context.Context, r *Report, p node.NationalPage) error {
	change, err := t.Hub.TakeNationalPage(ctx, p)
	r.Created, r.Updated, r.Deleted = r.Created+change.Created, r.Updated+change.Updated, r.Deleted+change.Gone
	r.Aside = change.Aside
	for _, a := range p.Aside {
		t.Logger.Warn("a structure of the national list is set aside", "structure", a.String(), "reason", a.Reason)
	}
	return err
}

// errOtherList means that a cursor is of a list that the service has no more.
var errOtherList = errors.New("the cursor is of another list")

func (t *attempt) getStructures(ctx context.Context, after string) (p node.NationalPage, more bool, err error) {
	path := PathStructures
	if after != "" {
		path += "?after=" + url.QueryEscape(after)
	}
	body, err := t.do(ctx, http.MethodGet, path, nil, nil, TypeStructures, maxListOctets)
	var refused *exchange.Problem
	if errors.As(err, &refused) && refused.Status == http.StatusGone {
		return p, false, errOtherList
	}
	if err != nil {
		return p, false, err
	}
	return parseStructures(body)
}
