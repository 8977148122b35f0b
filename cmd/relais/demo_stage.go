package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"relais/hardware/tpm/swtpm"
	"relais/node/territory"
	"relais/sync/link/relay"
)

// The stage is a territory on this machine, made of the parts that ship: each
// hub a process with its own folder, TLS and database, the national service
// another, two software TPMs, and a line in the bus's path that can be cut. The
// demonstration and the browser test play on it.
type stage struct {
	dir      string   // everything is below it
	claim    *os.File // holds the folder while the stage stands
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

const (
	stageTerritory = "demo"
	readyTimeout   = 30 * time.Second
	passphraseName = "passphrase"
)

// setStage makes a territory in dir, which claimFolder empties first, and starts
// it, telling each step. Whatever it started is ended by strike, also after an
// error.
func setStage(ctx context.Context, dir string, p programs, told *timeline) (*stage, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	claim, err := claimFolder(dir)
	if err != nil {
		return nil, err
	}
	s := &stage{dir: dir, claim: claim, programs: p, root: territoryFolder(filepath.Join(dir, "territoire")), line: relay.New()}
	for _, step := range []struct {
		where, what string
		do          func(context.Context) error
	}{
		{"on files", "a territory: its root, its national service", s.makeTerritory},
		{"this machine", "three configurations, two TPMs", s.makeHubs},
		{"Valbrume", "keys in the TPM; the territory's first hub, keeps the root", s.foundTerritory},
		{"Port-Exemple", "invited, joins by the code, approved by its fingerprint", s.enrolPort},
		{"le bus", "invited, joins by the code, approved by its fingerprint", s.enrolBus},
		{"Valbrume", "two structures, signed here; the others take them along", s.addStructures},
		{"this machine", "four processes serve, first national passes", s.startAll},
		{"this machine", "a helper's account at each hub", s.openAccounts},
	} {
		if err := told.step(step.where, step.what, func() (string, error) { return "", step.do(ctx) }); err != nil {
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
	return errors.Join(append(failures, s.line.Close(), s.claim.Close())...)
}

func (s *stage) hubs() []*stageHub { return []*stageHub{s.valbrume, s.port, s.bus} }

// relais runs a verb of the command under test and returns what it printed.
func (s *stage) relais(ctx context.Context, args ...string) ([]byte, error) {
	return capture(ctx, s.programs.relais, args...)
}

func (s *stage) makeTerritory(ctx context.Context) error {
	passphrase := filepath.Join(s.dir, passphraseName)
	if err := os.WriteFile(passphrase, []byte("phrase de démonstration seulement\n"), 0o600); err != nil {
		return err
	}
	key, err := s.relais(ctx, "territory", "init", "--code", stageTerritory, "--name", "Territoire de démonstration",
		"--passphrase-file", passphrase, string(s.root))
	s.rootKey = strings.TrimSpace(string(key))
	if err == nil {
		err = s.makeNational(ctx)
	}
	if err == nil {
		_, err = s.relais(ctx, "territory", "national", string(s.root), s.national.request)
	}
	return err
}

// makeHubs writes the three configurations and starts the two TPMs.
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
	return nil
}

// startAll starts the national service and the other two hubs and waits for each.
func (s *stage) startAll(ctx context.Context) error {
	if err := s.startNational(ctx); err != nil {
		return err
	}
	for _, h := range []*stageHub{s.port, s.bus} {
		if err := s.startHub(h); err != nil {
			return err
		}
	}
	for _, h := range s.hubs() {
		if err := h.ready(ctx); err != nil {
			return err
		}
	}
	// Each hub's first pass comes by itself, within a minute. Asked for now it
	// does not come in the middle of the play, where passes are measured.
	for _, h := range s.hubs() {
		if _, err := h.pass(ctx); err != nil {
			return fmt.Errorf("%s: first national pass: %w", h.name, err)
		}
	}
	return nil
}

// openAccounts opens one helper's account per hub. Dominique works at Valbrume
// and in the bus: one helper, two accounts.
func (s *stage) openAccounts(ctx context.Context) error {
	var dominique territory.HelperID
	for _, h := range s.hubs() {
		args := []string{"helper", "add", "--json", "--config", h.configFile()}
		if h == s.port {
			args = append(args, "--login", "maxime", "--given", "Maxime", "--family", "MODELE")
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
