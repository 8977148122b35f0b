package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// listenHealth opens the port of the machine's own monitoring; nil where none is
// configured. The room does not need it: a port that is taken is logged.
func listenHealth(c HealthConfig, log *slog.Logger) net.Listener {
	if c.Listen == "" {
		return nil
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		log.Warn("health is not served", "err", err)
		return nil
	}
	return l
}

// healthServer answers the machine's own monitoring, without names of people. A
// hub that is locked lives, and is not ready.
func healthServer(tell func(context.Context) (status, error), ready func(context.Context) error) *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := ready(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		s, err := tell(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(s) // the caller is gone when this fails
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		s, err := tell(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", metricsType)
		w.Write(s.metrics(time.Now())) // the same
	})
	return &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
}
