package national

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	// maxWait is the longest we wait because a service asks us to. One that asks
	// for more is left alone until the next pass.
	maxWait = 8 * time.Second
	// maxWaits bounds the waits for one request, so that all of them fit in its
	// time limit.
	maxWaits = 3
	// maxDrainOctets is read of a refusal's body to keep the connection.
	maxDrainOctets = 4 << 10
)

// patient repeats a request that was answered 429 or 503 with a Retry-After we
// can afford. Every request of the contract may be repeated.
type patient struct {
	base http.RoundTripper
	now  func() time.Time
}

// RoundTrip implements http.RoundTripper.
func (p patient) RoundTrip(req *http.Request) (*http.Response, error) {
	for waits := 0; ; waits++ {
		resp, err := p.base.RoundTrip(req)
		if err != nil || waits == maxWaits {
			return resp, err
		}
		wait, asked := retryAfter(resp, p.now())
		if !asked || wait > maxWait {
			return resp, nil
		}
		again, err := rewound(req)
		if err != nil {
			return resp, nil
		}
		io.CopyN(io.Discard, resp.Body, maxDrainOctets)
		resp.Body.Close()
		if err := sleep(req.Context(), wait); err != nil {
			return nil, err
		}
		req = again
	}
}

// retryAfter reads the header (RFC 9110 §10.2.3) of an answer that says "not
// now"; a date in the past is no wait at all.
func retryAfter(resp *http.Response, now time.Time) (time.Duration, bool) {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return 0, false
	}
	value := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	return max(0, date.Sub(now)), true
}

func rewound(req *http.Request) (*http.Request, error) {
	again := req.Clone(req.Context())
	if req.Body == nil || req.Body == http.NoBody {
		return again, nil
	}
	if req.GetBody == nil {
		return nil, io.ErrUnexpectedEOF
	}
	body, err := req.GetBody()
	again.Body = body
	return again, err
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
