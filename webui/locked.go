package webui

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"log/slog"
	"net"
	"net/http"
	"time"

	"relais/webui/locale"
	"relais/webui/page"
)

// Locked are the pages of a hub whose keys do not open: one, whatever is asked.
type Locked struct {
	Site    string   // its name, from the configuration: nothing else can be read
	Names   []string // host names that the certificate is for
	Message string   // French: what happened and what to do
	Logger  *slog.Logger
}

// Serve answers every request on l with the one page, status 503, until ctx
// ends. Its certificate is signed by itself and forgotten at the end, since the
// hub's own is sealed with the rest; so browsers warn, and are not told to come
// back over TLS only, which would leave their user no way past the warning. It
// closes l.
func (p Locked) Serve(ctx context.Context, l net.Listener) error {
	config, err := p.certificate()
	if err != nil {
		_ = l.Close() // the first error says more
		return err
	}
	handler, err := p.handler()
	if err != nil {
		_ = l.Close() // the same
		return err
	}
	return serveTLS(ctx, handler, config, l)
}

func (p Locked) handler() (http.Handler, error) {
	s, err := New(Options{Names: p.Names, Logger: p.Logger})
	if err != nil {
		return nil, err
	}
	only := &page.Problem{Status: http.StatusServiceUnavailable, Message: p.Message + " " + locale.LockedMeanwhile}
	only.Title, only.Audience = locale.LockedTitle, page.Door
	only.Static, only.Now, only.Zone, only.Site = s.assets.root, s.now(), time.UTC, p.Site
	body, err := s.templates.draw(only)
	if err != nil {
		return nil, err
	}
	return s.logged(headed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Del("Strict-Transport-Security")
		if s.assets.serve(w, r) { // its style sheet and its font
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write(body) // the visitor may have left: nothing to mend
	}))), nil
}

func (p Locked) certificate() (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "Relais " + p.Site},
		NotBefore: now.Add(-backdated), NotAfter: now.Add(leafLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: p.Names, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
	}, nil
}
