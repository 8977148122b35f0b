package store

import (
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/territory"
)

// FactsRow is what the store knows of whether a mandate may be used by a helper.
// What the roster says of the structure is for the caller to add.
type FactsRow struct {
	mandate.Facts
	Structure territory.StructureID
	Scopes    []byte // an octet a line; nil without the dossier
	// Undated is who made the mandate, when its clock was known to be wrong as the
	// notice came; zero: it was not.
	Undated territory.HubID
}

// Flags that the query packs in one integer: reading a column costs more than
// computing one.
const (
	flagAllStopped = 1 << iota
	flagConflict
	flagQuarantined
	flagHelper
	flagSuspensions
)

// paperReady is the first octet of notices.desk once the copies are signed.
const paperReady = '1'

// selectFacts is one statement, and so one snapshot: the notice's row, which also
// says what the desk knows, and a glance at the helper. The territory's
// suspensions of her are only looked for: hardly anybody has any.
const selectFacts = `SELECT structure, lines, start, finish, stopped, desk, iif(undated, hub, NULL),
		all_stopped + 2 * conflict + 4 * quarantined
		+ 8 * EXISTS (SELECT 1 FROM helpers WHERE id = ?2 AND suspended = 0 AND structure = notices.structure)
		+ 16 * EXISTS (SELECT 1 FROM suspensions WHERE helper = ?2)
	FROM notices WHERE mandate = ?1 LIMIT 1`

// Facts gathers in one statement what decides whether the helper may use a
// mandate's lines; in two, for a helper whom the territory once suspended. A
// mandate without a notice is not Known.
func (r *Reader) Facts(id mandate.ID, helper people.HelperID) (f FactsRow, err error) {
	var structure, desk, undated []byte
	var start, finish, stopped int64
	var flags int
	found, err := Found(r.QueryRow(selectFacts, id[:], helper[:]).
		Scan(&structure, &f.Lines, &start, &finish, &stopped, &desk, &undated, &flags))
	if err != nil || !found {
		return FactsRow{}, err
	}
	f.Structure = territory.StructureID(structure)
	f.Known = true
	copy(f.Undated[:], undated)
	f.Start, f.End = Time(start), Time(finish)
	f.Stopped = uint32(stopped)
	f.StoppedAll = flags&flagAllStopped != 0
	f.Conflict = flags&flagConflict != 0
	f.Quarantined = flags&flagQuarantined != 0
	if f.Held = len(desk) > 0; f.Held {
		f.PaperReady, f.Scopes = desk[0] == paperReady, desk[1:]
	}
	f.HelperOK = flags&flagHelper != 0
	if f.HelperOK && flags&flagSuspensions != 0 {
		suspended, err := r.SuspensionStands(helper)
		f.HelperOK = !suspended
		return f, err
	}
	return f, nil
}

// Standing is where a mandate's notice stands.
type Standing struct {
	Hub       territory.HubID // that made it
	Published bool            // it is signed
}

// Standing returns where the notice of a mandate stands, and whether there is one.
func (r *Reader) Standing(id mandate.ID) (s Standing, found bool, err error) {
	var hub []byte
	found, err = Found(r.QueryRow(`SELECT n.hub, r.signature IS NOT NULL FROM notices n JOIN records r ON r.id = n.record
		WHERE n.mandate = ? LIMIT 1`, id[:]).Scan(&hub, &s.Published))
	if found {
		s.Hub = territory.HubID(hub)
	}
	return s, found, err
}
