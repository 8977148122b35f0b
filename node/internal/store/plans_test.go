package store_test

import (
	"testing"

	"relais/node/internal/store"
	"relais/node/mediation"
	"relais/node/people"
	"relais/node/record"
)

// A statement is compiled at its first use and never again, whatever is bound to
// it: joins and lists included.
func TestPlansAreKept(t *testing.T) {
	db, _ := open(t)
	for name, query := range map[string]func(r *store.Reader, n byte) error{
		"join": func(r *store.Reader, n byte) error {
			_, _, err := r.Accompaniment(mediation.AccompanimentID{n})
			return err
		},
		"last": func(r *store.Reader, n byte) error {
			_, _, err := r.Tail(record.LogID{Incarnation: uint16(n)})
			return err
		},
		"list":      func(r *store.Reader, n byte) error { _, err := r.Notices(record.MandateID{n}); return err },
		"union":     func(r *store.Reader, n byte) error { _, err := r.Revocations(record.MandateID{n}); return err },
		"condition": func(r *store.Reader, n byte) error { _, err := r.RecordsAt(record.Place{Seq: uint32(n)}); return err },
		"exists":    func(r *store.Reader, n byte) error { _, err := r.SuspensionStands(people.HelperID{n}); return err },
	} {
		t.Run(name, func(t *testing.T) {
			err := db.Write(t.Context(), func(tx *store.Tx) error {
				var compiled int
				tx.WatchCompiled(&compiled)
				if err := query(tx.Reader, 0); err != nil || compiled == 0 {
					t.Errorf("the first use compiled %d things, %v", compiled, err)
					return err
				}
				compiled = 0
				for n := range byte(3) {
					if err := query(tx.Reader, n); err != nil {
						return err
					}
				}
				if compiled > 0 {
					t.Error("a later use compiled it again")
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}
