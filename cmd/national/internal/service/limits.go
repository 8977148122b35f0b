package service

import (
	"cmp"
	"math"
	"net/http"
	"strconv"
	"sync"

	"golang.org/x/time/rate"

	"relais/node/territory"
)

// Limits bound what hubs may ask for. Zero fields take their defaults.
type Limits struct {
	// AtOnce bounds the requests under way; beyond, 503. Default 32.
	AtOnce int
	// PerSecond and Burst bound the requests of one hub; beyond, 429. Defaults 50
	// and 500: a first pass of a million records takes about 2,000.
	PerSecond float64
	Burst     int
}

// limiter says "not now" and when to come back.
type limiter struct {
	limits Limits
	places chan struct{} // one taken per request under way

	mu     sync.Mutex // guards perHub
	perHub map[territory.HubID]*rate.Limiter
}

func newLimiter(l Limits) *limiter {
	l.AtOnce = cmp.Or(l.AtOnce, 32)
	l.PerSecond = cmp.Or(l.PerSecond, 50)
	l.Burst = cmp.Or(l.Burst, 500)
	return &limiter{limits: l, places: make(chan struct{}, l.AtOnce), perHub: map[territory.HubID]*rate.Limiter{}}
}

// of returns the hub's own limiter. Only those whom the roster let through the
// handshake ask, so the map is as small as the roster. Each instance counts for
// itself: a limit protects a process, not the database.
func (l *limiter) of(hub territory.HubID) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.perHub[hub]
	if r == nil {
		r = rate.NewLimiter(rate.Limit(l.limits.PerSecond), l.limits.Burst)
		l.perHub[hub] = r
	}
	return r
}

// wrap serves within the limits.
func (l *limiter) wrap(hub territory.HubID, w http.ResponseWriter, serve func()) {
	if r := l.of(hub).Reserve(); r.Delay() > 0 {
		seconds := math.Ceil(r.Delay().Seconds())
		r.Cancel()
		w.Header().Set("Retry-After", strconv.Itoa(int(seconds)))
		writeProblem(w, http.StatusTooManyRequests, "too many requests from this hub")
		return
	}
	select {
	case l.places <- struct{}{}:
		defer func() { <-l.places }()
		serve()
	default:
		w.Header().Set("Retry-After", "1")
		writeProblem(w, http.StatusServiceUnavailable, "too many requests under way")
	}
}
