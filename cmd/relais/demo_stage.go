package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"relais/hardware/tpm/swtpm"
	"relais/node"
	"relais/node/territory"
	"relais/sync/link/relay"
)

// The stage is a territory on this machine, made of the parts that ship: each
// hub a process with its own folder, TLS and database, the national service
// another, two software TPMs, and a line in the bus's path that can be cut. The
// demonstration and the browser test play on it.
type stage struct {
	dir      string // everything is below it
	programs programs
	root     territoryFolder
	rootKey  string
	line     *relay.Line // the bus's only way in and out

	valbrume, port, bus *stageHub
	national            *stageNational

	tpms     []*swtpm.Process
	children []*child
}

// programs are the two binaries, as built.
type programs struct{ relais, national string }

// A stageHub is a hub on the stage.
type stageHub struct {
	name     string
	folder   string // holds relais.toml, data/ and hub.log
	config   Config
	born     born
	account  node.Enrolment
	codes    *authenticator
	process  *child
	desk     *visitor
	kiosk    *visitor // nil where there is none
	provider string
}

const (
	stageTerritory = "demo"
	readyTimeout   = 30 * time.Second
	passphraseName = "passphrase"
)

// setStage makes a territory in dir, which it empties first, and starts it.
// Whatever it started is ended by strike, also after an error.
func setStage(ctx context.Context, dir string, p programs) (*stage, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	s := &stage{dir: dir, programs: p, root: territoryFolder(filepath.Join(dir, "territoire")), line: relay.New()}
	for _, step := range []func(context.Context) error{
		s.makeTerritory, s.makeHubs, s.makeNational, s.issueRoster, s.startAll, s.openAccounts,
	} {
		if err := step(ctx); err != nil {
			return s, err
		}
	}
	return s, nil
}

// strike ends everything that was started: processes, then TPMs, then the line.
func (s *stage) strike() error {
	failures := make([]error, len(s.children))
	var stopping sync.WaitGroup
	for i, c := range s.children {
		stopping.Go(func() {
			if err := c.stop(); err != nil {
				failures[i] = fmt.Errorf("%s: %w", c.name, err)
			}
		})
	}
	stopping.Wait()
	for _, t := range s.tpms {
		t.Stop()
	}
	return errors.Join(append(failures, s.line.Close())...)
}

func (s *stage) hubs() []*stageHub { return []*stageHub{s.valbrume, s.port, s.bus} }

// relais runs a verb of the command under test and returns what it printed.
func (s *stage) relais(ctx context.Context, args ...string) ([]byte, error) {
	return capture(ctx, s.programs.relais, args...)
}

func (s *stage) makeTerritory(ctx context.Context) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	passphrase := filepath.Join(s.dir, passphraseName)
	if err := os.WriteFile(passphrase, []byte("phrase de démonstration seulement\n"), 0o600); err != nil {
		return err
	}
	key, err := s.relais(ctx, "territory", "init", "--code", stageTerritory, "--name", "Territoire de démonstration",
		"--passphrase-file", passphrase, string(s.root))
	s.rootKey = strings.TrimSpace(string(key))
	return err
}

// makeHubs writes the three configurations and makes the three hubs.
func (s *stage) makeHubs(ctx context.Context) error {
	s.valbrume = &stageHub{name: "Valbrume", provider: "tpm"}
	s.port = &stageHub{name: "Port-Exemple", provider: "tpm"}
	s.bus = &stageHub{name: "le bus", provider: "software"}
	for host, h := range map[string]*stageHub{"valbrume": s.valbrume, "port-exemple": s.port, "bus": s.bus} {
		h.folder = filepath.Join(s.dir, host)
		if err := s.configure(ctx, h, host); err != nil {
			return fmt.Errorf("%s: %w", h.name, err)
		}
	}
	for _, h := range s.hubs() {
		out, err := s.relais(ctx, "init", "--config", h.configFile(), "--root-key", s.rootKey, "--json")
		if err != nil {
			return err
		}
		if err := json.Unmarshal(out, &h.born); err != nil {
			return fmt.Errorf("relais init: %w", err)
		}
	}
	return nil
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
	return writeDurable(h.configFile(), []byte(c.text()), 0o644)
}

// text is the configuration as a file, only what is set.
func (c Config) text() string {
	var b strings.Builder
	list := func(items []string) string { return `"` + strings.Join(items, `", "`) + `"` }
	fmt.Fprintf(&b, "[hub]\nname = %q\nterritory = %q\ndata_dir = %q\n", c.Hub.Name, c.Hub.Territory, c.Hub.DataDir)
	fmt.Fprintf(&b, "\n[web]\nlisten = %q\nnames = [%s]\nkiosk_name = %q\n", c.Web.Listen, list(c.Web.Names), c.Web.KioskName)
	fmt.Fprintf(&b, "\n[link]\nlisten = %q\nadvertise = [%s]\nproxy = %q\n", c.Link.Listen, list(c.Link.Advertise), c.Link.Proxy)
	fmt.Fprintf(&b, "\n[keys]\nprovider = %q\ndevice = %q\n", c.Keys.Provider, c.Keys.Device)
	fmt.Fprintf(&b, "\n[national]\nadapter = %q\n", c.National.Adapter)
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

// issueRoster adds everyone to the roster, signs it and installs it.
func (s *stage) issueRoster(ctx context.Context) error {
	root := string(s.root)
	steps := [][]string{}
	for _, h := range s.hubs() {
		steps = append(steps, []string{"territory", "add-hub", root, h.born.Request})
	}
	steps = append(steps,
		[]string{
			"territory", "structure", "add", "--name", "Maison de services de Valbrume (démonstration)",
			"--address", "1 place de l’Exemple, Valbrume", "--serving", s.valbrume.name + "," + s.bus.name, root,
		},
		[]string{
			"territory", "structure", "add", "--name", "Médiathèque de Port-Exemple (démonstration)",
			"--address", "2 quai de l’Exemple, Port-Exemple", "--serving", s.port.name, root,
		},
		[]string{"territory", "national", root, s.national.request},
		[]string{"territory", "issue", "--passphrase-file", filepath.Join(s.dir, passphraseName), root})
	for _, h := range s.hubs() {
		steps = append(steps, []string{"territory", "install", "--config", h.configFile(), s.root.path(rosterFile)})
	}
	for _, args := range steps {
		if _, err := s.relais(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// startAll starts the national service and the hubs and waits for each.
func (s *stage) startAll(ctx context.Context) error {
	if err := s.startNational(ctx); err != nil {
		return err
	}
	for _, h := range s.hubs() {
		if err := s.startHub(h); err != nil {
			return err
		}
	}
	for _, h := range s.hubs() {
		if err := h.ready(ctx); err != nil {
			return err
		}
	}
	return nil
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

// openAccounts opens one helper's account per hub. Dominique works at Valbrume
// and in the bus: one helper, two accounts.
func (s *stage) openAccounts(ctx context.Context) error {
	var dominique territory.HelperID
	for _, h := range s.hubs() {
		args := []string{"helper", "add", "--json", "--config", h.configFile()}
		if h == s.port {
			args = append(args, "--login", "claude", "--given", "Claude", "--family", "MODELE")
		} else {
			args = append(args, "--login", "dominique", "--given", "Dominique", "--family", "EXEMPLE")
			if !dominique.IsZero() {
				args = append(args, "--id", dominique.String())
			}
		}
		out, err := s.relais(ctx, args...)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(out, &h.account); err != nil {
			return fmt.Errorf("relais helper add: %w", err)
		}
		if dominique.IsZero() {
			dominique = h.account.Helper
		}
		if h.codes, err = newAuthenticator(h.account.TOTP); err != nil {
			return err
		}
	}
	return nil
}
