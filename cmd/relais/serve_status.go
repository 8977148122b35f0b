package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"time"

	"relais/hardware/keyring"
	"relais/node/territory"
)

// probeJob is the name under which the watchdog's probe writes.
const probeJob = "probe"

// control is the command line's door to this hub.
func (h *hub) control() *control {
	return &control{node: h.node, status: h.status, national: h.nationalPass, join: h.join, rekey: h.rekey, log: h.log}
}

// join asks for this hub's place while it runs: it was recovered, or has another
// name. What browsers are shown changes at the next start.
func (h *hub) join(ctx context.Context, i territory.Invitation) (placed, error) {
	w, err := newNewcomer(h.config, h.node, h.keys)
	if err != nil {
		return placed{}, err
	}
	return w.ask(ctx, i)
}

// addresses are where the pages are: the desk's, then the kiosk's.
func (h *hub) addresses() []string {
	_, port, err := net.SplitHostPort(h.pages.Addr().String())
	if err != nil {
		return nil
	}
	url := func(name string) string {
		if port == "443" {
			return "https://" + name + "/"
		}
		return "https://" + net.JoinHostPort(name, port) + "/"
	}
	pages := []string{url(h.config.Web.Names[0])}
	if h.config.Web.KioskName != "" {
		pages = append(pages, url(h.config.Web.KioskName))
	}
	return pages
}

// status gathers what relais status prints.
func (h *hub) status(ctx context.Context) (status, error) {
	view, err := h.node.Territory(ctx)
	if err != nil {
		return status{}, err
	}
	slots, err := keyring.Slots(h.config.Hub.DataDir)
	if err != nil {
		return status{}, err
	}
	s := status{
		Version: version, Hub: h.node.Self(), Name: h.node.Name(), Territory: h.config.Hub.Territory,
		Assurance: h.keys.Assurance(), Slots: slots, Pages: h.addresses(), StartedAt: h.startedAt,
		FreshAt: view.Freshness.At, Seen: view.Freshness.Seen, Expected: view.Freshness.Expected,
		Notices: view.Notices, Stops: view.Stops, Dossiers: view.Dossiers, Waiting: view.Waiting,
	}
	if s.Rekeying, err = h.node.Rekeying(ctx); err != nil {
		return s, err
	}
	if r := view.Roster; r != nil {
		s.RosterVersion, s.RosterUntil = r.Version, r.ExpiresAt
	}
	if pass, ok, err := h.node.LastNationalPass(ctx); err != nil {
		return s, err
	} else if ok {
		s.National = &pass
	}
	for _, a := range view.Alarms {
		s.Alarms = append(s.Alarms, a.Key)
	}
	return s, nil
}

// probe goes through what the hub cannot work without: a write that reaches the
// disk.
func (h *hub) probe(ctx context.Context) error {
	return h.node.JobSucceeded(ctx, probeJob, time.Now())
}

// healthServer answers the machine's own monitoring, without names of people.
func (h *hub) healthServer() *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := h.probe(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		s, err := h.status(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(s) // the caller is gone when this fails
	})
	return &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
}
