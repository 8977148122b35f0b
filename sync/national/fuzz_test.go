package national

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"
	"unicode/utf8"

	"relais/node/people"
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

// FuzzSize: a size that a witness answers is a number as it writes it, or none.
func FuzzSize(f *testing.F) {
	f.Add([]byte("12\n"))
	f.Add([]byte("-1\n"))
	f.Add([]byte("007\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		var stale *staleError
		if err := parseSize(body); err == nil {
			t.Error("no error, and no size")
		} else if errors.As(err, &stale) && (stale.held < 0 || fmt.Sprintf("%d\n", stale.held) != string(body)) {
			t.Errorf("%q is %d", body, stale.held)
		}
	})
}

// FuzzDirectoryPage: whatever the directory sends, what is kept is bounded and
// prints.
func FuzzDirectoryPage(f *testing.F) {
	f.Add([]byte(`{"count":1,"next":null,"previous":null,"results":[{"id":"00000000-0000-4000-8000-000000000001","pivot":11100000000000,"nom":"CCAS"}]}`))
	f.Add([]byte(`{"count":-1}`))
	f.Add([]byte(`{"count":2,"next":"x","results":[1,{"id":"0"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		page, odd, err := parsePage(body)
		if err != nil {
			return
		}
		if page.Total < 0 || len(page.Entries)+odd > maxPageEntries {
			t.Fatalf("%d entries, %d odd, of %d", len(page.Entries), odd, page.Total)
		}
		for _, e := range page.Entries {
			for _, text := range []string{e.Name, e.Commune, e.Postcode, e.Address, e.SIRET, e.Modified} {
				if !people.Plain(text) || utf8.RuneCountInString(text) > maxDirectoryName {
					t.Errorf("kept %.80q", text)
				}
			}
			if e.ID == [16]byte{} || e.Name == "" {
				t.Errorf("kept %+v", e)
			}
		}
	})
}

// FuzzHeld: what is read is said again octet by octet, and never negative.
func FuzzHeld(f *testing.F) {
	f.Add("records=41, notices=30, revocations=11, structures=12, aside=0")
	f.Add("records=-1, notices=0, revocations=0, structures=0, aside=0")
	f.Add("records=1,notices=0,revocations=0 and more")
	f.Fuzz(func(t *testing.T, said string) {
		h, err := ParseHeld(said)
		if err == nil && (h.Header() != said || min(h.Records, h.Notices, h.Revocations, h.Structures, h.Aside) < 0) {
			t.Errorf("%q is %+v", said, h)
		}
	})
}

// FuzzStructures: whatever the list sends, what is kept of it is bounded and prints,
// and every other item is set aside for a reason.
func FuzzStructures(f *testing.F) {
	f.Add([]byte(`{"items":[{"id":"00000000-0000-4000-8000-000000000001","name":"CCAS","siret":"11100000000000","habilitation":{"state":"active","since":"2024-03-12"}}],"next":"a","more":false}`))
	f.Add([]byte(`{"items":[{"id":"00000000-0000-4000-8000-000000000001","gone":true},7,{"id":"x"}],"next":"b","more":true}`))
	f.Add([]byte(`{"items":[],"next":""}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		page, _, err := parseStructures(body)
		if err != nil {
			return
		}
		if len(page.Entries)+len(page.Gone)+len(page.Aside) > MaxStructures || page.Next == "" || len(page.Next) > MaxCursorOctets {
			t.Fatalf("%+v", page)
		}
		for _, e := range page.Entries {
			for _, text := range []string{e.Name, e.Commune, e.Postcode, e.Address, e.SIRET, e.Since} {
				if !people.Plain(text) || utf8.RuneCountInString(text) > maxDirectoryName {
					t.Errorf("kept %.80q", text)
				}
			}
			if e.ID == [16]byte{} || e.Name == "" || (e.Habilitation == "none") != (e.Since == "") {
				t.Errorf("kept %+v", e)
			}
		}
		for _, a := range page.Aside {
			if a.Reason == "" || a.Key == [16]byte{} {
				t.Errorf("set aside %+v", a)
			}
		}
	})
}
