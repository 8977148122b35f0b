package node

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/google/uuid"

	"relais/node/internal/store"
)

// The national service's list of structures is kept where the public directory of
// Aidants Connect is: the same structures, and what is decided of them nationally. A
// hub has one of the two. The list is followed by a cursor, change by change; a
// reading of it from the beginning has a number, as one of the directory has.

// Habilitation is where a structure stands with Aidants Connect.
type Habilitation = store.Habilitation

// The habilitations.
const (
	HabilitationNone   = store.HabilitationNone
	HabilitationActive = store.HabilitationActive
	HabilitationEnded  = store.HabilitationEnded
)

// maxAsides bounds the items that are shown one by one.
const maxAsides = 20

// NationalList is where this hub stands in the national service's list.
type NationalList struct {
	Cursor  string    // to go on from; "" before the first page
	Whole   bool      // it came to the list's end since it began at its beginning
	Began   time.Time // that reading; zero: none
	Checked time.Time // when it was last at the list's end
	Here    int       // structures that are kept, those that are gone left out
	There   int       // structures that the service said the list has
	Aside   int       // items that could not be read
}

// NationalList returns it; zero when the list was never begun, or another directory
// was read since.
func (n *Node) NationalList(ctx context.Context) (l NationalList, err error) {
	err = n.db.Read(ctx, func(r *store.Reader) (err error) { l, err = nationalList(r); return err })
	return l, err
}

func nationalList(r *store.Reader) (l NationalList, err error) {
	kept, found, err := r.NationalList()
	if err != nil || !found {
		return l, err
	}
	c, _, err := r.LastCrawl()
	if err != nil || c.Number != kept.Crawl {
		return l, err
	}
	l = NationalList{Cursor: kept.Cursor, Whole: !c.Ended.IsZero(), Began: c.Began, Checked: c.Ended, There: c.Total}
	if l.Here, _, err = r.CountDirectory(kept.Crawl); err != nil {
		return l, err
	}
	l.Aside, err = r.CountAside()
	return l, err
}

// BeginNationalList begins the list anew, from its beginning. What is kept of it
// stays until the new reading is whole.
func (n *Node) BeginNationalList(ctx context.Context) (l NationalList, err error) {
	err = n.db.Write(ctx, func(tx *store.Tx) error {
		last, _, err := tx.LastCrawl()
		if err != nil {
			return err
		}
		if err := tx.PutCrawl(Crawl{Number: last.Number + 1, Began: tx.Now}); err != nil {
			return err
		}
		if err := tx.PutNationalList(store.NationalList{Crawl: last.Number + 1}); err != nil {
			return err
		}
		l, err = nationalList(tx.Reader)
		return err
	})
	return l, err
}

// NationalPage is a part of the list.
type NationalPage struct {
	After   string // the cursor that it was asked from
	Next    string // the cursor to go on from
	Total   int    // structures that the service says the list has
	Entries []DirectoryEntry
	Gone    [][16]byte
	Aside   []SetAside
	Last    bool // the list ends here, for now
}

// SetAside is an item of the list that could not be read. It holds up no other.
type SetAside store.SetAside

// String names the item: by the structure's identifier, or by a digest.
func (a SetAside) String() string {
	if a.Named {
		return uuid.UUID(a.Key).String()
	}
	return "item " + hex.EncodeToString(a.Key[:])
}

// TakeNationalPage keeps a part of the list; the last one ends the reading, and what
// a reading from the beginning did not meet is gone. A part that was taken changes
// nothing; one that does not follow what was taken is an error.
func (n *Node) TakeNationalPage(ctx context.Context, p NationalPage) (change DirectoryChange, err error) {
	err = n.db.Write(ctx, func(tx *store.Tx) error {
		change = DirectoryChange{}
		kept, found, err := tx.NationalList()
		if err != nil {
			return err
		}
		c, _, err := tx.LastCrawl()
		if err != nil {
			return err
		}
		if !found || c.Number != kept.Crawl || kept.Cursor != p.After && kept.Cursor != p.Next {
			return fmt.Errorf("a page of the national list that follows none taken")
		}
		if kept.Cursor == p.After {
			if err := change.takeNational(tx, p, c.Number); err != nil {
				return err
			}
		}
		if c.Page, c.Total = c.Page+1, p.Total; p.Last {
			if err := change.endNational(tx, c); err != nil {
				return err
			}
			c.Ended = tx.Now
		}
		if err := tx.PutNationalList(store.NationalList{Cursor: p.Next, Crawl: c.Number}); err != nil {
			return err
		}
		return tx.PutCrawl(c)
	})
	return change, err
}

func (d *DirectoryChange) takeNational(tx *store.Tx, p NationalPage, crawl int64) error {
	for _, e := range p.Entries {
		if err := d.take(tx, e, crawl); err != nil {
			return err
		}
		if err := tx.DropAside(e.ID); err != nil {
			return err
		}
	}
	for _, id := range p.Gone {
		gone, err := tx.DropDirectoryEntry(id)
		if err != nil {
			return err
		}
		if gone {
			d.Gone++
		}
		if err := tx.DropAside(id); err != nil {
			return err
		}
	}
	for _, a := range p.Aside {
		if err := tx.PutAside(store.SetAside(a), crawl); err != nil {
			return err
		}
		if !a.Named {
			continue
		}
		if err := tx.MeetDirectoryEntry(a.Key, crawl); err != nil { // what was said of it before stands
			return err
		}
	}
	return nil
}

// endNational looks at what a reading from the beginning did not meet. Nothing is
// hidden in this list while it is read, so once is enough.
func (d *DirectoryChange) endNational(tx *store.Tx, c Crawl) error {
	gone, err := tx.DropUnmet(c.Number)
	if err != nil {
		return err
	}
	d.Gone += int(gone)
	if err := tx.DropAsidesUnmet(c.Number); err != nil {
		return err
	}
	met, _, err := tx.CountDirectory(c.Number)
	if err != nil {
		return err
	}
	d.Drift = max(met-c.Total, c.Total-met)
	d.Aside, err = tx.CountAside()
	return err
}

// HabilitationView is what is known nationally of a structure, by its SIRET.
type HabilitationView struct {
	At       time.Time // of the information; zero: there is none here
	National bool      // from the national service's list; false: from the public directory
	Entries  []DirectoryEntry
}

// maxSameSIRET bounds what is shown of one SIRET.
const maxSameSIRET = 5

// Habilitation looks a structure's habilitation Aidants Connect up. It is public: no
// role is asked for. It gives no right in the territory, and is asked for none.
func (n *Node) Habilitation(ctx context.Context, siret string) (v HabilitationView, err error) {
	err = n.db.Read(ctx, func(r *store.Reader) error {
		whole, found, err := r.LastWholeCrawl()
		if err != nil || !found {
			return err
		}
		v.At = whole.Ended
		l, _, err := r.NationalList()
		if err != nil {
			return err
		}
		if v.National = l.Crawl >= whole.Number; siret == "" {
			return nil
		}
		v.Entries, err = r.DirectoryBySIRET(siret, maxSameSIRET)
		return err
	})
	return v, err
}
