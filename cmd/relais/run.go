package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"relais/hardware/keyring"
	"relais/node"
	"relais/node/fault"
	"relais/node/territory"
	"relais/sync/exchange"
	"relais/sync/gossip"
	"relais/sync/link"
	"relais/sync/national"
	"relais/systemd"
	"relais/webui"
)

// shutdownTimeout bounds the end of a hub: what is acknowledged is on the disk,
// so nothing is lost by not waiting longer.
const shutdownTimeout = 5 * time.Second

// A hub is everything that `relais serve` runs, wired: browser → web → node, and
// link → gossip and exchange → node. Open it, run it, close it.
type hub struct {
	config    Config
	log       *slog.Logger
	startedAt time.Time

	keys     *keyring.Keyring
	node     *node.Node
	link     *link.Link
	newcomer *newcomer // where it asks for its place again
	pool     *gossip.Pool
	puller   *exchange.Puller
	adapter  national.Adapter // nil without a national service
	web      *webui.Server
	pages    net.Listener
	controls net.Listener
	health   net.Listener // nil when not configured
}

func runServe(ctx context.Context, std stdio, args []string) error {
	f := flags(std, "serve [--config FILE] [--verbose]")
	config := f.String("config", defaultConfig, "configuration `file`")
	verbose := f.Bool("verbose", false, "log more, for those who look closely")
	if err := parse(f, args, 0, 0); err != nil {
		return err
	}
	c, err := loadConfig(*config)
	if err != nil {
		return err
	}
	level := slog.LevelInfo
	if *verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(std.err, &slog.HandlerOptions{Level: level}))
	h, err := openHub(ctx, c, log)
	for fault.Is(err, fault.Locked) {
		if err := serveLocked(ctx, c, log, err); err != nil {
			return err
		}
		// whoever gave it its keys back may have the folder for a moment yet
		h, err = whileInUse(ctx, func() (*hub, error) { return openHub(ctx, c, log) })
	}
	if err != nil {
		return err
	}
	for _, address := range h.addresses() {
		fmt.Fprintln(std.out, address)
	}
	return errors.Join(h.run(ctx), h.close())
}

// openHub opens the folder, its keys and the ports of a hub, and wires its
// parts. What was opened is closed again when something fails.
func openHub(ctx context.Context, c Config, log *slog.Logger) (h *hub, err error) {
	h = &hub{config: c, log: log, startedAt: time.Now()}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	if h.keys, h.node, err = openFolder(ctx, c, log); err != nil {
		return h, err
	}
	if torn := h.keys.Mended(); torn != nil {
		log.Warn("keyring mended from its previous generation", "err", torn)
	}
	if h.keys.Assurance() == territory.AssuranceSoftware {
		log.Warn("keys are guarded by a file, not by a TPM: whoever copies the data folder has them", "assurance", string(h.keys.Assurance()))
	}
	if err = h.wireSync(); err != nil {
		return h, err
	}
	return h, h.wireDoors(ctx)
}

// run starts every goroutine of the hub, here and nowhere else, and returns once
// ctx ended and all of them did, or one failed. It waits shutdownTimeout at most.
func (h *hub) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	linked, unlink := context.WithCancel(context.WithoutCancel(ctx)) // outlives the gossip's good-bye
	defer unlink()
	group.Go(func() error { return h.node.Run(ctx) })
	group.Go(func() error { return h.link.Run(linked) })
	group.Go(func() error {
		defer unlink()
		return h.gossip(ctx)
	})
	group.Go(func() error { return h.puller.Run(ctx) })
	group.Go(func() error { return h.web.Serve(ctx, h.pages) })
	group.Go(func() error { return serveHTTP(ctx, h.control().server(), h.controls) })
	group.Go(func() error { return runSchedule(ctx, h.jobs(), h.node, h.log) })
	group.Go(func() error { return systemd.Watchdog(ctx, h.probe) })
	if h.health != nil {
		group.Go(func() error { return serveHTTP(ctx, healthServer(h.status, h.probe), h.health) })
	}
	if h.adapter != nil {
		group.Go(func() error { return h.firstPass(ctx) })
	}
	h.log.Info("hub serves", "hub", h.node.Self().String(), "pages", h.pages.Addr().String(), "link", h.link.Addr().String(), "version", version)
	if _, err := systemd.Ready("le relais de " + h.config.Hub.Name); err != nil {
		h.log.Warn("service manager not told", "err", err)
	}
	return h.wait(ctx, group)
}

// wait returns the group's error, nil for an end that was asked for.
func (h *hub) wait(ctx context.Context, group *errgroup.Group) error {
	<-ctx.Done()
	if err := systemd.Stopping(); err != nil {
		h.log.Warn("service manager not told", "err", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- group.Wait() }()
	select {
	case err := <-ended:
		if err == nil || errors.Is(err, context.Canceled) {
			h.log.Info("hub stopped")
			return nil
		}
		return err
	case <-time.After(shutdownTimeout):
		return fmt.Errorf("not everything stopped within %v", shutdownTimeout)
	}
}

// gossip waits for a roster that lists this hub: until then nobody talks to it,
// and a pool that does not admit itself cannot be left.
func (h *hub) gossip(ctx context.Context) error {
	for !h.listed() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
	return h.pool.Run(ctx)
}

func (h *hub) listed() bool {
	r := h.node.Roster()
	if r == nil {
		return false
	}
	self, known := r.Hub(h.node.Self())
	return known && self.State == territory.HubActive
}

// close releases what openHub opened, whether or not it all was.
func (h *hub) close() error {
	var failures []error
	for _, l := range []net.Listener{h.pages, h.controls, h.health} {
		if l != nil {
			if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				failures = append(failures, err)
			}
		}
	}
	if h.controls != nil {
		failures = append(failures, os.Remove(filepath.Join(h.config.Hub.DataDir, controlName)))
	}
	if h.link != nil {
		failures = append(failures, h.link.Close())
	}
	if h.keys != nil {
		failures = append(failures, h.keys.Close()) // before the folder: the next process opens the device once it is free
	}
	if h.node != nil {
		failures = append(failures, h.node.Close())
	}
	return errors.Join(failures...)
}

// serveHTTP serves until ctx ends, then lets requests under way finish.
func serveHTTP(ctx context.Context, s *http.Server, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout/2)
		defer cancel()
		s.Shutdown(bounded)
	})
	defer stop()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return ctx.Err()
}
