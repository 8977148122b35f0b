package webui

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// renewCheck is how often certificates are looked at. They live for 30 days.
const renewCheck = time.Hour

// authority obtains, serves and renews the certificates of the hub's names.
// certmagic is always given its configuration, cache and storage: its defaults
// would ask a public authority and write keys on the disk in clear.
type authority struct {
	secrets secrets
	names   []string
	now     func() time.Time
	log     *slog.Logger

	mu sync.Mutex
	ca *ca // guarded by mu: nil until first used
}

func newAuthority(s secrets, names []string, now func() time.Time, log *slog.Logger) *authority {
	return &authority{secrets: s, names: names, now: now, log: log}
}

// open returns the hub's own authority, made at first use.
func (a *authority) open(ctx context.Context) (*ca, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ca != nil {
		return a.ca, nil
	}
	c, err := loadCA(ctx, a.secrets, a.names, a.now())
	if err != nil {
		return nil, err
	}
	a.ca = c
	return c, nil
}

func (a *authority) rootPEM(ctx context.Context) ([]byte, error) {
	c, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	return certificatePEM(c.root().Raw), nil
}

// config obtains what is missing and keeps it renewed until ctx ends.
func (a *authority) config(ctx context.Context) (*tls.Config, error) {
	c, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	var magic *certmagic.Config
	cache := certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert:   func(certmagic.Certificate) (*certmagic.Config, error) { return magic, nil },
		RenewCheckInterval: renewCheck,
		Logger:             zap.NewNop(),
	})
	magic = certmagic.New(cache, certmagic.Config{
		Issuers:    []certmagic.Issuer{issuer{c, a.now}},
		Storage:    newStorage(a.secrets),
		KeySource:  certmagic.StandardKeyGenerator{KeyType: certmagic.P256},
		OCSP:       certmagic.OCSPConfig{DisableStapling: true}, // our authority has no responder
		DisableARI: true,
		OnEvent:    a.event,
		Logger:     zap.NewNop(),
	})
	if err := magic.ManageSync(ctx, a.names); err != nil {
		cache.Stop()
		if ctx.Err() != nil { // certmagic does not wrap it
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("obtain certificates: %w", err)
	}
	context.AfterFunc(ctx, cache.Stop)
	config := magic.TLSConfig()
	config.MinVersion = tls.VersionTLS12
	config.NextProtos = []string{"h2", "http/1.1"}
	return config, nil
}

// event logs what certmagic does to certificates; their names are the hub's own.
func (a *authority) event(_ context.Context, name string, data map[string]any) error {
	switch name {
	case "cert_obtained":
		a.log.Info("certificate obtained", "name", data["identifier"], "renewal", data["renewal"])
	case "cert_failed":
		a.log.Error("certificate failed", "name", data["identifier"], "err", data["error"])
	}
	return nil
}
