package webui

import (
	"context"
	"net/http"

	"relais/node"
)

type contextKey int

const (
	routeKey   contextKey = iota // *string: the pattern that matched, for the log
	kioskKey                     // bool: the kiosk's host name was asked
	sessionKey                   // bool: the desk's session was read
	actorKey                     // node.Actor: who is signed in
)

// noteRoute tells the log line, which is outside the router, what matched.
func noteRoute(r *http.Request, pattern string) {
	if p, ok := r.Context().Value(routeKey).(*string); ok {
		*p = pattern
	}
}

func routeOf(r *http.Request) string {
	if p, ok := r.Context().Value(routeKey).(*string); ok && *p != "" {
		return *p
	}
	return "none"
}

func withKiosk(r *http.Request, kiosk bool) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), kioskKey, kiosk))
}

func isKiosk(r *http.Request) bool {
	kiosk, _ := r.Context().Value(kioskKey).(bool)
	return kiosk
}

func withActor(r *http.Request, by node.Actor) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), actorKey, by))
}

func actorOf(r *http.Request) (node.Actor, bool) {
	by, ok := r.Context().Value(actorKey).(node.Actor)
	return by, ok
}
