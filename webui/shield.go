package webui

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// policy lets a page load our style, font, script and images, send its forms
// home, and do nothing else.
const policy = "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; script-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// shielded wraps the routers from outside, because mux middleware does not run
// on 404, 405 and redirects of cleaned paths. From the outermost: the log line,
// panics, headers, the limit on bodies, host names, cross-origin protection,
// assets, sessions, router.
func (s *Server) shielded() http.Handler {
	desk := s.audience(s.sessions.LoadAndSave(marked(s.deskRoutes())))
	kiosk := s.audience(s.visits.LoadAndSave(s.kioskRoutes()))
	byHost := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBodyBytes)
		switch host := canonicalHost(r.Host); {
		case slices.Contains(s.names, host):
			desk.ServeHTTP(w, withKiosk(r, false))
		case s.kioskName != "" && host == s.kioskName:
			kiosk.ServeHTTP(w, withKiosk(r, true))
		default:
			s.refuse(w, r, http.StatusMisdirectedRequest)
		}
	})
	return s.logged(s.recovered(headed(byHost)))
}

// audience serves assets, then refuses what another site sends, then goes on.
func (s *Server) audience(next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(s.always(http.StatusForbidden))
	guarded := crossOrigin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if (r.Method == http.MethodGet || r.Method == http.MethodHead) && s.assets.serve(w, r) {
			noteRoute(r, "/static")
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

// headed sets what every answer carries. Everything is no-store unless it is an
// asset: what the desk and the kiosk show is personal.
func headed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		h.Set("Strict-Transport-Security", "max-age=2592000")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// recovered turns a panic into the page of an internal fault. The log names the
// place, not the value: a value may hold what was typed.
func (s *Server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			s.log.Error("panic", "route", routeOf(r), "type", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
			s.refuse(w, r, http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	})
}

// logged writes one line a request: the route's pattern and not its address,
// never a query, a network address or a person.
func (s *Server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		seen := &seen{ResponseWriter: w, status: http.StatusOK}
		r = r.WithContext(context.WithValue(r.Context(), routeKey, new(string)))
		next.ServeHTTP(seen, r)
		s.log.Info("request", "method", method(r), "route", routeOf(r), "status", seen.status,
			"octets", seen.octets, "ms", time.Since(start).Milliseconds())
	})
}

// method is the method when it is one of ours: another may be any text.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
		return r.Method
	}
	return "other"
}

// seen remembers what was answered.
type seen struct {
	http.ResponseWriter
	status int
	octets int64
}

func (s *seen) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

func (s *seen) Write(b []byte) (int, error) {
	n, err := s.ResponseWriter.Write(b)
	s.octets += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (s *seen) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// canonicalHost is a host name as it is compared: lower case, no port, no final
// dot.
func canonicalHost(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
