package national

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"
)

// FuzzAnswer feeds a foreign answer to everything that reads one.
func FuzzAnswer(f *testing.F) {
	f.Add(200, "application/json", "3", []byte(`{"records":1,"notices":1,"revocations":0,"checkpoint":7}`))
	f.Add(409, "application/problem+json", "", []byte(`{"title":"Conflict","status":200,"detail":"older"}`))
	f.Add(503, "text/html", "Sat, 21 Nov 2026 22:00:00 GMT", []byte("<h1>later</h1>"))
	f.Add(200, "application/json", "-1", []byte(`{"records":-1}`))
	f.Fuzz(func(t *testing.T, status int, kind, later string, body []byte) {
		resp := &http.Response{
			StatusCode: status, Body: io.NopCloser(bytes.NewReader(body)),
			Header: http.Header{"Content-Type": {kind}, "Retry-After": {later}},
		}
		if wait, asked := retryAfter(resp, time.UnixMilli(0)); wait < 0 || wait > 0 && !asked {
			t.Errorf("a wait of %v", wait)
		}
		answer, err := readAnswer(resp, TypeCounts, maxCountsOctets)
		if err != nil {
			return
		}
		if status != http.StatusOK || len(answer) > maxCountsOctets {
			t.Fatalf("status %d gave %d octets", status, len(answer))
		}
		c, err := parseCounts(answer)
		if err == nil && (c.Records < 0 || c.Notices < 0 || c.Revocations < 0 || c.Checkpoint < 0) {
			t.Errorf("%+v", c)
		}
	})
}

func FuzzCheckpointSize(f *testing.F) {
	f.Add([]byte("relais/demo/h_0\n12\nAAAA\n\n— relais/demo/h_0 AAAA\n"))
	f.Add([]byte("\n-1\n"))
	f.Fuzz(func(t *testing.T, signed []byte) {
		if size, err := checkpointSize(signed); err == nil && size < 0 {
			t.Errorf("size %d", size)
		}
	})
}

// FuzzCountsHeader: what is read is said again octet by octet, and never negative.
func FuzzCountsHeader(f *testing.F) {
	f.Add("records=41, notices=30, revocations=11")
	f.Add("records=-1, notices=0, revocations=0")
	f.Add("records=1,notices=0,revocations=0 and more")
	f.Fuzz(func(t *testing.T, said string) {
		c, err := ParseCountsHeader(said)
		if err == nil && (c.Header() != said || c.Records < 0 || c.Notices < 0 || c.Revocations < 0) {
			t.Errorf("%q is %+v", said, c)
		}
	})
}
