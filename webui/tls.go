package webui

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
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

	mu    sync.Mutex
	ca    *ca              // guarded by mu: nil until first used
	cache *certmagic.Cache // guarded by mu: of what is served; nil: nothing is

	live atomic.Pointer[tls.Config] // of the next handshakes
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
	c, err := a.load(ctx)
	if err != nil {
		return nil, err
	}
	a.ca = c
	return c, nil
}

func (a *authority) load(ctx context.Context) (*ca, error) {
	now := a.now()
	c, err := loadCA(ctx, a.secrets, a.names, now)
	if err == nil && !c.inDate(now) {
		a.log.Warn("the authority that the territory certified is out of its dates; it is used all the same: look at the clock, then ask for an invitation",
			"from", c.cert.NotBefore, "until", c.cert.NotAfter)
	}
	return c, err
}

func (a *authority) rootPEM(ctx context.Context) ([]byte, error) {
	c, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	return certificatePEM(c.root().Raw), nil
}

// config obtains what is missing, shows it and keeps it renewed until ctx ends.
// Each handshake is shown what is live then: see reopen.
func (a *authority) config(ctx context.Context) (*tls.Config, error) {
	c, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.show(ctx, c); err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, a.stop)
	config := ours(&tls.Config{})
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return a.live.Load(), nil }
	return config, nil
}

// ours sets what holds for every connection.
func ours(config *tls.Config) *tls.Config {
	config.MinVersion = tls.VersionTLS12
	config.NextProtos = []string{"h2", "http/1.1"}
	return config
}

// reopen reads the authority again, which the territory may have certified
// meanwhile, and shows it from the next handshake on. After an error, what was
// shown still is.
func (a *authority) reopen(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, err := a.load(ctx)
	if err != nil {
		return err
	}
	if a.cache != nil && (a.ca == nil || !a.ca.cert.Equal(c.cert)) {
		if err := a.show(ctx, c); err != nil {
			return err
		}
	}
	a.ca = c
	return nil
}

// show obtains certificates of c for every name, and goes over to them. The caller
// holds mu.
func (a *authority) show(ctx context.Context, c *ca) error {
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
			return ctx.Err()
		}
		return fmt.Errorf("obtain certificates: %w", err)
	}
	if a.cache != nil {
		a.cache.Stop()
	}
	a.cache = cache
	a.live.Store(ours(magic.TLSConfig()))
	return nil
}

// stop ends the renewals.
func (a *authority) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cache != nil {
		a.cache.Stop()
	}
	a.cache = nil
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
