package node

import (
	"context"
	"time"
)

// Secrets is a sealed key-value store: certificates and their keys. A missing
// key is an error that wraps fs.ErrNotExist.
type Secrets struct{}

// SecretInfo describes a value.
type SecretInfo struct {
	Key      string
	Size     int64
	Modified time.Time
}

// Secrets returns the sealed store.
func (n *Node) Secrets() *Secrets { panic("stub") }

func (s *Secrets) Store(ctx context.Context, key string, value []byte) error     { panic("stub") }
func (s *Secrets) Load(ctx context.Context, key string) ([]byte, error)          { panic("stub") }
func (s *Secrets) Delete(ctx context.Context, key string) error                  { panic("stub") }
func (s *Secrets) Exists(ctx context.Context, key string) bool                   { panic("stub") }
func (s *Secrets) List(ctx context.Context, prefix string) ([]SecretInfo, error) { panic("stub") }

// Sessions is a sealed session store; tokens are kept hashed.
type Sessions struct{}

// Sessions returns the session store. It has the shape of scs.CtxStore.
func (n *Node) Sessions() *Sessions { panic("stub") }

func (s *Sessions) FindCtx(ctx context.Context, token string) (b []byte, found bool, err error) {
	panic("stub")
}
func (s *Sessions) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	panic("stub")
}
func (s *Sessions) DeleteCtx(ctx context.Context, token string) error { panic("stub") }

// The methods without context that scs also asks for.
func (s *Sessions) Find(token string) (b []byte, found bool, err error)   { panic("stub") }
func (s *Sessions) Commit(token string, b []byte, expiry time.Time) error { panic("stub") }
func (s *Sessions) Delete(token string) error                             { panic("stub") }
