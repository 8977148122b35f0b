package service

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"

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
		"PUT " + national.PathRoster:     s.putRoster,
		"PUT " + national.PathCheckpoint: s.putCheckpoint,
		"GET " + national.PathCounts:     s.getCounts,
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

// admit asks the roster again at every request, and keeps to the limits.
func (s *Service) admit(next http.Handler) http.Handler {
	limits := newLimiter(s.o.Limits)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hub, known := s.Roster().Hub(link.PeerOf(r))
		if !known || hub.State != territory.HubActive {
			writeProblem(w, http.StatusForbidden, "not an active hub of the roster")
			return
		}
		limits.wrap(hub.ID, w, func() { next.ServeHTTP(w, r) })
	})
}

// handlerFunc answers one request or returns why not.
type handlerFunc func(http.ResponseWriter, *http.Request) error

// route turns an error into a problem.
func (s *Service) route(serve handlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Relais-Roster", strconv.FormatUint(uint64(s.Roster().Version), 10))
		w.Header().Set("Cache-Control", "no-store")
		err := serve(w, r)
		if err == nil {
			return
		}
		status, detail := statusOf(err)
		s.o.Logger.Warn("request refused", "peer", link.PeerOf(r).String(), "path", r.URL.Path, "status", status, "err", err)
		writeProblem(w, status, detail)
	})
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

func (s *Service) putCheckpoint(w http.ResponseWriter, r *http.Request) error {
	signed, err := readBody(w, r, national.TypeCheckpoint, national.MaxCheckpointOctets)
	if err != nil {
		return err
	}
	if err := s.PutCheckpoint(r.Context(), link.PeerOf(r), signed); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Service) getCounts(w http.ResponseWriter, r *http.Request) error {
	counts, err := s.Counts(r.Context(), link.PeerOf(r))
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	body, err := json.Marshal(counts)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", national.TypeCounts)
	w.Write(body)
	return nil
}
