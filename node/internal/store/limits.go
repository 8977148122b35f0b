package store

import "time"

// Delay is a growing delay between attempts at something that may be guessed. It
// slows down and never locks out: Max bounds it, and a success or a quiet while
// forgives all.
type Delay struct {
	Bucket string        // what is attempted; part of the key
	Free   int64         // attempts before any delay
	First  time.Duration // the first delay; each attempt doubles it
	Max    time.Duration
	Forget time.Duration // quiet after which the count begins anew
}

// after is the delay that follows the attempt number count.
func (d Delay) after(count int64) time.Duration {
	if count <= d.Free {
		return 0
	}
	wait := d.First
	for i := d.Free + 1; i < count && wait < d.Max; i++ {
		wait *= 2
	}
	return min(wait, d.Max)
}

// Attempt counts an attempt, as a failed one until Forgive says otherwise, so
// that many at once are no way round. It returns how long to wait instead when
// the delay of the last is still running; that attempt does not count. Of
// several delays, the longest wait counts and then none is counted.
func (tx *Tx) Attempt(attempts ...Attempted) (wait time.Duration, err error) {
	counts := make([]int64, len(attempts))
	for i, a := range attempts {
		var left time.Duration
		if counts[i], left, err = tx.Pending(a); err != nil {
			return 0, err
		}
		wait = max(wait, left)
	}
	if wait > 0 {
		return wait, nil
	}
	for i, a := range attempts {
		_, err := tx.Exec(`INSERT INTO limits (bucket, key, count, since, until) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (bucket, key) DO UPDATE SET count = excluded.count, since = excluded.since, until = excluded.until`,
			a.Delay.Bucket, a.Key[:], counts[i]+1, Millis(tx.Now), Millis(tx.Now.Add(a.Delay.Forget)))
		if err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// Attempted is one delay and whom it slows down, as a keyed hash.
type Attempted struct {
	Delay Delay
	Key   [32]byte
}

// Pending returns how many attempts count and what is left of the delay, and counts
// nothing. until is when the row may be forgotten, and nothing else.
func (tx *Tx) Pending(a Attempted) (count int64, left time.Duration, err error) {
	var since, until int64
	found, err := Found(tx.QueryRow(`SELECT count, since, until FROM limits WHERE bucket = ? AND key = ?`,
		a.Delay.Bucket, a.Key[:]).Scan(&count, &since, &until))
	if err != nil || !found || !tx.Now.Before(Time(until)) {
		return 0, 0, err
	}
	end := Time(since).Add(a.Delay.after(count))
	if Time(since).After(tx.Now) {
		end = tx.Now // the clock was set back: nobody waits for that
	}
	return count, max(0, end.Sub(tx.Now)), nil
}

// Forgive forgets the attempts of a key.
func (tx *Tx) Forgive(attempts ...Attempted) error {
	for _, a := range attempts {
		if _, err := tx.Exec(`DELETE FROM limits WHERE bucket = ? AND key = ?`, a.Delay.Bucket, a.Key[:]); err != nil {
			return err
		}
	}
	return nil
}

// ForgiveAll forgets every attempt: under another key nobody's would be found.
func (tx *Tx) ForgiveAll() error {
	_, err := tx.Exec(`DELETE FROM limits WHERE true`)
	return err
}
