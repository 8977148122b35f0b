package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
)

// aCut cuts all of the bus's traffic where it passes, and lets it flow again.
func (p *play) aCut(ctx context.Context) error {
	others := []*stageHub{p.valbrume, p.port}
	return p.steps(
		step{"Valbrume", "a second mandate", timed(func() (err error) {
			p.second, p.secondCode, err = p.valbrume.create(ctx, oneLine)
			return err
		})},
		step{"territory", "known everywhere", func() (string, error) { return p.known(ctx, p.second, p.hubs()) }},
		step{"the line", "is cut: nothing passes to or from the bus", func() (string, error) {
			p.line.Cut()
			return fmt.Sprintf("%d octets had passed", p.line.Octets()), nil
		}},
		step{"le bus", "a mandate is drawn up all the same", timed(func() (err error) {
			p.offline, _, err = p.bus.create(ctx, twoLines)
			return err
		})},
		step{"le bus", "and an act is done", timed(func() error { return p.bus.act(ctx, p.offline) })},
		step{"le bus", "its pages say how old their information is", func() (string, error) { return p.bus.age(ctx) }},
		step{"Port-Exemple", "the second mandate is stopped meanwhile", func() (string, error) {
			receipt, err := p.port.stopAtKiosk(ctx, p.secondCode)
			return "receipt " + receipt, err
		}},
		step{"Valbrume", "knows it", timed(func() error { _, err := p.valbrume.watch(ctx, p.second); return err })},
		step{"le bus", "cannot know it yet", timed(func() error { return p.unaware(ctx) })},
		step{"the line", "is whole again", timed(func() error { p.line.Restore(); return nil })},
		step{"le bus", "learns the stop", timed(func() error { _, err := p.bus.watch(ctx, p.second); return err })},
		step{"the others", "learn the bus's mandate", func() (string, error) { return p.known(ctx, p.offline, others) }},
		step{"territory", "nothing is lost", func() (string, error) { return p.agreed(ctx) }},
	)
}

// age returns what the hub's page says of its information, once it noticed that
// it is alone.
func (h *stageHub) age(ctx context.Context) (string, error) {
	err := eventually(ctx, func() (bool, error) {
		s, err := h.status(ctx)
		return s.Seen == 1, err
	})
	if err != nil {
		return "", fmt.Errorf("it still believes that it hears the others: %w", err)
	}
	page, err := h.desk.get(ctx, "/bureau")
	if err != nil {
		return "", err
	}
	n := page.byClass("freshness")
	if n == nil {
		return "", errors.New("the page does not say")
	}
	said := textOf(n)
	if !saysHowOld.MatchString(said) {
		return "", fmt.Errorf("it says « %s »", said)
	}
	return "« " + said + " »", nil
}

// saysHowOld are the words of a hub that is alone.
var saysHowOld = regexp.MustCompile(`^Hors ligne · informations à jour (hier )?à \d{2}:\d{2}`)

// unaware checks that the cut is real: what happened behind it is unknown here.
func (p *play) unaware(ctx context.Context) error {
	state, _, err := p.bus.state(ctx, p.second)
	if err == nil && state == "stopped" {
		err = errors.New("it knows: the line was not cut")
	}
	return err
}

// agreed waits until the three hubs count the same mandates and stops.
func (p *play) agreed(ctx context.Context) (string, error) {
	const mandates, stops = 3, 2
	for _, h := range p.hubs() {
		var last status
		err := eventually(ctx, func() (ok bool, err error) {
			last, err = h.status(ctx)
			return last.Notices == mandates && last.Stops == stops && last.Waiting == 0, err
		})
		if err != nil {
			return "", fmt.Errorf("%s knows %d mandates and %d stops: %w", h.name, last.Notices, last.Stops, err)
		}
	}
	p.OfflineGrantSynced = true
	return fmt.Sprintf("%d mandates and %d stops at each hub", mandates, stops), nil
}
