package store

import "time"

// Trouble is how much of something is wrong, and since when.
type Trouble struct {
	Count int
	Since time.Time // the earliest; zero when Count is
}

// Troubles are what the records hold that a person should look at.
type Troubles struct {
	Unsigned  Trouble // made here and waiting for their signature
	Conflicts Trouble // mandates claimed by two notices
	BadCodes  Trouble // stops whose code does not open what they name
	Mute      Trouble // records kept and relayed that say nothing here
}

// Troubles looks for what is wrong among the records.
func (r *Reader) Troubles() (t Troubles, err error) {
	for _, look := range []struct {
		into  *Trouble
		query string
	}{
		{&t.Unsigned, `SELECT count(*), coalesce(min(received), 0) FROM records WHERE signature IS NULL`},
		{&t.Conflicts, `SELECT count(DISTINCT mandate), coalesce(min(received), 0) FROM notices JOIN records
			ON records.id = notices.record WHERE conflict = 1`},
		{&t.BadCodes, `SELECT count(*), coalesce(min(received), 0) FROM records WHERE bar = 'code'`},
		{&t.Mute, `SELECT count(*), coalesce(min(received), 0) FROM records WHERE bar IN ('kind', 'form', 'time', 'author')`},
	} {
		var since int64
		if err := r.QueryRow(look.query).Scan(&look.into.Count, &since); err != nil {
			return t, err
		}
		look.into.Since = Time(since)
	}
	return t, nil
}
