package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
)

// What a helper and a person do, page after page. Every value goes through a
// form that the page offered.

// A mandatePlan is what a mandate of the demonstration says. The people are
// invented.
type mandatePlan struct {
	given, family string
	lines         []linePlan
	term          string
}

type linePlan struct{ scope, service, acts string }

// signIn signs the hub's helper in.
func (h *stageHub) signIn(ctx context.Context) error {
	code, err := h.codes.code(ctx)
	if err != nil {
		return err
	}
	p, err := h.desk.fill(ctx, "/connexion", "passphrase", map[string]string{
		"login": h.account.Login, "passphrase": h.account.Passphrase, "code": code,
	})
	if err != nil {
		return err
	}
	if p.url.Path != "/bureau" {
		return fmt.Errorf("signed in, and sent to %s", p.url.Path)
	}
	return nil
}

// openVisit opens an accompaniment in posture "je fais" and returns its path.
func (h *stageHub) openVisit(ctx context.Context) (string, error) {
	p, err := h.desk.fill(ctx, "/bureau/accompagnements/nouveau", "posture", map[string]string{
		"posture": "fais", "theme": "argent",
	})
	if err != nil {
		return "", err
	}
	return p.url.Path, nil
}

// declare answers the first step: who the person is, and her three answers.
func (h *stageHub) declare(ctx context.Context, visit string, m mandatePlan) error {
	_, err := h.desk.fill(ctx, visit+"/mandat/personne", "given", map[string]string{
		"given": m.given, "family": m.family, "birth_date": "14/03/1950", "birth_place": "Valbrume",
		"evidence": "document", "adult": "oui", "protected": "non", "willing": "oui",
	})
	return err
}

// draw fills the lines and the term.
func (h *stageHub) draw(ctx context.Context, visit string, m mandatePlan) error {
	p, err := h.desk.get(ctx, visit+"/mandat/services")
	if err != nil {
		return err
	}
	values := map[string]string{}
	for i, l := range m.lines {
		field := fmt.Sprintf("line_%d_", i+1)
		values[field+"scope"], values[field+"service"], values[field+"acts"] = l.scope, l.service, l.acts
		values["action"] = "continuer"
		if i < len(m.lines)-1 {
			values["action"] = "ajouter"
		}
		f, err := p.form(field + "scope")
		if err != nil {
			return err
		}
		if p, err = f.send(ctx, values); err != nil {
			return err
		}
		values = map[string]string{}
	}
	_, err = h.desk.fill(ctx, visit+"/mandat/duree", "term", map[string]string{"term": m.term})
	return err
}

// approve approves the recap with a fresh code, and returns the mandate's id.
func (h *stageHub) approve(ctx context.Context, visit string) (string, error) {
	code, err := h.codes.code(ctx)
	if err != nil {
		return "", err
	}
	p, err := h.desk.fill(ctx, visit+"/mandat/relire", "recap", map[string]string{"code": code})
	if err != nil {
		return "", err
	}
	for part := range strings.SplitSeq(p.url.Path, "/") {
		if strings.HasPrefix(part, "m_") {
			return part, nil
		}
	}
	return "", fmt.Errorf("approved, and sent to %s: %s", p.url.Path, p.alert())
}

// print opens the two copies and returns the stop code on the person's.
func (h *stageHub) print(ctx context.Context, mandate string) (string, error) {
	p, err := h.desk.get(ctx, "/bureau/mandats/"+mandate+"/papier")
	if err != nil {
		return "", err
	}
	for n := range p.root.Descendants() {
		if code := attribute(n, "data-stop-code"); code != "" {
			return code, nil
		}
	}
	return "", errors.New("the person's copy carries no stop code")
}

// confirm says that both copies are signed and one handed over.
func (h *stageHub) confirm(ctx context.Context, mandate string) error {
	_, err := h.desk.fill(ctx, "/bureau/mandats/"+mandate+"/papier", "signed", map[string]string{"signed": "oui", "handed": "oui"})
	return err
}

// create goes from an empty desk to a usable mandate.
func (h *stageHub) create(ctx context.Context, m mandatePlan) (mandate, stopCode string, err error) {
	visit, err := h.openVisit(ctx)
	if err != nil {
		return "", "", err
	}
	if err = errors.Join(h.declare(ctx, visit, m), h.draw(ctx, visit, m)); err != nil {
		return "", "", err
	}
	if mandate, err = h.approve(ctx, visit); err != nil {
		return "", "", err
	}
	if stopCode, err = h.print(ctx, mandate); err != nil {
		return "", "", err
	}
	return mandate, stopCode, h.confirm(ctx, mandate)
}

// actForm opens the form of an act, as a helper does before she begins.
func (h *stageHub) actForm(ctx context.Context, mandate string) (*webForm, error) {
	p, err := h.desk.get(ctx, "/bureau/mandats/"+mandate+"/demarche")
	if err != nil {
		return nil, err
	}
	return p.form("channel")
}

var anAct = map[string]string{"line": "1", "channel": "online", "present": "oui"}

// act records one act on the first line.
func (h *stageHub) act(ctx context.Context, mandate string) error {
	f, err := h.actForm(ctx, mandate)
	if err != nil {
		return err
	}
	p, err := f.send(ctx, anAct)
	if err != nil {
		return err
	}
	if path.Base(p.url.Path) != mandate {
		return fmt.Errorf("act sent, and the page is %s: %s", p.url.Path, p.alert())
	}
	return nil
}

// state is the mandate's state as this hub shows it to its helper.
func (h *stageHub) state(ctx context.Context, mandate string) (string, *webPage, error) {
	p, err := h.desk.get(ctx, "/bureau/mandats/"+mandate)
	if err != nil {
		return "", p, err
	}
	return p.state(), p, nil
}

// stopAtKiosk types the code at the kiosk and returns the receipt's number.
func (h *stageHub) stopAtKiosk(ctx context.Context, code string) (string, error) {
	f, err := h.stopForm(ctx)
	if err != nil {
		return "", err
	}
	return sendStop(ctx, f, code)
}

// stopForm opens the kiosk's page; sendStop types the code.
func (h *stageHub) stopForm(ctx context.Context) (*webForm, error) {
	p, err := h.kiosk.get(ctx, "/kiosque/arreter")
	if err != nil {
		return nil, err
	}
	return p.form("code")
}

func sendStop(ctx context.Context, f *webForm, code string) (string, error) {
	p, err := f.send(ctx, map[string]string{"code": code})
	if err != nil {
		return "", err
	}
	number := textOf(p.byID("recu-numero"))
	if number == "" {
		return "", fmt.Errorf("no receipt: %s", p.alert())
	}
	return number, nil
}
