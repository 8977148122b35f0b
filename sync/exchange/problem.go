package exchange

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"

	"relais/node/fault"
)

// Problem is an error answer in the shape of RFC 9457. Detail is English and
// holds no personal data: these answers end in logs.
type Problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// Error implements error.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return fmt.Sprintf("%d %s", p.Status, p.Title)
	}
	return fmt.Sprintf("%d %s: %s", p.Status, p.Title, p.Detail)
}

// writeProblem answers with a problem.
func writeProblem(w http.ResponseWriter, status int, detail string) {
	body, err := json.Marshal(Problem{Title: http.StatusText(status), Status: status, Detail: detail})
	if err != nil {
		panic(err) // three plain fields
	}
	w.Header().Set("Content-Type", typeProblem)
	w.WriteHeader(status)
	w.Write(body)
}

// readProblem turns an error answer into an error; an answer of another shape
// gives its status alone.
func readProblem(resp *http.Response) *Problem {
	p := &Problem{Title: http.StatusText(resp.StatusCode), Status: resp.StatusCode}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != typeProblem {
		return p
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxProblemOctets))
	if err != nil || json.Unmarshal(body, p) != nil {
		return p
	}
	p.Status = resp.StatusCode
	return p
}

// statusOf is the status for an error of the node. What is ours alone says no
// more than that.
func statusOf(err error) (status int, detail string) {
	switch f := fault.Of(err); f.Code {
	case fault.Invalid:
		return http.StatusUnprocessableEntity, f.Error()
	case fault.Forbidden:
		return http.StatusForbidden, f.Error()
	case fault.NotFound:
		return http.StatusNotFound, f.Error()
	case fault.Conflict, fault.Stale:
		return http.StatusConflict, f.Error()
	case fault.Limited:
		return http.StatusTooManyRequests, f.Error()
	case fault.Locked, fault.Unavailable:
		return http.StatusServiceUnavailable, f.Error()
	default:
		return http.StatusInternalServerError, "see the log of the server"
	}
}
