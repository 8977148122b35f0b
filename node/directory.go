package node

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"relais/node/internal/store"
)

// The public directory of Aidants Connect is mirrored as it is: public data, in
// clear, without a journal entry. It says which structures the national service
// habilitated; what the territory allows is in the roster, and nowhere else.

const (
	// maxFound bounds what a search shows; maxWords and maxWordRunes what it looks
	// for.
	maxFound     = 50
	maxWords     = 6
	maxWordRunes = 40
)

// DirectoryEntry is a structure of the public directory.
type DirectoryEntry = store.DirectoryEntry

// Crawl is one reading of the directory, page after page.
type Crawl = store.Crawl

// DirectoryPage is what one page of the directory holds.
type DirectoryPage struct {
	Number  int // from 1
	Total   int // what the directory says it holds
	Entries []DirectoryEntry
	Last    bool
}

// Crawl returns the last reading; zero when there was none.
func (n *Node) Crawl(ctx context.Context) (c Crawl, err error) {
	err = n.db.ReadOne(ctx, func(r *store.Reader) (err error) { c, _, err = r.LastCrawl(); return err })
	return c, err
}

// BeginCrawl begins another reading.
func (n *Node) BeginCrawl(ctx context.Context) (c Crawl, err error) {
	err = n.db.Write(ctx, func(tx *store.Tx) error {
		last, _, err := tx.LastCrawl()
		if err != nil {
			return err
		}
		c = Crawl{Number: last.Number + 1, Began: tx.Now}
		return tx.PutCrawl(c)
	})
	return c, err
}

// DirectoryChange is what a page changed here.
type DirectoryChange struct {
	Created, Updated int
	// Gone and Drift come with the last page. Drift is by how many what was met differs
	// from what the directory says it holds. What neither this whole reading nor the
	// one before met is gone: a list that moves while it is read hides entries that
	// are there, but not the same ones twice.
	Gone, Drift int
	// Aside is how many items of the national list wait to be read.
	Aside int
}

// TakeDirectoryPage keeps a page of the reading under way; the last one ends it. The
// same page twice changes nothing.
func (n *Node) TakeDirectoryPage(ctx context.Context, p DirectoryPage) (change DirectoryChange, err error) {
	err = n.db.Write(ctx, func(tx *store.Tx) error {
		change = DirectoryChange{}
		c, found, err := tx.LastCrawl()
		if err != nil {
			return err
		}
		if !found || !c.Ended.IsZero() {
			return fmt.Errorf("page %d of no reading", p.Number)
		}
		for _, e := range p.Entries {
			if err := change.take(tx, e, c.Number); err != nil {
				return err
			}
		}
		if c.Page, c.Total = p.Number, p.Total; p.Last {
			if err := change.end(tx, c); err != nil {
				return err
			}
			c.Ended = tx.Now
		}
		return tx.PutCrawl(c)
	})
	return change, err
}

func (d *DirectoryChange) take(tx *store.Tx, e DirectoryEntry, crawl int64) error {
	kept, known, err := tx.DirectoryEntry(e.ID)
	if err != nil {
		return err
	}
	switch {
	case !known || !kept.Gone.IsZero():
		d.Created++
	case kept != e:
		d.Updated++
	}
	return tx.PutDirectoryEntry(e, folded(e.Name+" "+e.Commune+" "+e.Postcode), crawl)
}

func (d *DirectoryChange) end(tx *store.Tx, c Crawl) error {
	met, _, err := tx.CountDirectory(c.Number)
	if err != nil {
		return err
	}
	if d.Drift = max(met-c.Total, c.Total-met); d.Drift > 0 {
		return nil
	}
	before, found, err := tx.LastWholeCrawl()
	if err != nil || !found {
		return err
	}
	gone, err := tx.DropUnmet(before.Number)
	d.Gone = int(gone)
	return err
}

// DirectoryView is the page of the directory.
type DirectoryView struct {
	At       time.Time // the end of the last whole reading; zero: none
	Entries  int       // here
	Drift    int       // by how many that reading differs from what the directory said
	UnderWay Crawl     // a reading that is not whole yet; zero: none
	Found    []DirectoryEntry
	More     bool       // more were found than are shown
	National bool       // it is the national service's list
	Asides   []SetAside // of that list: what could not be read, at most 20
	Aside    int        // in all
}

// Directory looks for structures by the words of their name, commune or postcode,
// whatever their case and accents; no words find none. It is public: no role is
// asked for.
func (n *Node) Directory(ctx context.Context, sought string) (v DirectoryView, err error) {
	words := strings.Fields(folded(sought))
	words = words[:min(len(words), maxWords)]
	err = n.db.Read(ctx, func(r *store.Reader) error {
		last, _, err := r.LastCrawl()
		if err != nil {
			return err
		}
		whole, _, err := r.LastWholeCrawl()
		if err != nil {
			return err
		}
		met, there, err := r.CountDirectory(whole.Number)
		if err != nil {
			return err
		}
		v.At, v.Entries = whole.Ended, there
		if last.Ended.IsZero() {
			v.UnderWay = last
		} else {
			v.Drift = max(met-whole.Total, whole.Total-met)
		}
		if err := v.national(r, last.Number); err != nil || len(words) == 0 {
			return err
		}
		v.Found, err = r.SearchDirectory(words, maxFound+1)
		return err
	})
	if v.More = len(v.Found) > maxFound; v.More {
		v.Found = v.Found[:maxFound]
	}
	return v, err
}

// national adds what there is to say of a list.
func (v *DirectoryView) national(r *store.Reader, crawl int64) error {
	l, found, err := r.NationalList()
	if err != nil || !found || l.Crawl != crawl {
		return err
	}
	v.National = true
	if v.Aside, err = r.CountAside(); err != nil {
		return err
	}
	asides, err := r.Asides(maxAsides)
	for _, a := range asides {
		v.Asides = append(v.Asides, SetAside(a))
	}
	return err
}

// plainer writes out what is one letter or mark and searched as several or none.
var plainer = strings.NewReplacer("œ", "oe", "æ", "ae", "’", " ", "'", " ", "-", " ")

// folded is a text as it is searched: lower case, no accent, single spaces, and of a
// word only its beginning when it is too long to be one.
func folded(s string) string {
	bare := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(strings.ToLower(s)))
	words := strings.Fields(plainer.Replace(bare))
	for i, w := range words {
		if r := []rune(w); len(r) > maxWordRunes {
			words[i] = string(r[:maxWordRunes])
		}
	}
	return strings.Join(words, " ")
}
