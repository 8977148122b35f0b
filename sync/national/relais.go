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
	Checkpoint(ctx context.Context) ([]byte, error)
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

// Steps implements Attempt.
func (t *attempt) Steps() []Step {
	return []Step{
		{"age", t.age},
		{"roster", t.roster},
		{"records", t.records},
		{"counts", t.compare},
		{"checkpoint", t.checkpoint},
	}
}

// End implements Attempt.
func (t *attempt) End() Wire {
	t.pool.CloseIdleConnections()
	return t.meter.wire()
}

func (t *attempt) age(ctx context.Context, r *Report) error {
	f, err := t.Hub.Freshness(ctx)
	if err != nil {
		return err
	}
	if !f.National.IsZero() {
		r.Age = r.At.Sub(f.National)
	}
	return nil
}

// roster begins with the service's vector, which names its roster's version, and
// makes the two rosters one: authors that only the newer one knows would be
// refused otherwise.
func (t *attempt) roster(ctx context.Context, r *Report) error {
	if err := t.look(ctx); err != nil {
		return err
	}
	switch ours := t.Hub.Roster(); {
	case t.theirs.RosterVersion < ours.Version:
		if err := t.putRoster(ctx, t.Hub.RosterNote()); err != nil {
			return err
		}
	case t.theirs.RosterVersion > ours.Version:
		note, err := t.getRoster(ctx)
		if err != nil {
			return err
		}
		if err := t.Hub.InstallRoster(ctx, note); err != nil {
			return fmt.Errorf("install roster %d: %w", t.theirs.RosterVersion, err)
		}
	default:
		return nil
	}
	r.Updated++
	return nil
}

func (t *attempt) look(ctx context.Context) (err error) {
	t.asked = t.Now()
	t.theirs, err = t.client.Vector(ctx, t.service)
	return err
}

// records moves what either side lacks, both ways, a bounded page at a time.
func (t *attempt) records(ctx context.Context, r *Report) error {
	if err := t.pull(ctx, r); err != nil {
		return err
	}
	return t.push(ctx, r)
}

func (t *attempt) pull(ctx context.Context, r *Report) error {
	behind, err := t.Hub.Behind(ctx, t.theirs)
	if err != nil {
		return fmt.Errorf("compare with the service's vector: %w", err)
	}
	if !behind {
		t.Hub.PeerCompared(t.service, t.asked)
		return nil
	}
	got, err := t.client.PullRecords(ctx, t.service)
	r.Down += got.New
	r.Created += got.New
	r.Refused += got.Refused
	if got.Roster {
		r.Updated++
	}
	return t.unlessStuck(err)
}

func (t *attempt) push(ctx context.Context, r *Report) error {
	first, _, err := t.Hub.Missing(ctx, t.theirs, record.MaxOctets)
	if err != nil {
		return fmt.Errorf("look for what the service lacks: %w", err)
	}
	if len(first) == 0 {
		return nil
	}
	done, err := t.client.Push(ctx, t.service)
	r.Up += done.New
	r.Created += done.New
	r.RefusedThere += done.Refused
	return t.unlessStuck(err)
}

// unlessStuck lets a pass go on when one side refuses what the other holds: the
// rest still moves, and the drift says how much does not agree.
func (t *attempt) unlessStuck(err error) error {
	if !errors.Is(err, exchange.ErrNoProgress) {
		return err
	}
	t.Logger.Warn("records are refused by the national service or from it", "peer", t.service.String(), "err", err)
	return nil
}

// compare counts what still differs. Records that arrived from elsewhere during
// the pass are no drift: what moved meanwhile is moved, once more.
func (t *attempt) compare(ctx context.Context, r *Report) error {
	for again := false; ; again = true {
		var err error
		if r.Drift, err = t.drift(ctx); err != nil || r.Drift == 0 || again {
			return err
		}
		if err := t.look(ctx); err != nil {
			return err
		}
		if err := t.records(ctx, r); err != nil {
			return err
		}
	}
}

func (t *attempt) drift(ctx context.Context) (int, error) {
	var err error
	if t.counts, err = t.getCounts(ctx); err != nil {
		return 0, err
	}
	ours, err := t.Hub.RecordCounts(ctx)
	if err != nil {
		return 0, fmt.Errorf("count our records: %w", err)
	}
	kinds := distance(ours.Notices, t.counts.Notices) + distance(ours.Revocations, t.counts.Revocations)
	return max(distance(ours.Records, t.counts.Records), kinds), nil
}

func distance(a, b int) int { return max(a-b, b-a) }

// checkpoint hands over the state of our journal when it grew.
func (t *attempt) checkpoint(ctx context.Context, r *Report) error {
	signed, err := t.Hub.Checkpoint(ctx)
	if err != nil {
		return fmt.Errorf("sign a checkpoint: %w", err)
	}
	size, err := checkpointSize(signed)
	if err != nil || size <= t.counts.Checkpoint {
		return err
	}
	if err := t.put(ctx, PathCheckpoint, TypeCheckpoint, signed); err != nil {
		return err
	}
	r.Updated++
	return nil
}
