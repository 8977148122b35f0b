package webui

import (
	"errors"
	"net/http"
	"time"

	"relais/node/fault"
	"relais/webui/locale"
	"relais/webui/page"
)

// statuses turns fault codes into HTTP statuses. This is the one place.
var statuses = map[fault.Code]int{
	fault.Invalid:         http.StatusUnprocessableEntity,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Forbidden:       http.StatusForbidden,
	fault.NotFound:        http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.Stale:           http.StatusConflict,
	fault.Limited:         http.StatusTooManyRequests,
	fault.Locked:          http.StatusServiceUnavailable,
	fault.Unavailable:     http.StatusServiceUnavailable,
	fault.Internal:        http.StatusInternalServerError,
}

// statusOf returns the status of an error; a body beyond the limit is 413.
func statusOf(err error) int {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return http.StatusRequestEntityTooLarge
	}
	if status, known := statuses[fault.Of(err).Code]; known {
		return status
	}
	return http.StatusInternalServerError
}

// problems are the pages of a status alone, when no fault says more.
var problems = map[int]string{
	http.StatusForbidden:             locale.ProblemCrossSite,
	http.StatusNotFound:              locale.ProblemNotFound,
	http.StatusMethodNotAllowed:      locale.ProblemMethod,
	http.StatusRequestEntityTooLarge: locale.ProblemTooLarge,
	http.StatusMisdirectedRequest:    locale.ProblemHost,
	http.StatusInternalServerError:   fault.Of(errors.New("internal")).Message,
}

// fail answers with the page of an error. What is ours is logged, with its
// cause; what is the visitor's is a line of the request log and no more.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, f := statusOf(err), fault.Of(err)
	if status == http.StatusInternalServerError {
		s.log.Error("request failed", "route", routeOf(r), "err", err)
	}
	if status == http.StatusRequestEntityTooLarge {
		f = fault.New(fault.Invalid, locale.ProblemTooLarge, err)
	}
	s.problem(w, r, status, f.Message, f.Wait)
}

// refuse answers with the page of a status.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, status int) {
	s.problem(w, r, status, problems[status], 0)
}

// always is refuse as a handler.
func (s *Server) always(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.refuse(w, r, status) })
}

func (s *Server) problem(w http.ResponseWriter, r *http.Request, status int, message string, wait time.Duration) {
	p := &page.Problem{Status: status, Message: message, Home: "/bureau"}
	p.Title, p.Audience = locale.ProblemTitle(status), page.Door
	switch {
	case isKiosk(r):
		p.Audience, p.Home = page.Kiosk, "/kiosque"
	case status == http.StatusMisdirectedRequest:
		p.Home = ""
	}
	retryAfter(w, wait)
	if err := s.render(w, r, status, p); err != nil {
		s.log.Error("the page of a problem failed", "err", err)
		http.Error(w, message, status)
	}
}
