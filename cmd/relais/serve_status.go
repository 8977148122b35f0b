package main

import (
	"context"
	"net"
	"time"

	"relais/hardware/keyring"
	"relais/hardware/tpm"
	"relais/node"
	"relais/node/territory"
)

// probeJob is the name under which the watchdog's probe writes.
const probeJob = "probe"

// control is the command line's door to this hub.
func (h *hub) control() *control {
	return &control{node: h.node, status: h.status, doctor: h.examination, national: h.nationalPass, join: h.join, rekey: h.rekey, note: h.node.NoteControl, log: h.log}
}

// join asks for this hub's place while it runs: it was recovered, or has another
// name. Once it has it, browsers are shown at once what the territory certified.
func (h *hub) join(ctx context.Context, i territory.Invitation) (placed, error) {
	p, err := h.newcomer.ask(ctx, i)
	if err == nil && p.State == node.RequestApproved {
		h.showAuthority(ctx)
	}
	return p, err
}

// showAuthority shows, and publishes, what the territory certified. What fails of
// it is done at the next start.
func (h *hub) showAuthority(ctx context.Context) {
	err := h.web.ReopenAuthority(ctx)
	if err == nil {
		err = h.publishAuthority(ctx)
	}
	if err != nil {
		h.log.Warn("the certificate of the territory is shown at the next start", "err", err)
	}
}

// addresses are where the pages are: the desk's, then the kiosk's.
func (h *hub) addresses() []string {
	_, port, err := net.SplitHostPort(h.pages.Addr().String())
	if err != nil {
		return nil
	}
	url := func(name string) string {
		if port == "443" {
			return "https://" + name + "/"
		}
		return "https://" + net.JoinHostPort(name, port) + "/"
	}
	pages := []string{url(h.config.Web.Names[0])}
	if h.config.Web.KioskName != "" {
		pages = append(pages, url(h.config.Web.KioskName))
	}
	return pages
}

// status gathers what relais status prints.
func (h *hub) status(ctx context.Context) (status, error) {
	view, err := h.node.Territory(ctx)
	if err != nil {
		return status{}, err
	}
	slots, err := keyring.Slots(h.config.Hub.DataDir)
	if err != nil {
		return status{}, err
	}
	s := status{
		Version: version, Hub: h.node.Self(), Name: h.node.Name(), Territory: h.config.Hub.Territory,
		Assurance: h.keys.Assurance(), Slots: slots, Pages: h.addresses(), StartedAt: h.startedAt,
		FreshAt: view.Freshness.At, Seen: view.Freshness.Seen, Expected: view.Freshness.Expected,
		Notices: view.Notices, Stops: view.Stops, Dossiers: view.Dossiers, Waiting: view.Waiting, Journal: view.Seen, List: view.List,
	}
	passed := h.link.Transit()
	s.Transit = &passed
	if s.Rekeying, err = h.node.Rekeying(ctx); err != nil {
		return s, err
	}
	if view.News.Of > 0 {
		s.News = &view.News
	}
	if r := view.Roster; r != nil {
		s.RosterVersion, s.RosterUntil = r.Version, r.ExpiresAt
	}
	if pass, ok, err := h.node.LastNationalPass(ctx); err != nil {
		return s, err
	} else if ok {
		s.National = &pass
	}
	for _, a := range view.Alarms {
		s.Alarms = append(s.Alarms, a.Key)
	}
	if p, ok := h.keys.Provider().(*tpm.Provider); ok {
		s.Commands = p.Commands()
	}
	return s, nil
}

// probe goes through what the hub cannot work without: a write that reaches the
// disk.
func (h *hub) probe(ctx context.Context) error {
	return h.node.JobSucceeded(ctx, probeJob, time.Now())
}
