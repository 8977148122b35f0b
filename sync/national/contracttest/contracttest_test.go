package contracttest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"relais/sync/national"
	"relais/sync/national/contracttest"
)

// TestCheck: what keeps to the contract passes, and each way of not keeping to it is
// noticed: without that, the silence of the other tests would say nothing.
func TestCheck(t *testing.T) {
	const (
		problem = `{"title":"Gone","status":410}`
		counts  = `{"records":1,"notices":1,"revocations":0,"checkpoint":7,"structures":0}`
		page    = `{"items":[{"id":"00000000-0000-4000-8000-000000000001","name":"CCAS"}],"next":"a","more":false}`
	)
	for name, tt := range map[string]struct {
		method, path, kind string
		status             int
		says, answer       string
		want               string // "" for nothing wrong
	}{
		"counts":                   {"GET", national.PathCounts, "", 200, "application/json", counts, ""},
		"counts, one missing":      {"GET", national.PathCounts, "", 200, "application/json", strings.Replace(counts, `"records":1,`, "", 1), "records"},
		"counts, a negative one":   {"GET", national.PathCounts, "", 200, "application/json", strings.Replace(counts, "7", "-7", 1), "checkpoint"},
		"another type":             {"GET", national.PathCounts, "", 200, "text/html", counts, "text/html"},
		"another status":           {"GET", national.PathCounts, "", 201, "application/json", counts, "201"},
		"a page":                   {"GET", national.PathStructures + "?after=x", "", 200, "application/json", page, ""},
		"a page without a cursor":  {"GET", national.PathStructures, "", 200, "application/json", strings.Replace(page, `"a"`, `""`, 1), "next"},
		"a structure without name": {"GET", national.PathStructures, "", 200, "application/json", strings.Replace(page, `,"name":"CCAS"`, "", 1), "items"},
		"another list":             {"GET", national.PathStructures + "?after=x", "", 410, "application/problem+json", problem, ""},
		"no problem":               {"GET", national.PathStructures + "?after=x", "", 410, "application/problem+json", `{"status":410}`, "title"},
		"an empty cursor, taken":   {"GET", national.PathStructures + "?after=", "", 200, "application/json", page, "after"},
		"a cosignature":            {"POST", national.PathAddCheckpoint, national.TypeSubmission, 200, "text/plain; charset=utf-8", "— x AAAA\n", ""},
		"a size":                   {"POST", national.PathAddCheckpoint, national.TypeSubmission, 409, national.TypeSize, "12\n", ""},
		"a size that is none":      {"POST", national.PathAddCheckpoint, national.TypeSubmission, 409, national.TypeSize, "012\n", "pattern"},
		"another body, taken":      {"POST", national.PathAddCheckpoint, "text/plain", 204, "", "", "text/plain"},
		"another body, refused":    {"POST", national.PathAddCheckpoint, "text/plain", 415, "application/problem+json", problem, ""},
		"another path, taken":      {"GET", "/elsewhere", "", 200, "", "", "elsewhere"},
		"another path, refused":    {"GET", "/elsewhere", "", 404, "", "", ""},
		"another method, taken":    {"PUT", national.PathCounts, "", 204, "", "", "PUT"},
	} {
		t.Run(name, func(t *testing.T) {
			req := httptest.NewRequest(tt.method, "https://h_0"+tt.path, nil)
			header := http.Header{}
			if tt.says != "" {
				header.Set("Content-Type", tt.says)
			}
			var sent []byte
			if tt.kind != "" {
				req.Header.Set("Content-Type", tt.kind)
				sent = []byte("old 0\n\nx")
			}
			err := contracttest.Check(req, sent, tt.status, header, []byte(tt.answer))
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}
