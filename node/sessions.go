package node

import (
	"context"
	"encoding/hex"
	"time"

	"relais/node/internal/store"
	"relais/node/label"
	"relais/node/seal"
)

// Sessions is a sealed session store; tokens are kept hashed, so that who reads
// the disk can neither read a session nor take it over. It has the shape of
// scs.CtxStore.
type Sessions struct{ n *Node }

// Sessions returns the session store.
func (n *Node) Sessions() *Sessions { return &Sessions{n} }

// sessionKey hashes a token and says where its data lives.
func sessionKey(token string) ([32]byte, seal.Place) {
	hash := label.Session.Sum([]byte(token))
	return hash, sessionPlace(hash)
}

func sessionPlace(hash [32]byte) seal.Place {
	return seal.Place{Table: "sessions", Row: hex.EncodeToString(hash[:]), Column: "data", Version: 1}
}

// FindCtx returns the data of a session that has not ended. Data that does not
// open is a session not found, as scs asks.
func (s *Sessions) FindCtx(ctx context.Context, token string) (b []byte, found bool, err error) {
	hash, place := sessionKey(token)
	var sealed []byte
	err = s.n.db.ReadOne(ctx, func(r *store.Reader) (err error) {
		sealed, found, err = r.Session(hash, s.n.now())
		return err
	})
	if err != nil || !found {
		return nil, false, err
	}
	if b, err = s.n.sealer.Open(seal.PurposeSecret, place, sealed); err != nil {
		s.n.log.WarnContext(ctx, "a session does not open", "err", err)
		return nil, false, nil
	}
	return b, true, nil
}

// CommitCtx keeps the data of a session until expiry.
func (s *Sessions) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	hash, place := sessionKey(token)
	return s.n.db.Write(ctx, func(tx *store.Tx) error {
		sealed, err := s.n.seal(tx, seal.PurposeSecret, place, b)
		if err != nil {
			return err
		}
		return tx.PutSession(hash, sealed, expiry)
	})
}

// DeleteCtx ends a session. Ending it twice is no error.
func (s *Sessions) DeleteCtx(ctx context.Context, token string) error {
	hash, _ := sessionKey(token)
	return s.n.db.Write(ctx, func(tx *store.Tx) error { return tx.DeleteSession(hash) })
}

// Find is FindCtx without a context, which scs also asks for.
func (s *Sessions) Find(token string) (b []byte, found bool, err error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a context.
func (s *Sessions) Commit(token string, b []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, b, expiry)
}

// Delete is DeleteCtx without a context.
func (s *Sessions) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
