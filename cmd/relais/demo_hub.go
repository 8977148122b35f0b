package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"relais/node/durable"

	"relais/hardware/tpm/swtpm"
	"relais/node"
)

// A stageHub is a hub on the stage.
type stageHub struct {
	name     string
	folder   string // holds relais.toml, data/ and hub.log
	config   Config
	code     string // its invitation
	account  node.Enrolment
	codes    *authenticator
	process  *child
	desk     *visitor
	kiosk    *visitor // nil where there is none
	provider string
}

func (h *stageHub) configFile() string { return filepath.Join(h.folder, "relais.toml") }

// configure gives a hub its ports, its TPM and its configuration file. The bus
// is reached, and goes out, through the line alone.
func (s *stage) configure(ctx context.Context, h *stageHub, host string) error {
	if err := os.MkdirAll(h.folder, 0o700); err != nil {
		return err
	}
	web, linked := freeAddress(), freeAddress()
	c := Config{
		Hub:      HubConfig{Name: h.name, Territory: stageTerritory, DataDir: filepath.Join(h.folder, "data")},
		Web:      WebConfig{Listen: web, Names: []string{host + ".localhost"}},
		Link:     LinkConfig{Listen: linked, Advertise: []string{linked}},
		Keys:     KeysConfig{Provider: h.provider},
		National: NationalConfig{Adapter: "relais"},
	}
	if h == s.port {
		c.Web.KioskName = "borne." + host + ".localhost"
	}
	if h.provider == "tpm" {
		t, err := swtpm.Start(context.WithoutCancel(ctx), filepath.Join(h.folder, "tpm"))
		if err != nil {
			return err
		}
		s.tpms = append(s.tpms, t)
		c.Keys.Device = t.Device()
	}
	if h == s.bus {
		in, err := s.line.Forward("127.0.0.1:0", linked)
		if err != nil {
			return err
		}
		out, err := s.line.Proxy("127.0.0.1:0")
		if err != nil {
			return err
		}
		c.Link.Advertise, c.Link.Proxy = []string{in}, "http://"+out
	}
	h.config = c
	return durable.Write(h.configFile(), []byte(c.text()), 0o644)
}

// text is the configuration as a file, only what is set.
func (c Config) text() string {
	var b strings.Builder
	list := func(items []string) string {
		var quoted []string
		for _, item := range items {
			quoted = append(quoted, strconv.Quote(item))
		}
		return strings.Join(quoted, ", ")
	}
	fmt.Fprintf(&b, "[hub]\nname = %q\nterritory = %q\ndata_dir = %q\n", c.Hub.Name, c.Hub.Territory, c.Hub.DataDir)
	fmt.Fprintf(&b, "\n[web]\nlisten = %q\nnames = [%s]\nkiosk_name = %q\n", c.Web.Listen, list(c.Web.Names), c.Web.KioskName)
	fmt.Fprintf(&b, "\n[link]\nlisten = %q\nadvertise = [%s]\nproxy = %q\n", c.Link.Listen, list(c.Link.Advertise), c.Link.Proxy)
	fmt.Fprintf(&b, "\n[keys]\nprovider = %q\ndevice = %q\n", c.Keys.Provider, c.Keys.Device)
	fmt.Fprintf(&b, "\n[national]\nadapter = %q\n", c.National.Adapter)
	fmt.Fprintf(&b, "\n[health]\nlisten = %q\n", c.Health.Listen)
	return b.String()
}

// freeAddress returns a port of this machine that nobody uses now.
func freeAddress() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "127.0.0.1:0" // said when it is listened on
	}
	defer l.Close()
	return l.Addr().String()
}

func (h *stageHub) log() string { return filepath.Join(h.folder, "hub.log") }

func (s *stage) startHub(h *stageHub) (err error) {
	h.process, err = startChild(h.name, h.log(), s.programs.relais, "serve", "--config", h.configFile())
	if err == nil {
		s.children = append(s.children, h.process)
	}
	return err
}

// ready waits until the hub serves its pages, and opens its doors.
func (h *stageHub) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for {
		if _, err := h.status(ctx); err == nil {
			return h.openDoors()
		} else if gone, how := h.process.ended(); gone {
			return fmt.Errorf("%s ended at once: %w\n%s", h.name, how, tail(h.log(), 2000))
		} else if ctx.Err() != nil {
			return fmt.Errorf("%s does not serve after %v: %w\n%s", h.name, readyTimeout, err, tail(h.log(), 2000))
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (h *stageHub) status(ctx context.Context) (s status, err error) {
	return s, askHub(ctx, h.config.Hub.DataDir, http.MethodGet, "/status", nil, &s)
}

// openDoors makes the visitors of the hub's pages, who trust its authority.
func (h *stageHub) openDoors() (err error) {
	authority, err := h.authority()
	if err != nil {
		return err
	}
	if h.desk, err = newVisitor(h.config.Web.Names[0], h.config.Web.Listen, authority); err != nil || h.config.Web.KioskName == "" {
		return err
	}
	h.kiosk, err = newVisitor(h.config.Web.KioskName, h.config.Web.Listen, authority)
	return err
}

// authority is the hub's own certificate authority, as an IT service would
// deploy it.
func (h *stageHub) authority() (*x509.CertPool, error) {
	text, err := os.ReadFile(h.authorityFile())
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", h.authorityFile())
	}
	return pool, nil
}

func (h *stageHub) authorityFile() string { return filepath.Join(h.config.Hub.DataDir, authorityFile) }

// address is where a browser finds the desk.
func (h *stageHub) address() string { return h.desk.base.String() }
