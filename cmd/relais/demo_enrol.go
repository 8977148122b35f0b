package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"relais/node"
)

// foundTerritory makes Valbrume the territory's first hub, which keeps the root
// and signs from then on, and starts it.
func (s *stage) foundTerritory(ctx context.Context) error {
	h := s.valbrume
	if _, err := s.relais(ctx, "init", "--config", h.configFile(), "--root-key", s.rootKey); err != nil {
		return err
	}
	if _, err := s.relais(ctx, "territory", "found", "--keep-root", "--config", h.configFile(),
		"--passphrase-file", filepath.Join(s.dir, passphraseName), string(s.root)); err != nil {
		return err
	}
	if err := s.startHub(h); err != nil {
		return err
	}
	return h.ready(ctx)
}

func (s *stage) enrolPort(ctx context.Context) error { return s.enrol(ctx, s.port) }
func (s *stage) enrolBus(ctx context.Context) error  { return s.enrol(ctx, s.bus) }

// enrol gives a hub its place as two people would: one makes a code, the other
// types it and reads a fingerprint aloud, the first approves what was heard.
func (s *stage) enrol(ctx context.Context, h *stageHub) error {
	var made invited
	if err := s.says(ctx, &made, "territory", "invite", "--config", s.valbrume.configFile(), "--site", h.name, "--json"); err != nil {
		return err
	}
	h.code = made.Code
	asked, err := s.join(ctx, h)
	if err != nil {
		return err
	}
	if asked.State != node.RequestWaiting {
		return fmt.Errorf("%s is %s before anybody approved it", h.name, asked.State)
	}
	_, err = s.relais(ctx, "territory", "approve", "--config", s.valbrume.configFile(), "--fingerprint", asked.Fingerprint, h.name)
	return err
}

// join asks once for the hub's place; asked again, it takes what came of it.
func (s *stage) join(ctx context.Context, h *stageHub) (done joined, err error) {
	return done, s.says(ctx, &done, "join", "--config", h.configFile(), "--wait", "0", "--json", h.code)
}

// addStructures has Valbrume sign two structures, after which the others fetch
// the roster that lists all.
func (s *stage) addStructures(ctx context.Context) error {
	for _, args := range [][]string{
		{
			"--name", "Maison de services de Valbrume (démonstration)",
			"--address", "1 place de l’Exemple, Valbrume", "--serving", s.valbrume.name + "," + s.bus.name,
		},
		{
			"--name", "Médiathèque de Port-Exemple (démonstration)",
			"--address", "2 quai de l’Exemple, Port-Exemple", "--serving", s.port.name,
		},
	} {
		add := append([]string{"territory", "structure", "add", "--config", s.valbrume.configFile()}, args...)
		if _, err := s.relais(ctx, add...); err != nil {
			return err
		}
	}
	for _, h := range []*stageHub{s.port, s.bus} {
		done, err := s.join(ctx, h)
		if err == nil && done.State != node.RequestApproved {
			err = errors.New("it was approved, and is told " + string(done.State))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", h.name, err)
		}
	}
	return nil
}

// says runs a verb and reads the JSON it prints.
func (s *stage) says(ctx context.Context, into any, args ...string) error {
	out, err := s.relais(ctx, args...)
	if err != nil {
		return err
	}
	return json.Unmarshal(out, into)
}
