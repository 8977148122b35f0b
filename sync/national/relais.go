package national

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"relais/node"
	"relais/node/journal"
	"relais/node/record"
	"relais/node/territory"
	"relais/sync/exchange"
	"relais/sync/link"
)

// The reasons for which no pass can begin.
var (
	ErrNoRoster   = errors.New("no roster yet: the national service cannot be recognised")
	ErrNoNational = errors.New("the roster names no national service")
)

// Hub is what a pass needs of a hub; *node.Node satisfies it. It is an interface
// so that a pass can be tested against a hub that is cut in the middle.
type Hub interface {
	exchange.Local
	Behind(ctx context.Context, theirs record.Vector) (bool, error)
	Submission(ctx context.Context, held int64) (s journal.Submission, due bool, err error)
	KeepCosignature(ctx context.Context, checkpoint []byte, lines string) error
	CheckpointRefused(ctx context.Context, held int64) error
	NationalList(ctx context.Context) (node.NationalList, error)
	BeginNationalList(ctx context.Context) (node.NationalList, error)
	TakeNationalPage(ctx context.Context, p node.NationalPage) (node.DirectoryChange, error)
	RecordCounts(ctx context.Context) (node.RecordCounts, error)
	Freshness(ctx context.Context) (node.Freshness, error)
}

// Options are what the relais adapter needs. Hub and Credentials are required.
type Options struct {
	Hub         Hub
	Credentials *link.Credentials
	// URL of the service, https://host:port; empty for the roster's. Who answers
	// there is verified against the roster in both cases.
	URL string
	// Proxy is an HTTP CONNECT proxy, http://host:port; nil for none.
	Proxy  *url.URL
	Now    func() time.Time // nil: time.Now
	Logger *slog.Logger     // nil: discards
}

// Relais is the adapter for the contract of openapi.yaml.
type Relais struct{ o Options }

// New returns the relais adapter. It connects at each pass and not before.
func New(o Options) *Relais {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Relais{o: o}
}

// Name implements Adapter.
func (*Relais) Name() string { return "relais" }

// Begin implements Adapter. A pass has its own connection: what it costs is
// counted whole, and a service that moved or was replaced is found.
func (a *Relais) Begin(context.Context) (Attempt, error) {
	roster := a.o.Hub.Roster()
	switch {
	case roster == nil:
		return nil, ErrNoRoster
	case roster.National == nil:
		return nil, ErrNoNational
	}
	base, err := url.Parse(cmp.Or(a.o.URL, roster.National.URL))
	if err != nil || base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("url of the national service: %q is not https://host:port", cmp.Or(a.o.URL, roster.National.URL))
	}
	t := &attempt{Options: a.o, service: roster.National.ID}
	t.open(base.Host)
	return t, nil
}

// attempt is one pass under way.
type attempt struct {
	Options
	service territory.HubID
	meter   meter
	pool    *http.Transport
	http    *http.Client
	client  *exchange.Client

	asked  time.Time     // when theirs was asked for
	theirs record.Vector // what the service knew then
	counts Counts        // what it counted last
}

func (t *attempt) open(host string) {
	pinned := t.Credentials.ClientTLS(t.Hub.Roster, t.service, "h2")
	// The hybrid post-quantum exchange would double what an idle pass costs, on
	// lines that may be a bus's: 4.8 kB instead of 2.5. Nothing here is secret in
	// years to come: records say neither who nor what for, and codes are public
	// once they are in one.
	pinned.CurvePreferences = []tls.CurveID{tls.X25519}
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	t.pool = &http.Transport{
		DialContext:         t.meter.dial,
		TLSClientConfig:     pinned,
		TLSHandshakeTimeout: 10 * time.Second,
		Protocols:           protocols,
		MaxConnsPerHost:     1,
		DisableCompression:  true,
	}
	if t.Proxy != nil {
		t.pool.Proxy = http.ProxyURL(t.Proxy)
	}
	t.http = &http.Client{Transport: patient{now: t.Now, base: toHost{host: host, base: t.pool, meter: &t.meter}}}
	t.client = exchange.NewClient(t.Hub, t.http, t.Now)
}

// End implements Attempt.
func (t *attempt) End() Wire {
	t.pool.CloseIdleConnections()
	return t.meter.wire()
}
