package national

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"time"

	"relais/sync/exchange"
)

// requestTimeout bounds one request, the waits it is asked for included.
const requestTimeout = 30 * time.Second

// toHost sends every request to the service's address. The contract's client
// names peers by their identity, https://h_…, which the TLS handshake verifies.
type toHost struct {
	host  string
	base  http.RoundTripper
	meter *meter
}

// RoundTrip implements http.RoundTripper.
func (h toHost) RoundTrip(req *http.Request) (*http.Response, error) {
	h.meter.requests.Add(1)
	there := req.Clone(req.Context())
	there.URL.Host, there.Host = h.host, ""
	there.Header.Set("User-Agent", "relais")
	return h.base.RoundTrip(there)
}

func (t *attempt) getRoster(ctx context.Context) ([]byte, error) {
	return t.do(ctx, http.MethodGet, PathRoster, nil, nil, TypeRoster, MaxRosterOctets)
}

func (t *attempt) putRoster(ctx context.Context, note []byte) error {
	return t.put(ctx, PathRoster, TypeRoster, note)
}

func (t *attempt) put(ctx context.Context, path, kind string, body []byte) error {
	_, err := t.do(ctx, http.MethodPut, path, http.Header{"Content-Type": {kind}}, body, "", 0)
	return err
}

// getCounts asks for the service's counts, and says ours.
func (t *attempt) getCounts(ctx context.Context, ours Held) (Counts, error) {
	body, err := t.do(ctx, http.MethodGet, PathCounts, http.Header{HeaderCounts: {ours.Header()}}, nil, TypeCounts, maxCountsOctets)
	if err != nil {
		return Counts{}, err
	}
	c, err := parseCounts(body)
	if err != nil {
		return Counts{}, fmt.Errorf("counts of the national service: %w", err)
	}
	return c, nil
}

func parseCounts(body []byte) (c Counts, err error) {
	if err := json.Unmarshal(body, &c); err != nil {
		return Counts{}, err
	}
	if min(c.Records, c.Notices, c.Revocations, c.Structures) < 0 || c.Checkpoint < 0 {
		return Counts{}, errors.New("a negative number")
	}
	if len(c.StructuresHead) > MaxCursorOctets {
		return Counts{}, errors.New("a cursor that is too long")
	}
	return c, nil
}

// do sends one request and reads all of its answer, whose type must be want; ""
// wants none, 204.
func (t *attempt) do(ctx context.Context, method, path string, header http.Header, body []byte, want string, limit int64) (answer []byte, err error) {
	err = t.send(ctx, method, path, header, body, func(resp *http.Response) (err error) {
		answer, err = readAnswer(resp, want, limit)
		return err
	})
	return answer, err
}

// send sends one request and has its answer read.
func (t *attempt) send(ctx context.Context, method, path string, header http.Header, body []byte, read func(*http.Response) error) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "https://"+t.service.String()+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	maps.Copy(req.Header, header)
	resp, err := t.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := read(resp); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

func mediaType(resp *http.Response) string {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return kind
}

func readAnswer(resp *http.Response, want string, limit int64) ([]byte, error) {
	got := mediaType(resp)
	switch {
	case want == "" && resp.StatusCode == http.StatusNoContent:
		return nil, nil
	case resp.StatusCode != http.StatusOK || want == "":
		return nil, readProblem(resp, got)
	case got != want:
		return nil, fmt.Errorf("the answer is %.60q, not %s", got, want)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = fmt.Errorf("the answer exceeds %d octets", limit)
	}
	return body, err
}

func readProblem(resp *http.Response, kind string) error {
	p := &exchange.Problem{Title: http.StatusText(resp.StatusCode)}
	if kind == "application/problem+json" {
		if body, err := io.ReadAll(io.LimitReader(resp.Body, maxCountsOctets)); err == nil {
			_ = json.Unmarshal(body, p) // what cannot be read leaves the status
		}
	}
	p.Status = resp.StatusCode
	return p
}
