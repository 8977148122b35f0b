package exchange

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"relais/node/id"
	"relais/node/record"
	"relais/sync/link"
)

// HandlerOptions are what the server side needs. Records and Rosters are
// required.
type HandlerOptions struct {
	Records  Records
	Rosters  Rosters
	Dossiers Dossiers     // nil: this server holds none, and says 404
	Logger   *slog.Logger // nil: discards
}

// handler serves the contract to peers that the link has verified.
type handler struct {
	o HandlerOptions
}

// NewHandler returns the server side of the contract. It must stand behind the
// link or behind link.ServerTLS: it takes the peer's name from the connection.
func NewHandler(o HandlerOptions) http.Handler {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	h := &handler{o: o}
	mux := http.NewServeMux()
	mux.Handle("GET "+pathVector, h.route(h.vector))
	mux.Handle("GET "+pathRoster, h.route(h.roster))
	mux.Handle("GET "+pathTurns, h.route(h.turns))
	mux.Handle("POST "+pathMissing, h.route(h.missing))
	mux.Handle("POST "+pathRecords, h.route(h.records))
	mux.Handle("GET "+pathDossiers+"{id}", h.route(h.dossier))
	mux.Handle("POST "+pathForget, h.route(h.forget))
	return mux
}

// route puts the roster's version on every answer, refuses the nameless, and
// turns an error into a problem.
func (h *handler) route(serve func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer := link.PeerOf(r)
		if peer.IsZero() {
			writeProblem(w, http.StatusForbidden, "the connection names no hub")
			return
		}
		if roster := h.o.Rosters.Roster(); roster != nil {
			w.Header().Set(headerRoster, strconv.FormatUint(uint64(roster.Version), 10))
		}
		w.Header().Set("Cache-Control", "no-store")
		err := serve(w, r)
		var p *Problem
		switch {
		case err == nil:
		case errors.As(err, &p):
			writeProblem(w, p.Status, p.Detail)
		default:
			status, detail := statusOf(err)
			level := slog.LevelDebug // what the asker did wrong is the asker's to log
			if status >= http.StatusInternalServerError {
				level = slog.LevelWarn
			}
			h.o.Logger.Log(r.Context(), level, "exchange request failed", "peer", peer.String(), "path", r.URL.Path, "status", status, "err", err)
			writeProblem(w, status, detail)
		}
	})
}

func (h *handler) vector(w http.ResponseWriter, r *http.Request) error {
	v, err := h.o.Records.Vector(r.Context())
	if err != nil {
		return fmt.Errorf("read the vector: %w", err)
	}
	b, err := v.MarshalBinary()
	if err != nil {
		return fmt.Errorf("encode the vector: %w", err)
	}
	writeBody(w, typeVector, b)
	return nil
}

func (h *handler) roster(w http.ResponseWriter, _ *http.Request) error {
	note := h.o.Rosters.RosterNote()
	if note == nil {
		return &Problem{Status: http.StatusNotFound, Detail: "no roster yet"}
	}
	writeBody(w, typeRoster, note)
	return nil
}

func (h *handler) missing(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r, typeVector, maxVectorOctets)
	if err != nil {
		return err
	}
	var theirs record.Vector
	if err := theirs.UnmarshalBinary(body); err != nil {
		return &Problem{Status: http.StatusUnprocessableEntity, Detail: err.Error()}
	}
	wires, more, err := h.o.Records.Missing(r.Context(), theirs, maxPageOctets-maxPageOctets/128)
	if err != nil {
		return fmt.Errorf("look for what is missing: %w", err)
	}
	w.Header().Set(headerMore, strconv.FormatBool(more))
	writeBody(w, typeRecords, record.AppendPage(nil, wires))
	return nil
}

// Outcome is what a pushed page did, in the answer to POST /records.
type Outcome struct {
	New     int `json:"new"`
	Known   int `json:"known"`
	Refused int `json:"refused"`
	Held    int `json:"held"`
	// Postponed were good and not kept, too many of their log waiting already:
	// they come again, in order.
	Postponed int `json:"postponed"`
}

func (h *handler) records(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r, typeRecords, maxPageOctets)
	if err != nil {
		return err
	}
	wires, err := record.ParsePage(body)
	if err != nil {
		return &Problem{Status: http.StatusUnprocessableEntity, Detail: err.Error()}
	}
	done, err := h.o.Records.Apply(r.Context(), wires, link.PeerOf(r))
	if err != nil {
		return fmt.Errorf("apply a page of %d records: %w", len(wires), err)
	}
	out, err := json.Marshal(Outcome(done))
	if err != nil {
		return err
	}
	writeBody(w, typeJSON, out)
	return nil
}

func (h *handler) dossier(w http.ResponseWriter, r *http.Request) error {
	if h.o.Dossiers == nil {
		return &Problem{Status: http.StatusNotFound, Detail: "no dossiers are kept here"}
	}
	var mandate record.MandateID
	if err := parseID(&mandate, strings.TrimPrefix(r.URL.Path, pathDossiers)); err != nil {
		return &Problem{Status: http.StatusUnprocessableEntity, Detail: err.Error()}
	}
	sealed, err := h.o.Dossiers.Dossier(r.Context(), mandate, link.PeerOf(r))
	if err != nil {
		return fmt.Errorf("read dossier %s: %w", mandate, err)
	}
	writeBody(w, typeDossier, sealed)
	return nil
}

func (h *handler) forget(w http.ResponseWriter, r *http.Request) error {
	if h.o.Dossiers == nil {
		return &Problem{Status: http.StatusNotFound, Detail: "no dossiers are kept here"}
	}
	body, err := readBody(w, r, typeForget, maxForgetOctets)
	if err != nil {
		return err
	}
	ids, err := parseMandates(body)
	if err != nil {
		return &Problem{Status: http.StatusUnprocessableEntity, Detail: err.Error()}
	}
	done, err := h.o.Dossiers.TakeForget(r.Context(), ids, link.PeerOf(r))
	if err != nil {
		return err
	}
	writeBody(w, typeForget, appendMandates(nil, done))
	return nil
}

func parseID[K id.Kind](into *id.ID[K], s string) error { return into.UnmarshalText([]byte(s)) }

// readBody takes a request's body of exactly this type and at most this size.
func readBody(w http.ResponseWriter, r *http.Request, want string, limit int64) ([]byte, error) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != want {
		return nil, &Problem{Status: http.StatusUnsupportedMediaType, Detail: "expected " + want}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, &Problem{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("more than %d octets", limit)}
	case err != nil:
		return nil, &Problem{Status: http.StatusBadRequest, Detail: "the body broke off"}
	}
	return body, nil
}

func writeBody(w http.ResponseWriter, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
}
