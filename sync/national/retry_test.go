package national

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// script answers requests in turn: a status, and what Retry-After says.
type script struct {
	answers []answer
	bodies  []string
	at      []time.Duration // since the first
	begun   time.Time
}

type answer struct {
	status int
	later  string
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	if len(s.at) == 0 {
		s.begun = time.Now()
	}
	s.at = append(s.at, time.Since(s.begun))
	body, _ := io.ReadAll(req.Body)
	s.bodies = append(s.bodies, string(body))
	a := s.answers[min(len(s.at), len(s.answers))-1]
	resp := &http.Response{StatusCode: a.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("later"))}
	if a.later != "" {
		resp.Header.Set("Retry-After", a.later)
	}
	return resp, nil
}

// Inside the package, because a fake clock and a real network do not mix.
func TestRetryAfter(t *testing.T) {
	ok := answer{status: http.StatusOK}
	date := func(d time.Duration) string { return time.Now().UTC().Add(d).Format(http.TimeFormat) }
	for name, tt := range map[string]struct {
		answers func() []answer
		status  int
		at      []time.Duration
	}{
		"429 with seconds":      {func() []answer { return []answer{{429, "3"}, ok} }, 200, []time.Duration{0, 3 * time.Second}},
		"503 with a date":       {func() []answer { return []answer{{503, date(5 * time.Second)}, ok} }, 200, []time.Duration{0, 5 * time.Second}},
		"a date in the past":    {func() []answer { return []answer{{503, date(-time.Hour)}, ok} }, 200, []time.Duration{0, 0}},
		"longer than we wait":   {func() []answer { return []answer{{503, "9"}} }, 503, []time.Duration{0}},
		"without a date":        {func() []answer { return []answer{{503, ""}} }, 503, []time.Duration{0}},
		"nonsense":              {func() []answer { return []answer{{429, "soon"}} }, 429, []time.Duration{0}},
		"negative":              {func() []answer { return []answer{{429, "-1"}} }, 429, []time.Duration{0}},
		"another refusal":       {func() []answer { return []answer{{500, "1"}} }, 500, []time.Duration{0}},
		"for ever, and bounded": {func() []answer { return []answer{{429, "8"}} }, 429, []time.Duration{0, 8 * time.Second, 16 * time.Second, 24 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: tt.answers()}
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://national/", strings.NewReader("page"))
				if err != nil {
					t.Fatal(err)
				}
				resp, err := patient{base: s, now: time.Now}.RoundTrip(req)
				if err != nil || resp.StatusCode != tt.status {
					t.Fatalf("%v, %v", resp, err)
				}
				if len(s.at) != len(tt.at) {
					t.Fatalf("asked at %v, want %v", s.at, tt.at)
				}
				for i := range s.at {
					if s.at[i] != tt.at[i] || s.bodies[i] != "page" {
						t.Errorf("request %d at %v with body %q, want %v", i, s.at[i], s.bodies[i], tt.at[i])
					}
				}
			})
		})
	}
}
