package webui

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// caKey is where authorities are kept, sealed, one for each set of names under
// its own key: certificate, key and, once the territory certified it, the
// territory's certificate, in PEM, as one value so that they are never of two
// makings. The first version of Relais kept one alone, at caKey itself.
const caKey = "webui/authority"

// bundleKey is where the authority of these names is kept, in whatever order and
// case they are written. A hub that takes other names, then its former ones back,
// finds again the authority that people trust and that the territory certified.
func bundleKey(names []string) string {
	var sorted []string
	for _, name := range names {
		sorted = append(sorted, canonicalHost(name))
	}
	slices.Sort(sorted)
	sum := sha256.Sum256([]byte(strings.Join(slices.Compact(sorted), "\n")))
	return caKey + "/" + hex.EncodeToString(sum[:16])
}

// loadCA reads the authority of these names, or makes it when there is none: its
// constraint is the names.
func loadCA(ctx context.Context, s secrets, names []string, now time.Time) (*ca, error) {
	c, err := readCA(ctx, s, bundleKey(names))
	if errors.Is(err, fs.ErrNotExist) {
		if err := moveCA(ctx, s); err != nil {
			return nil, err
		}
		c, err = readCA(ctx, s, bundleKey(names))
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		return keepCA(ctx, s, key, names, now)
	case err != nil:
		return nil, err
	case c.above == nil && !c.inDate(now):
		return keepCA(ctx, s, c.key, names, now)
	}
	return c, nil
}

// inDate tells whether the authority's certificate holds at a time. One that the
// territory certified is kept even so: nobody here can make it again, and it may be
// the clock that is wrong. One of our own is made again with the same key and
// name, and what was signed under either verifies with the other.
func (c *ca) inDate(now time.Time) bool {
	return !now.Before(c.cert.NotBefore) && now.Before(c.cert.NotAfter)
}

// keepCA makes an authority and keeps it.
func keepCA(ctx context.Context, s secrets, key *ecdsa.PrivateKey, names []string, now time.Time) (*ca, error) {
	c, err := makeCA(key, names, now)
	if err != nil {
		return nil, err
	}
	bundle, err := c.bundle()
	if err != nil {
		return nil, err
	}
	return c, s.Store(ctx, bundleKey(names), bundle)
}

func readCA(ctx context.Context, s secrets, key string) (*ca, error) {
	bundle, err := s.Load(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("read the local authority: %w", err)
	}
	return parseCA(bundle)
}

// moveCA brings the authority of the first version of Relais to the key of its
// names. It never takes the place of one that is there: that one is newer.
func moveCA(ctx context.Context, s secrets) error {
	c, err := readCA(ctx, s, caKey)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	to := bundleKey(c.cert.PermittedDNSDomains)
	if !s.Exists(ctx, to) {
		bundle, err := c.bundle()
		if err == nil {
			err = s.Store(ctx, to, bundle)
		}
		if err != nil {
			return fmt.Errorf("move the local authority: %w", err)
		}
	}
	return s.Delete(ctx, caKey)
}
