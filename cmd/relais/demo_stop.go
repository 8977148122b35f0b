package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

func (p *play) aStop(ctx context.Context) error {
	var forms map[*stageHub]*webForm
	return p.steps(
		step{"le bus", "she shows her copy, signed: what is on paper is known here too", timed(func() error { return p.bus.confirm(ctx, p.first) })},
		step{"both desks", "an act is about to be noted", timed(func() (err error) { forms, err = p.openActs(ctx, p.valbrume, p.bus); return err })},
		step{"Port-Exemple", "the person types her stop code at the kiosk", func() (string, error) { return p.stopAndWatch(ctx) }},
		step{"both desks", "the act is refused, saying when and where it was stopped", timed(func() error { return p.refused(ctx, forms) })},
	)
}

func (p *play) openActs(ctx context.Context, hubs ...*stageHub) (map[*stageHub]*webForm, error) {
	forms := map[*stageHub]*webForm{}
	for _, h := range hubs {
		f, err := h.actForm(ctx, p.first)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", h.name, err)
		}
		forms[h] = f
	}
	return forms, nil
}

// stopAndWatch stops the first mandate at the kiosk while a helper at each hub
// looks at its page every 10 ms.
func (p *play) stopAndWatch(ctx context.Context) (string, error) {
	form, err := p.port.stopForm(ctx)
	if err != nil {
		return "", err
	}
	var watching sync.WaitGroup
	var mu sync.Mutex // guards refusedAt and failures
	refusedAt, failures := map[string]time.Time{}, []error{}
	for _, h := range p.hubs() {
		watching.Go(func() {
			at, err := h.watch(ctx, p.first)
			mu.Lock()
			defer mu.Unlock()
			refusedAt[h.name], failures = at, append(failures, err)
		})
	}
	time.Sleep(5 * pollEvery) // every watch has looked at least once
	posted := time.Now()
	receipt, err := sendStop(ctx, form, p.firstCode)
	watching.Wait()
	if err := errors.Join(append(failures, err)...); err != nil {
		return "", err
	}
	p.RevocationMS = map[string]int64{}
	var figures []string
	for _, name := range slices.Sorted(maps.Keys(refusedAt)) {
		p.RevocationMS[name] = refusedAt[name].Sub(posted).Milliseconds()
		figures = append(figures, fmt.Sprintf("%s %d ms", name, p.RevocationMS[name]))
	}
	return "receipt " + receipt + "; refused: " + strings.Join(figures, ", "), nil
}

// watch looks at a mandate's page every 10 ms until it is stopped there.
func (h *stageHub) watch(ctx context.Context, mandate string) (at time.Time, err error) {
	err = eventually(ctx, func() (bool, error) {
		state, _, err := h.state(ctx, mandate)
		at = time.Now()
		return state == "stopped", err
	})
	if err != nil {
		err = fmt.Errorf("%s: %w", h.name, err)
	}
	return at, err
}

// saysWhen is a time of day in a refusal.
var saysWhen = regexp.MustCompile(`arrêté .*à \d{2}:\d{2}`)

// refused sends the forms that were open and expects a refusal that says when and
// where the mandate was stopped.
func (p *play) refused(ctx context.Context, forms map[*stageHub]*webForm) error {
	for h, f := range forms {
		page, err := f.send(ctx, anAct)
		if err == nil {
			return fmt.Errorf("%s took the act", h.name)
		}
		if page == nil || page.status >= 500 || !strings.Contains(page.alert(), p.port.name) || !saysWhen.MatchString(page.alert()) {
			return fmt.Errorf("%s refuses without saying when and where: %w", h.name, err)
		}
	}
	p.RefusedEverywhere = true
	return nil
}
