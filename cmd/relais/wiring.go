package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"time"

	"relais/node/durable"

	"relais/node"
	"relais/node/fault"
	"relais/node/territory"
	"relais/sync/enrolment"
	"relais/sync/exchange"
	"relais/sync/gossip"
	"relais/sync/link"
	"relais/sync/national"
	"relais/systemd"
	"relais/webui"
)

// wireSync joins the node to the other hubs: a record that is new here goes to
// the gossip, a hub that knows more is pulled from, and a new roster changes who
// is admitted.
func (h *hub) wireSync() (err error) {
	c := h.config
	var proxy *url.URL
	if c.Link.Proxy != "" {
		if proxy, err = url.Parse(c.Link.Proxy); err != nil {
			return err
		}
	}
	h.link, err = link.New(link.Options{
		Self: h.node.Self(), Identity: h.keys.Identity(), Roster: h.node.Roster, Listen: c.Link.Listen,
		Proxy: proxy, Logger: h.log, Rendezvous: c.Link.Rendezvous, NoTransit: !c.Link.Transit,
		HTTP: exchange.NewHandler(exchange.HandlerOptions{Records: h.node, Rosters: h.node, Dossiers: h.node, Logger: h.log}),
		Join: enrolment.NewHandler(h.node, h.log), Inviting: func() bool { return h.node.Inviting(context.Background()) },
	})
	if err != nil {
		return err
	}
	if h.newcomer, err = newNewcomer(c, h.node, h.keys, h.link.Credentials()); err != nil {
		return err
	}
	h.puller = exchange.NewPuller(exchange.NewClient(h.node, h.link.HTTPClient(), nil), h.log)
	h.pool = gossip.New(gossip.Options{Local: h.node, Link: h.link, OnBehind: h.puller.Want, Logger: h.log})
	h.node.OnRecord(func(wire []byte, from territory.HubID) {
		h.pool.Publish(wire, from)
		h.puller.WantDossiers()
	})
	h.node.OnForget(h.puller.WantForgets)
	h.node.OnRoster(func(*territory.Roster) { h.link.Refresh() })
	switch c.National.Adapter {
	case "relais":
		h.adapter = national.New(national.Options{
			Hub: h.node, Credentials: h.link.Credentials(), URL: c.National.URL, Proxy: proxy, Logger: h.log,
		})
	case "aidants-connect":
		h.adapter = national.NewDirectory(national.DirectoryOptions{Shelf: h.node, URL: c.National.URL, Proxy: proxy, Logger: h.log})
	}
	return nil
}

// wireDoors opens what people and the machine's owner come in by.
func (h *hub) wireDoors(ctx context.Context) (err error) {
	if h.pages, err = listenPages(h.config.Web.Listen); err != nil {
		return fmt.Errorf("web: %w", err)
	}
	h.web, err = webui.New(webui.Options{
		Node: h.node, Names: h.config.Web.Names, KioskName: h.config.Web.KioskName, Logger: h.log,
		Software: h.keys.Assurance() == territory.AssuranceSoftware,
	})
	if err != nil {
		return err
	}
	if err := h.publishAuthority(ctx); err != nil {
		return err
	}
	if err := leaveRequest(ctx, h.config, h.node, h.keys.Assurance()); err != nil {
		h.log.Warn("hub.json was not written", "err", err)
	}
	if h.controls, err = listenControl(h.config.Hub.DataDir); err != nil {
		return err
	}
	h.health = listenHealth(h.config.Health, h.log)
	return nil
}

// listenPages takes the pages' port from the service manager, so that the hub
// needs no privilege for 443, or opens it. The one that is passed must be the one
// that is configured: nothing listens where the configuration does not say.
func listenPages(address string) (net.Listener, error) {
	passed, err := systemd.Socket()
	if err != nil {
		return nil, err
	}
	if passed == nil {
		return net.Listen("tcp", address)
	}
	_, want, _ := net.SplitHostPort(address) // validate saw that it is one
	t, ok := passed.Addr().(*net.TCPAddr)
	if !ok || strconv.Itoa(t.Port) != want {
		return nil, errors.Join(fmt.Errorf("the service manager listens on %s and web.listen says %s: make relais.socket and the configuration agree", passed.Addr(), address), passed.Close())
	}
	return passed, nil
}

// authorityFile is where the hub's own certificate authority is left for IT to
// deploy on the site's machines. It is public.
const authorityFile = "ca.pem"

func (h *hub) publishAuthority(ctx context.Context) error {
	certificate, err := h.web.CA(ctx)
	if err != nil {
		return fmt.Errorf("web: %w", err)
	}
	return durable.Write(filepath.Join(h.config.Hub.DataDir, authorityFile), certificate, 0o644)
}

// jobs are what the hub does by itself, beside answering.
func (h *hub) jobs() []job {
	jobs := []job{
		{name: "expire", least: 50 * time.Minute, most: 70 * time.Minute, run: h.node.Expire},
		{name: "checkpoint", least: 25 * time.Minute, most: 35 * time.Minute, run: func(ctx context.Context) error {
			_, err := h.node.Checkpoint(ctx)
			return err
		}},
		{name: "retention", least: 20 * time.Hour, most: 28 * time.Hour, spread: 10 * time.Minute, run: h.forgetRetired},
	}
	if h.adapter == nil {
		return jobs
	}
	pass := job{
		name: nationalJob, least: 20 * time.Minute, most: 40 * time.Minute, spread: 5 * time.Minute,
		run: func(ctx context.Context) error {
			_, err := h.nationalPass(ctx)
			return err
		},
	}
	if !h.speaksContract() { // a directory that others read too, once a day
		pass.least, pass.most, pass.spread = 3*time.Hour, 5*time.Hour, 30*time.Minute
	}
	return append(jobs, pass)
}

// forgetRetired forgets whoever was kept for as long as the configuration says.
func (h *hub) forgetRetired(ctx context.Context) error {
	people, err := h.node.ForgetRetired(ctx, h.config.Hub.RetentionMonths)
	if people > 0 {
		h.log.Info("people forgotten after their time", "people", people, "months", h.config.Hub.RetentionMonths)
	}
	return err
}

// nationalJob is the name under which the last national pass that succeeded is
// kept, asked for or scheduled.
const nationalJob = "national"

// firstPassWithin bounds, at random, how long a hub waits for its first national
// pass once a roster names the service: the hubs of a territory get it together.
const firstPassWithin = time.Minute

// firstPass makes the first national pass soon: a new hub missed none, and would
// wait for half an hour to learn what the service knows. It does nothing where
// one succeeded, be it while this one waited.
func (h *hub) firstPass(ctx context.Context) error {
	return soonOnce(ctx, nationalJob, firstPassWithin, h.node, func() bool {
		r := h.node.Roster()
		return r != nil && (r.National != nil || !h.speaksContract())
	}, func(ctx context.Context) {
		if _, err := h.nationalPass(ctx); err != nil && ctx.Err() == nil {
			h.log.Warn("job failed", "job", nationalJob, "err", err)
		}
	})
}

// speaksContract tells whether the national service is the roster's, and speaks our
// contract.
func (h *hub) speaksContract() bool { return h.config.National.Adapter == "relais" }

// nationalPass reconciles once and keeps the outcome for the screens.
func (h *hub) nationalPass(ctx context.Context) (node.NationalPass, error) {
	if h.adapter == nil {
		return node.NationalPass{}, fault.Errorf(fault.Unavailable, "Ce relais n’a pas de service national.", "no national service is configured: [national] adapter")
	}
	report, err := national.Pass(ctx, h.adapter, nil)
	h.log.Info("national pass", "report", report, "ok", err == nil)
	outcome := report.Outcome(err)
	if err == nil {
		err = h.node.JobSucceeded(ctx, nationalJob, time.Now())
	}
	return outcome, errors.Join(err, h.node.RecordNationalPass(ctx, outcome))
}
