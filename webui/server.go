package webui

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"relais/node"
)

// The patience of the server, and what it reads at most.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 2 * time.Minute
	shutdownPatience  = 5 * time.Second
	maxHeaderBytes    = 16 << 10
	maxBodyBytes      = 64 << 10
)

// Options are what the pages need. Node and Names are required.
type Options struct {
	Node *node.Node
	// Names are the host names of the desk, without port; the first is the one
	// that links are made with.
	Names []string
	// KioskName is the host name of the kiosk, without port; "" for no kiosk.
	KioskName string
	// Software: this hub's own keys are guarded by a file, whatever a roster says of
	// it, and every page of the desk says so.
	Software bool
	Now      func() time.Time // nil: time.Now
	Logger   *slog.Logger     // nil: discards
}

// Server serves the pages of one hub.
type Server struct {
	node      *node.Node
	names     []string
	kioskName string
	software  bool
	now       func() time.Time
	log       *slog.Logger
	templates templates
	assets    *assets
	sessions  *scs.SessionManager // of the desk
	visits    *scs.SessionManager // of the kiosk: from a stop to its receipt
	handler   http.Handler
	tls       *authority
}

// New prepares the pages: every template is parsed, every asset read. It fails
// when one of them is wrong or when there is no name to answer to.
func New(o Options) (*Server, error) {
	if len(o.Names) == 0 {
		return nil, errors.New("the web pages need at least one host name")
	}
	s := &Server{node: o.Node, kioskName: canonicalHost(o.KioskName), software: o.Software, now: o.Now, log: o.Logger}
	for _, name := range o.Names {
		s.names = append(s.names, canonicalHost(name))
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if s.templates, err = parseTemplates(); err != nil {
		return nil, err
	}
	if s.assets, err = loadAssets(); err != nil {
		return nil, fmt.Errorf("read assets: %w", err)
	}
	s.sessions = s.newSessions("__Host-relais", deskLifetime)
	s.visits = s.newSessions("__Host-borne", kioskLifetime)
	s.handler = s.shielded()
	if o.Node != nil {
		s.tls = newAuthority(o.Node.Secrets(), s.hostNames(), s.now, s.log)
	}
	return s, nil
}

// hostNames are all the names that certificates are needed for.
func (s *Server) hostNames() []string {
	if s.kioskName == "" {
		return s.names
	}
	return append(append([]string{}, s.names...), s.kioskName)
}

// Handler returns everything the server answers, without TLS.
func (s *Server) Handler() http.Handler { return s.handler }

// TLSConfig obtains the certificates of every name, from the store or from the
// hub's own authority, and returns the configuration that serves and renews
// them until ctx ends.
func (s *Server) TLSConfig(ctx context.Context) (*tls.Config, error) { return s.tls.config(ctx) }

// CA returns the certificate that clients are to trust, in PEM: the territory's
// where it certified the hub's own authority, else that one's, made at first use.
func (s *Server) CA(ctx context.Context) ([]byte, error) { return s.tls.rootPEM(ctx) }

// ReopenAuthority reads the hub's authority again: once CertifyAuthority kept what
// the territory signed, a server that runs shows it from the next handshake on,
// and CA returns the territory's certificate. After an error, what was shown still
// is.
func (s *Server) ReopenAuthority(ctx context.Context) error {
	if err := s.tls.reopen(ctx); err != nil {
		return fmt.Errorf("reopen the authority: %w", err)
	}
	return nil
}

// Serve answers on l over TLS until ctx ends, then lets requests finish for at
// most 5 seconds. It closes l.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	config, err := s.TLSConfig(ctx)
	if err != nil {
		_ = l.Close() // the first error says more
		return err
	}
	return serveTLS(ctx, s.handler, config, l)
}

func serveTLS(ctx context.Context, h http.Handler, config *tls.Config, l net.Listener) error {
	server := &http.Server{
		Handler: h, TLSConfig: config, MaxHeaderBytes: maxHeaderBytes,
		ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		// Failed handshakes carry network addresses, which are personal.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.ServeTLS(l, "", "") }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve the web pages: %w", err)
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownPatience)
	defer cancel()
	if err := server.Shutdown(patience); err != nil {
		return errors.Join(err, server.Close())
	}
	return nil
}
