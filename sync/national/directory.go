package national

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"relais/node"
	"relais/node/people"
)

// DirectoryPath is the directory's, below the address of Aidants Connect.
const DirectoryPath = "/api/organisations/"

// How gently the directory is read. It can only be read whole: it has no filter, no
// "since" and no ETag. It counts what is not found by address, and an address that
// asks for ten such things in a second is shut out, with everybody behind the same
// router: so pages are asked for one after the other, only those that the page
// before announced, none twice, and never an entry by its identifier.
const (
	// DirectoryPace is the least time between two requests.
	DirectoryPace = 2 * time.Second
	// directoryFresh is how long a whole reading is good for; until then a pass
	// asks for nothing.
	directoryFresh = 20 * time.Hour
	// crawlLife is how long a reading that was cut may be gone on with.
	crawlLife         = 24 * time.Hour
	maxDirectoryPages = 1000
	maxPageOctets     = 1 << 20
	maxPageEntries    = 500
)

// ErrMoved means that the directory became shorter than a page before had said. The
// reading begins anew with the next pass, not now.
var ErrMoved = errors.New("the directory changed while it was read: it is read anew with the next pass")

// Shelf keeps the directory; *node.Node satisfies it. It is an interface so that a
// reading can be tested that is cut in the middle.
type Shelf interface {
	Crawl(ctx context.Context) (node.Crawl, error)
	BeginCrawl(ctx context.Context) (node.Crawl, error)
	TakeDirectoryPage(ctx context.Context, p node.DirectoryPage) (node.DirectoryChange, error)
}

// DirectoryOptions are what the aidants-connect adapter needs. Shelf and URL are
// required.
type DirectoryOptions struct {
	Shelf Shelf
	// URL is the address of Aidants Connect, https://host.
	URL string
	// Proxy is an HTTP CONNECT proxy, http://host:port; nil for none.
	Proxy  *url.URL
	Pace   time.Duration    // 0: DirectoryPace
	TLS    *tls.Config      // nil: the machine's own authorities
	Now    func() time.Time // nil: time.Now
	Logger *slog.Logger     // nil: discards
}

// Directory is the adapter for the public directory of Aidants Connect. It reads and
// never writes: there is nothing to write to.
type Directory struct{ o DirectoryOptions }

// NewDirectory returns the aidants-connect adapter. It connects when a reading is
// due, and not before.
func NewDirectory(o DirectoryOptions) *Directory {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Pace == 0 {
		o.Pace = DirectoryPace
	}
	return &Directory{o}
}

// Name implements Adapter.
func (*Directory) Name() string { return "aidants-connect" }

// Begin implements Adapter.
func (d *Directory) Begin(context.Context) (Attempt, error) {
	base, err := url.Parse(d.o.URL)
	if err != nil || base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("url of the directory: %q is not https://host", d.o.URL)
	}
	r := &reading{DirectoryOptions: d.o, base: base.JoinPath(DirectoryPath).String()}
	r.pool = &http.Transport{
		DialContext: r.meter.dial, TLSClientConfig: d.o.TLS, TLSHandshakeTimeout: 10 * time.Second,
		MaxConnsPerHost: 1, ForceAttemptHTTP2: true,
	}
	if d.o.Proxy != nil {
		r.pool.Proxy = http.ProxyURL(d.o.Proxy)
	}
	r.http = &http.Client{
		Transport:     patient{now: d.o.Now, base: r.pool},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return r, nil
}

// reading is one pass: as much of the directory as it can read.
type reading struct {
	DirectoryOptions
	base  string
	meter meter
	pool  *http.Transport
	http  *http.Client
}

// Steps implements Attempt.
func (t *reading) Steps() []Step { return []Step{{"directory", t.read}} }

// End implements Attempt.
func (t *reading) End() Wire {
	t.pool.CloseIdleConnections()
	return t.meter.wire()
}

// read goes on with the reading under way, or begins one when it is due. Each page
// is committed before the next is asked for.
func (t *reading) read(ctx context.Context, r *Report) error {
	c, err := t.Shelf.Crawl(ctx)
	if err != nil {
		return err
	}
	now := t.Now()
	if !c.Ended.IsZero() {
		r.Age = max(0, now.Sub(c.Ended))
		if age := now.Sub(c.Ended); 0 <= age && age < directoryFresh {
			return nil
		}
	}
	if c.Number == 0 || !c.Ended.IsZero() || now.Sub(c.Began).Abs() > crawlLife {
		if c, err = t.Shelf.BeginCrawl(ctx); err != nil {
			return err
		}
	}
	for number := c.Page + 1; ; number++ {
		if number > maxDirectoryPages {
			return fmt.Errorf("the directory has more than %d pages", maxDirectoryPages)
		}
		page, err := t.page(ctx, number, r)
		if err != nil {
			return fmt.Errorf("page %d: %w", number, err)
		}
		change, err := t.Shelf.TakeDirectoryPage(ctx, page)
		if err != nil {
			return err
		}
		r.Created, r.Updated = r.Created+change.Created, r.Updated+change.Updated
		r.Deleted, r.Drift = r.Deleted+change.Gone, change.Drift
		if page.Last {
			return nil
		}
		if err := sleep(ctx, t.Pace); err != nil {
			return err
		}
	}
}

// page asks for one page, once. One that is not found ends this reading: the
// directory is shorter than it was.
func (t *reading) page(ctx context.Context, number int, r *Report) (node.DirectoryPage, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.base+"?page="+strconv.Itoa(number), nil)
	if err != nil {
		return node.DirectoryPage{}, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "relais")
	t.meter.requests.Add(1)
	resp, err := t.http.Do(req)
	if err != nil {
		return node.DirectoryPage{}, err
	}
	defer resp.Body.Close()
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case resp.StatusCode == http.StatusNotFound:
		_, err := t.Shelf.BeginCrawl(ctx)
		return node.DirectoryPage{}, errors.Join(ErrMoved, err)
	case resp.StatusCode != http.StatusOK:
		return node.DirectoryPage{}, fmt.Errorf("the directory answers %d", resp.StatusCode)
	case kind != "application/json":
		return node.DirectoryPage{}, fmt.Errorf("the answer is %.60q, not JSON", kind)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPageOctets+1))
	if err != nil {
		return node.DirectoryPage{}, err
	}
	page, odd, err := parsePage(body)
	page.Number = number
	if odd > 0 {
		r.Refused += odd
		t.Logger.Warn("entries of the directory were set aside", "page", number, "entries", odd)
	}
	return page, err
}

// directoryPage is a page as Aidants Connect writes it. Its links are not followed:
// next says only that there is one.
type directoryPage struct {
	Count   *int              `json:"count"`
	Next    *string           `json:"next"`
	Results []json.RawMessage `json:"results"`
}

type directoryEntry struct {
	ID       string      `json:"id"`
	Pivot    json.Number `json:"pivot"` // SIRET
	Name     string      `json:"nom"`
	Commune  string      `json:"commune"`
	Postcode string      `json:"code_postal"`
	Address  string      `json:"adresse"`
	More     string      `json:"address_complement"`
	Modified string      `json:"date_de_modification"`
}

// parsePage reads a page. An entry that cannot be taken is set aside and counted: it
// must not hold up the others.
func parsePage(body []byte) (page node.DirectoryPage, odd int, err error) {
	if len(body) > maxPageOctets {
		return page, 0, fmt.Errorf("the page exceeds %d octets", maxPageOctets)
	}
	var p directoryPage
	if err := json.Unmarshal(body, &p); err != nil {
		return page, 0, fmt.Errorf("the page is no JSON of one: %w", err)
	}
	if p.Count == nil || *p.Count < 0 || len(p.Results) > maxPageEntries {
		return page, 0, errors.New("the page says no count, or holds too much")
	}
	page.Total, page.Last = *p.Count, p.Next == nil
	for _, raw := range p.Results {
		entry, err := parseEntry(raw)
		if err != nil {
			odd++
			continue
		}
		page.Entries = append(page.Entries, entry)
	}
	return page, odd, nil
}

// The longest texts of an entry, in characters.
const (
	maxDirectoryName = 300
	maxDirectoryText = 200
	maxDirectoryCode = 40
)

func parseEntry(raw []byte) (e node.DirectoryEntry, err error) {
	var d directoryEntry
	if err := json.Unmarshal(raw, &d); err != nil {
		return e, errors.New("not an entry")
	}
	id, err := uuid.Parse(d.ID)
	if err != nil || id == uuid.Nil || len(d.ID) != 36 {
		return e, errors.New("no identifier")
	}
	e.ID = id
	for _, f := range []struct {
		to   *string
		from string
		max  int
	}{
		{&e.Name, d.Name, maxDirectoryName},
		{&e.Commune, d.Commune, maxDirectoryText},
		{&e.Postcode, d.Postcode, maxDirectoryCode},
		{&e.Address, d.Address + " " + d.More, maxDirectoryName},
		{&e.SIRET, d.Pivot.String(), maxDirectoryCode},
		{&e.Modified, d.Modified, maxDirectoryCode},
	} {
		*f.to = printable(f.from, f.max)
	}
	if e.Name == "" {
		return node.DirectoryEntry{}, errors.New("no name")
	}
	return e, nil
}

// printable is a text on one line, at most max characters, without what does not
// print: a name with a stray character is still a name.
func printable(s string, max int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !people.Plain(string(r)) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	runes := []rune(people.Tidy(s))
	return strings.TrimSpace(string(runes[:min(len(runes), max)]))
}
