package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"time"
)

// Structure is one structure of the list.
type Structure struct {
	ID           [16]byte
	Name         string
	SIRET        string
	Commune      string
	Postcode     string
	Address      string
	Habilitation string // none, active, ended
	Since        string // the day; "" of none
	Gone         bool
}

// List is what the list is, at a moment.
type List struct {
	Name     [8]byte // of the list, drawn with it
	Head     int64   // its last change; 0: there is no list
	There    int     // structures, those that are gone left out
	Imported time.Time
}

// ListChanges is what an import changed.
type ListChanges struct{ Created, Updated, Gone int }

// ErrEmpty means that an import would end every structure.
var ErrEmpty = errors.New("the list is empty: it would end every structure")

// List returns what the list is; zero when nothing was imported.
func (db *DB) List(ctx context.Context) (List, error) { return list(ctx, db.session) }

func list(ctx context.Context, s session) (l List, err error) {
	var name []byte
	var at int64
	err = s.one(ctx, []any{&name, &l.Head, &at, &l.There}, `
		SELECT name, head, imported_at, (SELECT count(*) FROM structures WHERE gone = 0) FROM list`)
	if errors.Is(err, sql.ErrNoRows) {
		return List{}, nil
	}
	copy(l.Name[:], name)
	l.Imported = time.UnixMilli(at).UTC()
	return l, err
}

const structureColumns = `id, change, name, siret, commune, postcode, address, habilitation, since, gone`

// StructuresAfter returns structures in the order of their last change, from one on
// and at most limit, and the last of those changes.
func (db *DB) StructuresAfter(ctx context.Context, change int64, limit int) (found []Structure, last int64, err error) {
	last = change
	err = db.each(ctx, func(rows *sql.Rows) error {
		s, at, err := scanStructure(rows)
		found, last = append(found, s), at
		return err
	}, `SELECT `+structureColumns+` FROM structures WHERE change > $1 ORDER BY change LIMIT $2`, change, limit)
	return found, last, err
}

func scanStructure(rows *sql.Rows) (s Structure, change int64, err error) {
	var id []byte
	err = rows.Scan(&id, &change, &s.Name, &s.SIRET, &s.Commune, &s.Postcode, &s.Address, &s.Habilitation, &s.Since, &s.Gone)
	copy(s.ID[:], id)
	return s, change, err
}

// ReplaceList makes the list what it is to be, whole: what is new or says something
// else is a change, and what is left out is gone. ErrEmpty for nothing at all. The
// same list again changes nothing.
func (db *DB) ReplaceList(ctx context.Context, wanted []Structure, now time.Time) (done ListChanges, err error) {
	if len(wanted) == 0 {
		return done, ErrEmpty
	}
	err = db.inWrite(ctx, func(tx session) error {
		done = ListChanges{}
		l, err := list(ctx, tx)
		if err != nil {
			return err
		}
		if l.Head == 0 {
			rand.Read(l.Name[:])
		}
		kept, err := keptStructures(ctx, tx)
		if err != nil {
			return err
		}
		for _, s := range wanted {
			was, known := kept[s.ID]
			delete(kept, s.ID)
			switch {
			case known && was == s:
				continue
			case known && !was.Gone:
				done.Updated++
			default:
				done.Created++
			}
			l.Head++
			if err := putStructure(ctx, tx, s, l.Head); err != nil {
				return err
			}
		}
		for _, s := range kept {
			if s.Gone {
				continue
			}
			done.Gone++
			l.Head++
			s.Gone = true
			if err := putStructure(ctx, tx, s, l.Head); err != nil {
				return err
			}
		}
		_, err = tx.exec(ctx, `
			INSERT INTO list (id, name, head, imported_at) VALUES (1, $1, $2, $3)
			ON CONFLICT (id) DO UPDATE SET head = excluded.head, imported_at = excluded.imported_at`,
			l.Name[:], l.Head, now.UnixMilli())
		return err
	})
	return done, err
}

func keptStructures(ctx context.Context, tx session) (map[[16]byte]Structure, error) {
	kept := map[[16]byte]Structure{}
	return kept, tx.each(ctx, func(rows *sql.Rows) error {
		s, _, err := scanStructure(rows)
		kept[s.ID] = s
		return err
	}, `SELECT `+structureColumns+` FROM structures`)
}

func putStructure(ctx context.Context, tx session, s Structure, change int64) error {
	gone := 0
	if s.Gone {
		gone = 1
	}
	_, err := tx.exec(ctx, `
		INSERT INTO structures (`+structureColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (id) DO UPDATE SET change = excluded.change, name = excluded.name, siret = excluded.siret,
			commune = excluded.commune, postcode = excluded.postcode, address = excluded.address,
			habilitation = excluded.habilitation, since = excluded.since, gone = excluded.gone`,
		s.ID[:], change, s.Name, s.SIRET, s.Commune, s.Postcode, s.Address, s.Habilitation, s.Since, gone)
	return err
}
