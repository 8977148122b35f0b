package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"relais/node/record"
	"relais/node/territory"
)

// requestTimeout bounds one request, its page included.
const requestTimeout = 30 * time.Second

// Client is the asking side of the contract.
type Client struct {
	local Local
	http  *http.Client // reaches https://h_…/, verified: link.HTTPClient
	now   func() time.Time
}

// NewClient returns a client that pulls into, and pushes from, the local hub.
// h must reach https://h_…/ URLs, as the link's HTTPClient does; now is nil for
// time.Now.
func NewClient(local Local, h *http.Client, now func() time.Time) *Client {
	if now == nil {
		now = time.Now
	}
	return &Client{local: local, http: h, now: now}
}

// answer is a whole response, its type checked and its size bounded.
type answer struct {
	body   []byte
	roster uint32 // the server's roster version, 0 before its first
	more   bool
}

// ask sends one request and reads all of its answer. A refusal is a *Problem.
func (c *Client) ask(ctx context.Context, hub territory.HubID, method, path, kind string, body []byte, want string, limit int64) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "https://"+hub.String()+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	c.noteClock(hub, resp)
	if resp.StatusCode != http.StatusOK {
		return answer{}, fmt.Errorf("%s %s at %s: %w", method, path, hub, readProblem(resp))
	}
	if got, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); got != want {
		return answer{}, fmt.Errorf("%s %s at %s: the answer is %.60q, not %s", method, path, hub, got, want)
	}
	full, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return answer{}, fmt.Errorf("%s %s at %s: %w", method, path, hub, err)
	}
	if int64(len(full)) > limit {
		return answer{}, fmt.Errorf("%s %s at %s: the answer exceeds %d octets", method, path, hub, limit)
	}
	version, _ := strconv.ParseUint(resp.Header.Get(headerRoster), 10, 32) // none: 0
	return answer{body: full, roster: uint32(version), more: resp.Header.Get(headerMore) == "true"}, nil
}

// Vector asks what a hub knows.
func (c *Client) Vector(ctx context.Context, hub territory.HubID) (record.Vector, error) {
	a, err := c.ask(ctx, hub, http.MethodGet, pathVector, "", nil, typeVector, maxVectorOctets)
	if err != nil {
		return record.Vector{}, err
	}
	var v record.Vector
	if err := v.UnmarshalBinary(a.body); err != nil {
		return record.Vector{}, fmt.Errorf("vector of %s: %w", hub, err)
	}
	return v, nil
}

// Pushed counts what a push did.
type Pushed struct {
	Outcome
	Pages int
}

// Push gives a hub what it lacks of what we know, page by page, until it lacks
// nothing, or knows a whole page already: of a log with two histories, and of
// what waits for a predecessor, nobody can tell what it holds. It stops with an
// error when a page was refused and taught it nothing.
func (c *Client) Push(ctx context.Context, hub territory.HubID) (Pushed, error) {
	var sum Pushed
	for {
		theirs, err := c.Vector(ctx, hub)
		if err != nil {
			return sum, err
		}
		wires, more, err := c.local.Missing(ctx, theirs, maxPageOctets-maxPageOctets/128)
		if err != nil {
			return sum, fmt.Errorf("look for what %s lacks: %w", hub, err)
		}
		if len(wires) == 0 {
			return sum, nil
		}
		done, err := c.pushPage(ctx, hub, wires)
		if err != nil {
			return sum, err
		}
		sum.add(done)
		if done.New == 0 && !more && done.Known == len(wires) {
			return sum, nil
		}
		if done.New == 0 {
			return sum, fmt.Errorf("push to %s: %w (%d refused of %d)", hub, ErrNoProgress, done.Refused, len(wires))
		}
	}
}

// ErrNoProgress means that a page held nothing the receiver could take, so that
// asking again would go round in circles.
var ErrNoProgress = errors.New("the page brought nothing new")

func (c *Client) pushPage(ctx context.Context, hub territory.HubID, wires [][]byte) (Outcome, error) {
	a, err := c.ask(ctx, hub, http.MethodPost, pathRecords, typeRecords, record.AppendPage(nil, wires), typeJSON, maxProblemOctets)
	if err != nil {
		return Outcome{}, err
	}
	var done Outcome
	if err := json.Unmarshal(a.body, &done); err != nil {
		return Outcome{}, fmt.Errorf("outcome from %s: %w", hub, err)
	}
	return done, nil
}

func (p *Pushed) add(o Outcome) {
	p.Pages++
	p.New += o.New
	p.Known += o.Known
	p.Refused += o.Refused
	p.Held += o.Held
	p.Postponed += o.Postponed
}
