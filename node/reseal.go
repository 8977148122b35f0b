package node

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/seal"
)

// resealBatch is how many values one transaction seals again: others wait with it.
// It is a variable so that a test can stop between two of few rows.
var resealBatch = 256

// Rekeying is how far a hub is with the replacement of its key.
type Rekeying struct {
	Key      uint32 `json:"key"`       // the newest
	UnderWay bool   `json:"under_way"` // earlier ones are still held
	Left     int    `json:"left"`      // values under them
}

// Rekeying tells how far it is.
func (n *Node) Rekeying(ctx context.Context) (k Rekeying, err error) {
	epochs := n.sealer.Epochs()
	k.Key, k.UnderWay = epochs[len(epochs)-1], len(epochs) > 1
	if k.UnderWay {
		err = n.db.Read(ctx, func(r *store.Reader) (err error) { k.Left, err = countLeft(r, k.Key); return err })
	}
	return k, err
}

// KeyReplaced says that the Sealer has a newer key: what was sealed before is
// sealed again while the node runs.
func (n *Node) KeyReplaced() {
	select {
	case n.rekeyed <- struct{}{}:
	default: // it knows
	}
}

// Reseal goes once over all that the hub's key seals and seals again, under the
// newest, what an earlier one sealed. A pass that finds nothing destroys the
// earlier keys, and is done; until then call it again. So the readers of what a
// pass replaced have had the time of another to open it.
//
// It keeps no account of where it is: a row says by itself under which key it is,
// so Reseal may be cut anywhere. A value that opens under no key is an error, and
// keeps the earlier keys; the others are sealed again all the same.
func (n *Node) Reseal(ctx context.Context) (done bool, err error) {
	epochs := n.sealer.Epochs()
	if len(epochs) == 1 {
		return true, n.endRekey(ctx, epochs[0])
	}
	newest := epochs[len(epochs)-1]
	if err := n.beginRekey(ctx, epochs); err != nil {
		return false, fmt.Errorf("reseal: %w", err)
	}
	moved, err := n.retagLogins(ctx, newest)
	for _, c := range sealedColumns {
		more, failure := n.resealColumn(ctx, c, newest)
		moved, err = moved+more, errors.Join(err, failure)
	}
	if err == nil && moved == 0 {
		done, err = true, n.forgetKeys(ctx, newest)
	}
	if err != nil {
		return false, fmt.Errorf("reseal: %w", err)
	}
	return done, nil
}

// beginRekey enters the replacement in the journal, once. The growing delays begin
// anew: they are kept under tags, and nobody's is found under the new key.
func (n *Node) beginRekey(ctx context.Context, epochs []uint32) error {
	newest := epochs[len(epochs)-1]
	return n.db.Write(ctx, func(tx *store.Tx) error {
		if begun, _, err := tx.Meta(metaRekey); err != nil || string(begun) == epochText(newest) {
			return err
		}
		left, err := countLeft(tx.Reader, newest)
		if err != nil {
			return err
		}
		if err := errors.Join(tx.ForgiveAll(), tx.PutMeta(metaRekey, []byte(epochText(newest)))); err != nil {
			return err
		}
		return n.note(tx, entry{Kind: journal.KindRekeyBegin, Actor: actorMachine, Public: map[string]any{
			"from": uint(epochs[0]), "to": uint(newest), "values": left,
		}})
	})
}

// forgetKeys ends a replacement. What was written over leaves the write-ahead log
// first, and the snapshots go: nothing would open them.
func (n *Node) forgetKeys(ctx context.Context, newest uint32) error {
	if err := n.db.Write(ctx, func(tx *store.Tx) error { tx.Overwritten(); return nil }); err != nil {
		return err
	}
	if err := n.db.DropSnapshots(); err != nil {
		return err
	}
	if err := n.sealer.Forget(); err != nil {
		return err
	}
	return n.endRekey(ctx, newest)
}

// endRekey enters the end of a replacement in the journal, once: also after a cut
// between the keyring and here.
func (n *Node) endRekey(ctx context.Context, newest uint32) error {
	var begun []byte
	err := n.db.ReadOne(ctx, func(r *store.Reader) (err error) { begun, _, err = r.Meta(metaRekey); return err })
	if err != nil || len(begun) == 0 {
		return err
	}
	return n.db.Write(ctx, func(tx *store.Tx) error {
		if err := tx.PutMeta(metaRekey, []byte{}); err != nil {
			return err
		}
		return n.note(tx, entry{Kind: journal.KindRekeyEnd, Actor: actorMachine, Public: map[string]any{"key": uint(newest)}})
	})
}

func epochText(epoch uint32) string { return strconv.FormatUint(uint64(epoch), 10) }

// batches calls one for each transaction of a pass, from a rowid on, until it did
// fewer rows than it may.
func (n *Node) batches(ctx context.Context, one func(tx *store.Tx, after int64) (did int, last int64, err error)) (all int, err error) {
	for after, did := int64(0), resealBatch; did == resealBatch; all += did {
		err := n.db.Write(ctx, func(tx *store.Tx) (err error) {
			did, after, err = one(tx, after)
			return err
		})
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// resealColumn seals a column again. What does not open stays as it is.
func (n *Node) resealColumn(ctx context.Context, c sealedColumn, newest uint32) (moved int, err error) {
	var shut int
	var why error
	moved, err = n.batches(ctx, func(tx *store.Tx, after int64) (did int, last int64, err error) {
		rows, err := tx.SealedRows(c.Sealed, newest, after, resealBatch)
		for _, row := range rows {
			plain, failure := n.sealer.Open(c.purpose, c.place(row.Key), row.Value)
			if failure == nil {
				err = errors.Join(err, n.putSealed(tx, c, row, plain))
			} else {
				shut, why = shut+1, failure
			}
			last = row.ID
		}
		return len(rows), last, err
	})
	if err == nil && shut > 0 {
		err = fmt.Errorf("%d values keep the key before, for they do not open: %w", shut, why)
	}
	return moved - shut, err
}

func (n *Node) putSealed(tx *store.Tx, c sealedColumn, row store.SealedRow, plain []byte) error {
	sealed, err := n.seal(tx, c.purpose, c.place(row.Key), plain)
	if err != nil {
		return err
	}
	return tx.PutSealed(c.Sealed, row.ID, sealed)
}

// retagLogins brings the keyed hashes of logins to the newest key.
func (n *Node) retagLogins(ctx context.Context, newest uint32) (moved int, err error) {
	return n.batches(ctx, func(tx *store.Tx, after int64) (did int, last int64, err error) {
		rows, err := tx.LoginRows(newest, after, resealBatch)
		for _, row := range rows {
			tag, failure := n.sealer.Retag(seal.PurposeCredential, row.Tag)
			if failure == nil {
				failure = tx.PutLogin(store.LoginRow{ID: row.ID, Tag: tag})
			}
			err, last = errors.Join(err, failure), row.ID
		}
		return len(rows), last, err
	})
}

// The pace of the work in the background.
const (
	resealPause = 2 * time.Second // between two passes
	resealRetry = time.Minute     // after an error
)

// keepSealed seals again what an earlier key sealed: at the start, where that was
// cut, and whenever the key is replaced.
func (n *Node) keepSealed(ctx context.Context) error {
	for {
		done, err := n.Reseal(ctx)
		var wait <-chan time.Time
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			n.log.WarnContext(ctx, "what an earlier key sealed is not all sealed again", "err", err)
			wait = time.After(resealRetry)
		case !done:
			wait = time.After(resealPause)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wait:
		case <-n.rekeyed:
		}
	}
}
