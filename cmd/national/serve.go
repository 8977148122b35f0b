package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"relais/cmd/national/internal/service"
)

// runServe serves until ctx ends. Once it listens it says so in one line on
// standard output: READY and the address.
func runServe(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f, place := flags("serve", "", stderr)
	listen := f.String("listen", "127.0.0.1:7444", "`host:port` to listen on; port 0 takes a free one")
	health := f.String("health", "", "`host:port` of this machine alone for the status page, /livez and /readyz; none when empty")
	var limits service.Limits
	f.IntVar(&limits.AtOnce, "at-once", 0, "requests under way beyond which to answer 503; 0: the default")
	f.Float64Var(&limits.PerSecond, "per-second", 0, "requests a second of one hub beyond which to answer 429; 0: the default")
	if err := parse(f, args, 0); err != nil {
		return err
	}
	key, err := service.LoadIdentity(place.data)
	if err != nil {
		return err
	}
	witness, err := service.LoadWitness(place.data)
	if err != nil {
		return err
	}
	at, err := place.database()
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(stderr, nil))
	s, err := service.Open(ctx, service.Options{
		Database: at, Listen: *listen, Health: *health, Identity: key, Witness: witness, Limits: limits, Logger: logger,
	})
	if err != nil {
		return err
	}
	defer s.Close()
	fmt.Fprintf(stdout, "READY %s\n", s.Addr())
	logger.Info("national service listens", "address", s.Addr().String(), "database", at.String(), "territory", string(s.Roster().Territory), "roster", s.Roster().Version)
	if page := s.HealthAddr(); page != nil {
		logger.Info("status page", "address", "http://"+page.String())
	}
	err = s.Run(ctx)
	logger.Info("national service stopped")
	return err
}
