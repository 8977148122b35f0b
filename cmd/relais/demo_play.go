package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// outcome is the JSON object that the demonstration ends with.
type outcome struct {
	Hubs         []string `json:"hubs"`
	KeyProviders []string `json:"key_providers"`
	// RevocationMS is, per hub, from the kiosk's POST to the first refusal that
	// a signed-in helper saw there, in milliseconds.
	RevocationMS       map[string]int64 `json:"revocation_ms"`
	RefusedEverywhere  bool             `json:"refused_everywhere"`
	OfflineGrantSynced bool             `json:"offline_grant_synced"`
	National           struct {
		Up              int   `json:"up"`
		Down            int   `json:"down"`
		Drift           int   `json:"drift"`
		FirstPassBytes  int64 `json:"first_pass_bytes"`
		SecondPassBytes int64 `json:"second_pass_bytes"`
	} `json:"national"`
	AidantsConnect   mirrored `json:"aidants_connect"`
	JournalsVerified bool     `json:"journals_verified"`
	TamperNamed      bool     `json:"tamper_named"`
	Seconds          float64  `json:"seconds"`
	OK               bool     `json:"ok"`
}

// A play is the scenario on a stage.
type play struct {
	*stage
	told *timeline
	outcome

	first, second, offline string // mandates
	firstCode, secondCode  string // their stop codes, as printed
}

// pollEvery is how often a helper's page is asked whether a mandate still runs;
// learnTimeout is how long a hub may take to learn something.
const (
	pollEvery    = 10 * time.Millisecond
	learnTimeout = 2 * time.Minute
)

var (
	// Everybody and every place here is invented.
	twoLines = mandatePlan{
		given: "Camille", family: "ESSAI", term: "MONTH",
		lines: []linePlan{
			{"argent", "impots.gouv.fr", "consulter l’avis d’impôt\ndéclarer les revenus de l’année"},
			{"social", "caf.fr", "déclarer les ressources du trimestre"},
		},
	}
	oneLine = mandatePlan{
		given: "Sacha", family: "MODELE", term: "SHORT",
		lines: []linePlan{{"transports", "sncf-connect.com", "chercher un trajet et ses horaires"}},
	}
)

// run plays the whole scenario and stops at the first step that fails: what
// follows would prove nothing.
func (p *play) run(ctx context.Context) error {
	for _, h := range p.hubs() {
		p.Hubs = append(p.Hubs, h.name)
	}
	for _, chapter := range []struct {
		title string
		play  func(context.Context) error
	}{
		{"The territory", p.theTerritory},
		{"A mandate at Valbrume", p.aMandate},
		{"Stopped at Port-Exemple", p.aStop},
		{"The bus loses its line", p.aCut},
		{"The national service", p.aPass},
		{"Made in Aidants Connect", p.aMirror},
		{"The journals", p.theJournals},
	} {
		p.told.chapter(chapter.title)
		if err := chapter.play(ctx); err != nil {
			return err
		}
	}
	return nil
}

// steps tells one step after the other until one fails.
func (p *play) steps(steps ...step) error {
	for _, s := range steps {
		if err := p.told.step(s.where, s.what, s.do); err != nil {
			return fmt.Errorf("%s, %s: %w", s.where, s.what, err)
		}
	}
	return nil
}

type step struct {
	where, what string
	do          func() (figure string, err error)
}

// timed is a step whose figure is its duration.
func timed(do func() error) func() (string, error) {
	return func() (string, error) { return "", do() }
}

func (p *play) theTerritory(ctx context.Context) error {
	return p.steps(
		step{"territory", "three hubs know each other by one roster", func() (string, error) { return p.allMet(ctx) }},
		step{"territory", "keys guarded by TPM, TPM, software", func() (string, error) { return p.keyProviders(ctx) }},
		step{"Valbrume", "Dominique signs in: passphrase and code", timed(func() error { return p.valbrume.signIn(ctx) })},
		step{"Port-Exemple", "Maxime signs in", timed(func() error { return p.port.signIn(ctx) })},
		step{"le bus", "Dominique signs in here too", timed(func() error { return p.bus.signIn(ctx) })},
	)
}

// allMet waits until every hub heard every other.
func (p *play) allMet(ctx context.Context) (string, error) {
	var version uint32
	for _, h := range p.hubs() {
		err := eventually(ctx, func() (bool, error) {
			s, err := h.status(ctx)
			version = s.RosterVersion
			return s.Seen == len(p.hubs()), err
		})
		if err != nil {
			return "", fmt.Errorf("%s has not heard the others: %w", h.name, err)
		}
	}
	return fmt.Sprintf("roster version %d", version), nil
}

func (p *play) keyProviders(ctx context.Context) (string, error) {
	for _, h := range p.hubs() {
		s, err := h.status(ctx)
		if err != nil {
			return "", err
		}
		p.KeyProviders = append(p.KeyProviders, string(s.Assurance))
	}
	return strings.Join(p.KeyProviders, ", "), guarded(p.KeyProviders)
}

// guarded refuses a demonstration whose hubs are not what the real ones are: two
// with a TPM, and one without.
func guarded(providers []string) error {
	if !slices.Equal(providers, []string{"tpm", "tpm", "software"}) {
		return fmt.Errorf("they are %v", providers)
	}
	return nil
}

func (p *play) aMandate(ctx context.Context) error {
	var visit string
	return p.steps(
		step{"Valbrume", "an accompaniment is opened: je fais", timed(func() (err error) { visit, err = p.valbrume.openVisit(ctx); return err })},
		step{"Valbrume", "the three questions are asked aloud", timed(func() error { return p.valbrume.declare(ctx, visit, twoLines) })},
		step{"Valbrume", "two lines, a month", timed(func() error { return p.valbrume.draw(ctx, visit, twoLines) })},
		step{"Valbrume", "a fresh code approves the recap: the mandate exists", timed(func() (err error) {
			p.first, err = p.valbrume.approve(ctx, visit)
			return err
		})},
		step{"Valbrume", "two copies are printed, hers with the stop code", timed(func() (err error) {
			p.firstCode, err = p.valbrume.print(ctx, p.first)
			return err
		})},
		step{"Valbrume", "both are signed, one is handed over", timed(func() error { return p.valbrume.confirm(ctx, p.first) })},
		step{"territory", "the notice is known", func() (string, error) { return p.known(ctx, p.first, p.hubs()) }},
		step{"le bus", "serves the same structure: has the sealed dossier", timed(func() error { return p.names(ctx, p.bus, p.first, twoLines, true) })},
		step{"Port-Exemple", "does not: knows neither who nor what for", timed(func() error { return p.names(ctx, p.port, p.first, twoLines, false) })},
		step{"Valbrume", "an act is done", timed(func() error { return p.valbrume.act(ctx, p.first) })},
	)
}

// known waits until the hubs show the mandate to their helpers.
func (p *play) known(ctx context.Context, mandate string, hubs []*stageHub) (string, error) {
	began := time.Now()
	for _, h := range hubs {
		err := eventually(ctx, func() (bool, error) {
			state, page, err := h.state(ctx, mandate)
			if page != nil && page.status == 404 {
				return false, nil
			}
			return state != "", err
		})
		if err != nil {
			return "", fmt.Errorf("%s does not know it: %w", h.name, err)
		}
	}
	return fmt.Sprintf("%d/%d hubs within %d ms", len(hubs), len(p.hubs()), time.Since(began).Milliseconds()), nil
}

// names checks that the hub's page names the person, or that it does not.
func (p *play) names(ctx context.Context, h *stageHub, mandate string, m mandatePlan, wanted bool) error {
	said := false
	err := eventually(ctx, func() (bool, error) {
		_, page, err := h.state(ctx, mandate)
		if err != nil {
			return false, err
		}
		said = page.says(m.family) || page.says(m.lines[0].service)
		return said || !wanted, nil
	})
	if err == nil && said && !wanted {
		err = errors.New("the page names the person or the service")
	}
	return err
}

// eventually asks until yes, an error, or learnTimeout.
func eventually(ctx context.Context, yes func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, learnTimeout, fmt.Errorf("not within %v", learnTimeout))
	defer cancel()
	for {
		done, err := yes()
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pollEvery):
		}
	}
}
