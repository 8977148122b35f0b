package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"relais/node/territory"
	"relais/webui"
)

// A hub that runs shows what the territory certified as soon as it took it: its
// pages, and ca.pem, without a restart.
func TestShowAuthority(t *testing.T) {
	c := newSealedHub(t, "unix:/nowhere/tpm.sock", func(c *Config) { c.Keys.Provider = "software" }).config
	h, err := openHub(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		h.close()
	}()
	root, err := territory.NewRoot("demo", "Territoire de démonstration", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	above := root.Authority().Certificate()
	shown := func() bool { // the kernel keeps the call until the pages answer
		roots := x509.NewCertPool()
		certificate, err := x509.ParseCertificate(above)
		if err != nil {
			t.Fatal(err)
		}
		roots.AddCert(certificate)
		conn, err := tls.Dial("tcp", h.pages.Addr().String(), &tls.Config{ServerName: c.Web.Names[0], RootCAs: roots})
		if err == nil {
			conn.Close()
		}
		text, readErr := os.ReadFile(filepath.Join(c.Hub.DataDir, authorityFile))
		block, _ := pem.Decode(text)
		if published := readErr == nil && block != nil && bytes.Equal(block.Bytes, above); published != (err == nil) {
			t.Errorf("ca.pem is the territory's: %v; the pages: %v", published, err)
		}
		return err == nil
	}
	if shown() {
		t.Fatal("before the territory certified anything: this test cannot fail")
	}
	names := c.Web.hostNames()
	key, err := webui.AuthorityKey(ctx, h.node.Secrets(), names)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := root.Authority().Certify(territory.Hub{HostNames: c.Web.Names, KioskName: c.Web.KioskName}, key, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := webui.CertifyAuthority(ctx, h.node.Secrets(), names, certificate, above); err != nil {
		t.Fatal(err)
	}
	h.showAuthority(ctx)
	if !shown() {
		t.Error("the pages still show the hub's own root")
	}
}
