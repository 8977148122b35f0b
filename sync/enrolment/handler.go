package enrolment

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"relais/node/fault"
	"relais/node/territory"
	"relais/sync/link"
)

// handler serves strangers.
type handler struct {
	host    Host
	log     *slog.Logger
	greeter greeter
	// refusals keeps a stranger's calls from filling the log.
	refusals rate.Sometimes
}

// NewHandler returns the inviting side, for link.Options.Join.
func NewHandler(host Host, log *slog.Logger) http.Handler {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	h := &handler{host: host, log: log, refusals: rate.Sometimes{First: 10, Interval: time.Second}}
	mux := http.NewServeMux()
	mux.Handle("GET "+pathTerritory, h.route(h.territory))
	mux.Handle("POST "+pathJoin, h.route(h.join))
	return mux
}

func (h *handler) route(serve func(*http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxAskOctets)
		w.Header().Set("Content-Type", typeJSON)
		w.Header().Set("Cache-Control", "no-store")
		v, err := serve(r)
		if err != nil {
			f := fault.Of(err)
			h.refusals.Do(func() { h.log.Info("a newcomer was refused", "code", f.Code, "err", err) })
			w.WriteHeader(statuses[f.Code])
			v = refusal{string(f.Code), f.Message, detailOf(f)}
		}
		json.NewEncoder(w).Encode(v) // the caller is gone when this fails
	})
}

// statuses are those of the faults that may come; DESIGN.md lists them all.
var statuses = map[fault.Code]int{
	fault.Invalid: http.StatusUnprocessableEntity, fault.Forbidden: http.StatusForbidden,
	fault.NotFound: http.StatusNotFound, fault.Conflict: http.StatusConflict, fault.Stale: http.StatusConflict,
	fault.Limited: http.StatusTooManyRequests, fault.Unauthenticated: http.StatusUnauthorized,
	fault.Locked: http.StatusServiceUnavailable, fault.Unavailable: http.StatusServiceUnavailable,
	fault.Internal: http.StatusInternalServerError,
}

// detailOf tells a newcomer what is wrong with its request, and nothing of ours.
func detailOf(f *fault.Error) string {
	if f.Code == fault.Internal {
		return string(f.Code)
	}
	return f.Error()
}

func (h *handler) territory(r *http.Request) (any, error) {
	if h.host.RosterNote() == nil {
		return nil, fault.Errorf(fault.Unavailable, "Ce relais n’a pas encore de registre.", "no roster yet")
	}
	return h.greeter.welcome(r.Context(), h.host)
}

func (h *handler) join(r *http.Request) (any, error) {
	a, identity, err := readAsk(r.Body)
	if err != nil {
		return nil, fault.New(fault.Invalid, "Demande illisible.", err)
	}
	if !link.Certified(r, identity) {
		return nil, fault.Errorf(fault.Forbidden, "Cette machine n’a pas prouvé qu’elle est celle de la demande.", "the connection was not made by the identity in the request")
	}
	done, err := h.host.TakeRequest(r.Context(), territory.InviteSecret(a.Secret), []byte(a.Request))
	if err != nil {
		return nil, err
	}
	return told{done.State, done.Fingerprint, string(done.Roster), done.Certificate}, nil
}

// readAsk reads what a newcomer says, and the identity it claims.
func readAsk(body io.Reader) (a ask, identity []byte, err error) {
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return a, nil, err
	}
	if len(a.Secret) != len(territory.InviteSecret{}) {
		return a, nil, errors.New("the secret is not of an invitation")
	}
	var q territory.Request // read as the host reads it: one text has one identity
	if err := json.Unmarshal([]byte(a.Request), &q); err != nil {
		return a, nil, err
	}
	return a, q.Hub.Identity, nil
}
