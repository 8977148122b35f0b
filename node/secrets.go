package node

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"relais/node/internal/store"
	"relais/node/seal"
)

// Secrets is a sealed key-value store: certificates and their keys. A missing
// key is an error that wraps fs.ErrNotExist. Keys are names and are kept in
// clear; values are not.
type Secrets struct{ n *Node }

// SecretInfo describes a value.
type SecretInfo struct {
	Key      string
	Size     int64 // in octets, of the value in clear
	Modified time.Time
}

// Secrets returns the sealed store.
func (n *Node) Secrets() *Secrets { return &Secrets{n} }

func secretPlace(key string) seal.Place {
	return seal.Place{Table: "secrets", Row: key, Column: "value", Version: 1}
}

// Store sets the value of a key.
func (s *Secrets) Store(ctx context.Context, key string, value []byte) error {
	return s.n.db.Write(ctx, func(tx *store.Tx) error {
		sealed, err := s.n.seal(tx, seal.PurposeSecret, secretPlace(key), value)
		if err != nil {
			return fmt.Errorf("store secret: %w", err)
		}
		return tx.PutSecret(store.Secret{Key: key, Value: sealed, Size: int64(len(value))})
	})
}

// Load returns the value of a key.
func (s *Secrets) Load(ctx context.Context, key string) ([]byte, error) {
	kept, err := s.read(ctx, key)
	if err != nil {
		return nil, err
	}
	return s.n.sealer.Open(seal.PurposeSecret, secretPlace(key), kept.Value)
}

// Stat describes the value of a key.
func (s *Secrets) Stat(ctx context.Context, key string) (SecretInfo, error) {
	kept, err := s.read(ctx, key)
	return SecretInfo{kept.Key, kept.Size, kept.Modified}, err
}

func (s *Secrets) read(ctx context.Context, key string) (kept store.Secret, err error) {
	var found bool
	err = s.n.db.ReadOne(ctx, func(r *store.Reader) (err error) { kept, found, err = r.Secret(key); return err })
	if err == nil && !found {
		err = missing(key)
	}
	return kept, err
}

// Delete removes a key.
func (s *Secrets) Delete(ctx context.Context, key string) error {
	var found bool
	err := s.n.db.Write(ctx, func(tx *store.Tx) (err error) { found, err = tx.DeleteSecret(key); return err })
	if err == nil && !found {
		err = missing(key)
	}
	return err
}

// Exists tells whether a key has a value. It is false when that cannot be known.
func (s *Secrets) Exists(ctx context.Context, key string) bool {
	_, err := s.read(ctx, key)
	return err == nil
}

// List describes the values whose key begins with prefix, by key.
func (s *Secrets) List(ctx context.Context, prefix string) ([]SecretInfo, error) {
	var list []SecretInfo
	err := s.n.db.ReadOne(ctx, func(r *store.Reader) error {
		kept, err := r.Secrets(prefix)
		for _, k := range kept {
			list = append(list, SecretInfo{k.Key, k.Size, k.Modified})
		}
		return err
	})
	return list, err
}

func missing(key string) error { return fmt.Errorf("secret %q: %w", key, fs.ErrNotExist) }
