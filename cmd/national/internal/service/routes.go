package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"relais/node/territory"
	"relais/sync/exchange"
	"relais/sync/link"
	"relais/sync/national"
)

// The routes of sync/exchange that the service serves: all but dossiers.
var shared = []string{
	"GET /relais/v1/vector",
	"GET /relais/v1/roster",
	"POST /relais/v1/records/missing",
	"POST /relais/v1/records",
}

// own are the routes beyond those.
func (s *Service) own() map[string]handlerFunc {
	return map[string]handlerFunc{
		"PUT " + national.PathRoster:         s.putRoster,
		"POST " + national.PathAddCheckpoint: s.addCheckpoint,
		"GET " + national.PathCounts:         s.getCounts,
		"GET " + national.PathStructures:     s.getStructures,
	}
}

// Routes lists what is served, "METHOD /path"; a test holds it against the
// contract.
func Routes() []string {
	return slices.Sorted(slices.Values(slices.AppendSeq(slices.Clone(shared), maps.Keys(new(Service).own()))))
}

// handler serves the contract, and nothing else, to the roster's active hubs.
func (s *Service) handler() http.Handler {
	mux := http.NewServeMux()
	exchanged := exchange.NewHandler(exchange.HandlerOptions{Records: s, Rosters: s, Logger: s.o.Logger})
	for _, pattern := range shared {
		mux.Handle(pattern, exchanged)
	}
	for pattern, serve := range s.own() {
		mux.Handle(pattern, s.route(serve))
	}
	return s.admit(mux)
}

const (
	// answerTimeout bounds what one request asks of the database: longer than a
	// wait for the other instances, shorter than a hub's patience.
	answerTimeout = 25 * time.Second
	// seenEvery is how often a hub that goes on asking is noted.
	seenEvery = time.Minute
)

// admit keeps to the limits, and asks the roster again at every request.
func (s *Service) admit(next http.Handler) http.Handler {
	limits := newLimiter(s.o.Limits)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limits.wrap(link.PeerOf(r), w, func() {
			ctx, cancel := context.WithTimeout(r.Context(), answerTimeout)
			defer cancel()
			r, w := r.WithContext(ctx), later{w}
			if err := s.welcome(r); err != nil {
				s.refuse(w, r, err)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
}

// welcome fails for whoever is no active hub of the newest roster, and notes
// when a hub was here.
func (s *Service) welcome(r *http.Request) error {
	peer := link.PeerOf(r)
	known, err := s.db.Admission(r.Context(), peer)
	if err != nil {
		return err
	}
	if err := s.refresh(r.Context(), known.Roster); err != nil {
		return err
	}
	hub, listed := s.Roster().Hub(peer)
	if !listed || hub.State != territory.HubActive {
		return &exchange.Problem{Status: http.StatusForbidden, Detail: "not an active hub of the roster"}
	}
	if now := s.o.Now(); now.Sub(known.Seen) >= seenEvery {
		if err := s.db.Seen(r.Context(), peer, now); err != nil {
			s.o.Logger.Warn("a visit is not noted", "peer", peer.String(), "err", err) // and the hub is served
		}
	}
	return nil
}

// later tells whoever is told "not now" when to come back.
type later struct{ http.ResponseWriter }

// retryAfter is in seconds: a database that starts again does so in less.
const retryAfter = "2"

// WriteHeader implements http.ResponseWriter.
func (l later) WriteHeader(status int) {
	if status == http.StatusServiceUnavailable {
		l.Header().Set("Retry-After", retryAfter)
	}
	l.ResponseWriter.WriteHeader(status)
}

// handlerFunc answers one request or returns why not.
type handlerFunc func(http.ResponseWriter, *http.Request) error

// route turns an error into a problem.
func (s *Service) route(serve handlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Relais-Roster", strconv.FormatUint(uint64(s.Roster().Version), 10))
		w.Header().Set("Cache-Control", "no-store")
		if err := serve(w, r); err != nil {
			s.refuse(w, r, err)
		}
	})
}

func (s *Service) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, detail := statusOf(err)
	s.o.Logger.Warn("request refused", "peer", link.PeerOf(r).String(), "path", r.URL.Path, "status", status, "err", err)
	writeProblem(w, status, detail)
}

func (s *Service) putRoster(w http.ResponseWriter, r *http.Request) error {
	note, err := readBody(w, r, national.TypeRoster, national.MaxRosterOctets)
	if err != nil {
		return err
	}
	if err := s.InstallRoster(r.Context(), note); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// addCheckpoint answers as C2SP's tlog-witness says.
func (s *Service) addCheckpoint(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r, national.TypeSubmission, national.MaxSubmissionOctets)
	if err != nil {
		return err
	}
	cosignature, err := s.AddCheckpoint(r.Context(), link.PeerOf(r), body)
	var stale *staleError
	switch {
	case errors.As(err, &stale):
		w.Header().Set("Content-Type", national.TypeSize)
		w.WriteHeader(http.StatusConflict)
		fmt.Fprintf(w, "%d\n", stale.held)
	case err != nil:
		return err
	case cosignature == "":
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Content-Type", national.TypeCosignatures+"; charset=utf-8")
		io.WriteString(w, cosignature)
	}
	return nil
}

func (s *Service) getCounts(w http.ResponseWriter, r *http.Request) error {
	counts, err := s.Counts(r.Context(), link.PeerOf(r))
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	if said := r.Header.Get(national.HeaderCounts); said != "" {
		if err := s.compare(r.Context(), link.PeerOf(r), said, counts); err != nil {
			return err
		}
	}
	body, err := json.Marshal(counts)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", national.TypeCounts)
	w.Write(body)
	return nil
}
