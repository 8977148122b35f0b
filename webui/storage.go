package webui

import (
	"context"
	"io/fs"
	"strings"
	"sync"

	"github.com/caddyserver/certmagic"

	"relais/node"
)

// secrets is the sealed store that certificates and keys are kept in. It is an
// interface because certmagic's storage needs five verbs of it and tests need a
// small one; *node.Secrets provides it.
type secrets interface {
	Store(ctx context.Context, key string, value []byte) error
	Load(ctx context.Context, key string) ([]byte, error)
	Delete(ctx context.Context, key string) error
	Exists(ctx context.Context, key string) bool
	List(ctx context.Context, prefix string) ([]node.SecretInfo, error)
}

// sealedStorage is certmagic's storage over secrets, under the prefix "tls/". A
// folder is held by one process, so locks are of this process only.
type sealedStorage struct {
	secrets secrets
	mu      sync.Mutex
	held    map[string]chan struct{} // guarded by mu: closed when the lock is free again
}

const storagePrefix = "tls/"

var _ certmagic.Storage = (*sealedStorage)(nil)

func newStorage(s secrets) *sealedStorage {
	return &sealedStorage{secrets: s, held: make(map[string]chan struct{})}
}

func (s *sealedStorage) Store(ctx context.Context, key string, value []byte) error {
	return s.secrets.Store(ctx, storagePrefix+key, value)
}

func (s *sealedStorage) Load(ctx context.Context, key string) ([]byte, error) {
	return s.secrets.Load(ctx, storagePrefix+key)
}

// Delete removes a key and all that is under it; removing nothing is no error.
func (s *sealedStorage) Delete(ctx context.Context, key string) error {
	under, err := s.under(ctx, key)
	if err != nil {
		return err
	}
	for _, info := range under {
		if err := s.secrets.Delete(ctx, info.Key); err != nil {
			return err
		}
	}
	return nil
}

// Exists tells whether there is a value at key, or any under it.
func (s *sealedStorage) Exists(ctx context.Context, key string) bool {
	under, err := s.under(ctx, key)
	return err == nil && len(under) > 0
}

// List returns the keys under path; without recursive, the names one step below.
func (s *sealedStorage) List(ctx context.Context, path string, recursive bool) ([]string, error) {
	under, err := s.under(ctx, path)
	if err != nil {
		return nil, err
	}
	var keys []string
	seen := make(map[string]bool)
	for _, info := range under {
		key := strings.TrimPrefix(info.Key, storagePrefix)
		if !recursive {
			key = step(path, key)
		}
		if !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, fs.ErrNotExist
	}
	return keys, nil
}

// step cuts key one level below path.
func step(path, key string) string {
	prefix := strings.TrimSuffix(path, "/")
	if prefix != "" {
		prefix += "/"
	}
	rest, found := strings.CutPrefix(key, prefix)
	if !found {
		return key
	}
	name, _, _ := strings.Cut(rest, "/")
	return prefix + name
}

// Stat describes the value at key, or that key is a folder.
func (s *sealedStorage) Stat(ctx context.Context, key string) (certmagic.KeyInfo, error) {
	under, err := s.under(ctx, key)
	if err != nil {
		return certmagic.KeyInfo{}, err
	}
	for _, info := range under {
		if info.Key == storagePrefix+key {
			return certmagic.KeyInfo{Key: key, Modified: info.Modified, Size: info.Size, IsTerminal: true}, nil
		}
	}
	if len(under) > 0 {
		return certmagic.KeyInfo{Key: key}, nil
	}
	return certmagic.KeyInfo{}, fs.ErrNotExist
}

// under lists the value at key and the values below it.
func (s *sealedStorage) under(ctx context.Context, key string) ([]node.SecretInfo, error) {
	full := storagePrefix + strings.TrimSuffix(key, "/")
	all, err := s.secrets.List(ctx, strings.TrimSuffix(full, "/"))
	if err != nil {
		return nil, err
	}
	var kept []node.SecretInfo
	for _, info := range all {
		if info.Key == full || strings.HasPrefix(info.Key, strings.TrimSuffix(full, "/")+"/") {
			kept = append(kept, info)
		}
	}
	return kept, nil
}

// Lock waits for a name to be free and holds it.
func (s *sealedStorage) Lock(ctx context.Context, name string) error {
	for {
		s.mu.Lock()
		free, taken := s.held[name]
		if !taken {
			s.held[name] = make(chan struct{})
			s.mu.Unlock()
			return nil
		}
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-free:
		}
	}
}

// Unlock frees a name.
func (s *sealedStorage) Unlock(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if free, taken := s.held[name]; taken {
		close(free)
		delete(s.held, name)
	}
	return nil
}
