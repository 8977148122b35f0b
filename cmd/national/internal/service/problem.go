package service

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"relais/node/fault"
	"relais/sync/exchange"
)

// writeProblem answers in the shape of RFC 9457.
func writeProblem(w http.ResponseWriter, status int, detail string) {
	body, err := json.Marshal(exchange.Problem{Title: http.StatusText(status), Status: status, Detail: detail})
	if err != nil {
		panic(err) // three plain fields
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	w.Write(body)
}

// statusOf is the status for an error. What is ours alone says no more than that.
func statusOf(err error) (status int, detail string) {
	var p *exchange.Problem
	if errors.As(err, &p) {
		return p.Status, p.Detail
	}
	switch f := fault.Of(err); f.Code {
	case fault.Invalid:
		return http.StatusUnprocessableEntity, f.Error()
	case fault.Forbidden:
		return http.StatusForbidden, f.Error()
	case fault.Conflict:
		return http.StatusConflict, f.Error()
	case fault.Unavailable:
		return http.StatusServiceUnavailable, f.Error()
	default:
		return http.StatusInternalServerError, "see the log of the service"
	}
}

// readBody takes a request's body of exactly this type and at most this size.
func readBody(w http.ResponseWriter, r *http.Request, want string, limit int64) ([]byte, error) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != want {
		return nil, &exchange.Problem{Status: http.StatusUnsupportedMediaType, Detail: "expected " + want}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, &exchange.Problem{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("more than %d octets", limit)}
	case err != nil:
		return nil, &exchange.Problem{Status: http.StatusBadRequest, Detail: "the body broke off"}
	}
	return body, nil
}
