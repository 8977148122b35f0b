// Package service is the national service of one territory: the contract of
// sync/national made executable. It is a reference, for tests, demonstrations
// and whoever writes the real one; it is never packaged with the hub.
//
// It verifies every record as a hub does, and understands none beyond counting
// notices and revocations. What it acknowledged is on the disk. Hubs are let in
// by the roster alone, at the handshake and again at every request, so that an
// expulsion ends a standing connection too.
package service

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"relais/cmd/national/internal/store"
	"relais/node/territory"
	"relais/sync/link"
)

const (
	// shutdownTimeout is how long requests under way may finish in.
	shutdownTimeout = 5 * time.Second
	// requestTimeout bounds the reading and the writing of one request.
	requestTimeout = time.Minute
	// idleTimeout is how long a silent connection is kept.
	idleTimeout = 2 * time.Minute
)

// ErrNotInRoster means that the roster names another national service, or none.
var ErrNotInRoster = errors.New("the roster does not name this service: its identity must be signed into it")

// Options are what a service needs. Database, Listen and Identity are required.
type Options struct {
	Database store.At
	Listen   string // host:port; port 0 takes a free one
	Health   string // host:port of this machine, for who looks after it; "" for none
	Identity *ecdsa.PrivateKey
	Witness  ed25519.PrivateKey // cosigns journals; nil: nobody does
	Limits   Limits
	Now      func() time.Time // nil: time.Now
	Logger   *slog.Logger     // nil: discards
}

// Service is one instance of the national service of one territory. What it
// keeps between two requests is what it read from the database, which it asks
// again at each: several instances with one identity may share a PostgreSQL
// database behind one address, and a hub may speak to one, then to another.
type Service struct {
	o           Options
	db          *store.DB
	roster      atomic.Pointer[signedRoster]
	credentials *link.Credentials
	listener    net.Listener
	server      *http.Server
	health      net.Listener // nil: none
	page        *http.Server
}

// signedRoster is a roster with the note it was read from. Never modified.
type signedRoster struct {
	*territory.Roster
	note []byte
	root string // the key that signed: pinned with it
}

// Open opens the database, takes the installed roster and begins to listen. It
// fails with store.ErrNoTerritory before the first roster, and with
// ErrNotInRoster under one that does not name this service.
func Open(ctx context.Context, o Options) (*Service, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	db, err := store.Open(ctx, o.Database)
	if err != nil {
		return nil, err
	}
	s := &Service{o: o, db: db}
	if err := s.prepare(ctx); err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

func (s *Service) prepare(ctx context.Context) error {
	t, err := s.db.Territory(ctx)
	if err != nil {
		return err
	}
	roster, err := territory.OpenRoster(t.Note, t.RootKey)
	if err != nil {
		return fmt.Errorf("the installed roster: %w", err)
	}
	self, err := HubIDOf(s.o.Identity)
	if err != nil {
		return err
	}
	if roster.National == nil || roster.National.ID != self {
		return fmt.Errorf("%w (this is %s)", ErrNotInRoster, self)
	}
	s.roster.Store(&signedRoster{roster, t.Note, t.RootKey})
	if len(roster.National.Witness) > 0 && !s.cosigns(roster) {
		s.o.Logger.Error("the roster names another witness key of this service: no journal is cosigned, and hubs show it")
	}
	if s.credentials, err = link.NewCredentials(self, s.o.Identity, s.o.Now); err != nil {
		return err
	}
	var lc net.ListenConfig
	if s.listener, err = lc.Listen(ctx, "tcp", s.o.Listen); err != nil {
		return err
	}
	s.server = s.newServer()
	return s.listenHealth(ctx)
}

// cosigns tells whether the roster names this service's witness key.
func (s *Service) cosigns(r *territory.Roster) bool {
	return s.o.Witness != nil && bytes.Equal(r.National.Witness, s.o.Witness.Public().(ed25519.PublicKey))
}

func (s *Service) newServer() *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	return &http.Server{
		Handler:           s.handler(),
		TLSConfig:         s.credentials.ServerTLS(s.latest, "h2"),
		Protocols:         protocols,
		ReadHeaderTimeout: requestTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      requestTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    8 << 10,
		ErrorLog:          slog.NewLogLogger(s.o.Logger.Handler(), slog.LevelInfo), // refused handshakes
	}
}

// Addr is where the service listens.
func (s *Service) Addr() net.Addr { return s.listener.Addr() }

// Run serves until ctx ends, then lets requests under way finish.
func (s *Service) Run(ctx context.Context) error {
	g, running := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := s.server.ServeTLS(s.listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	if s.health != nil {
		g.Go(func() error {
			if err := s.page.Serve(s.health); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
	}
	g.Go(func() error {
		s.credentials.Run(running, s.o.Logger, nil)
		return nil
	})
	g.Go(func() error {
		<-running.Done()
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		if err := s.server.Shutdown(bounded); err != nil {
			s.server.Close()
		}
		s.page.Close()
		return nil
	})
	return g.Wait()
}

// Close releases the database. Run has returned, or was never called.
func (s *Service) Close() error {
	s.server.Close()
	s.listener.Close()
	if s.health != nil {
		s.health.Close()
	}
	return s.db.Close()
}
