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
	"relais/node/fault"
	"relais/systemd"
	"relais/webui"
)

// unlockRetry is how often a locked hub looks whether its keys open: a TPM may
// come late, and relais recover need not be followed by a restart.
const unlockRetry = 5 * time.Second

const lockedRemedy = "The data is intact and unreadable. Bring back what guarded the keys, or open the hub with relais recover and its recovery code or the département's key."

// serveLocked is a hub whose keys do not open: one page that says so, the status
// on the control socket, no traffic, no act. It returns nil once the keys open,
// and why they did not when it is told to end.
func serveLocked(ctx context.Context, c Config, log *slog.Logger, why error) error {
	log.Error("hub is locked", "err", why, "remedy", lockedRemedy)
	pages, controls, err := lockedDoors(ctx, c)
	if err != nil {
		return errors.Join(why, err)
	}
	defer os.Remove(filepath.Join(c.Hub.DataDir, controlName))
	started := time.Now()
	control := &control{log: log, locked: why, status: func(context.Context) (status, error) {
		slots, err := keyring.Slots(c.Hub.DataDir)
		return status{
			Version: version, Name: c.Hub.Name, Territory: c.Hub.Territory, Slots: slots,
			Locked: true, Reason: why.Error(), Pages: []string{}, StartedAt: started,
		}, err
	}}
	page := webui.Locked{Site: c.Hub.Name, Names: c.Web.hostNames(), Message: fault.Of(why).Message, Logger: log}
	group, ctx := errgroup.WithContext(ctx)
	ctx, unlock := context.WithCancelCause(ctx)
	defer unlock(nil)
	group.Go(func() error { return page.Serve(ctx, pages) })
	group.Go(func() error { return serveHTTP(ctx, control.server(), controls) })
	group.Go(func() error { return systemd.Watchdog(ctx, func(context.Context) error { return nil }) })
	group.Go(func() error { awaitKeys(ctx, c, unlock); return nil })
	log.Info("a page explains", "pages", pages.Addr().String())
	if _, err := systemd.Ready("le relais de " + c.Hub.Name + " est verrouillé"); err != nil {
		log.Warn("service manager not told", "err", err)
	}
	err = group.Wait()
	if errors.Is(context.Cause(ctx), errUnlocked) {
		log.Info("the keys open again")
		return nil
	}
	if err := systemd.Stopping(); err != nil {
		log.Warn("service manager not told", "err", err)
	}
	switch {
	case err == nil || errors.Is(err, context.Canceled):
		return why
	}
	return errors.Join(why, err)
}

var errUnlocked = errors.New("the keys open")

// awaitKeys tries the keys again and again until they open or ctx ends.
func awaitKeys(ctx context.Context, c Config, unlock context.CancelCauseFunc) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(unlockRetry):
		}
		if opens(ctx, c) {
			unlock(errUnlocked)
			return
		}
	}
}

// opens tells whether the keys open, and the folder with them.
func opens(ctx context.Context, c Config) bool {
	keys, n, err := openFolder(ctx, c, slog.New(slog.DiscardHandler))
	if err != nil {
		return false
	}
	return errors.Join(keys.Close(), n.Close()) == nil
}

// lockedDoors opens the pages' port and the control socket. The folder has no
// lock here, since nothing in it can be read: who answers on the socket has it.
func lockedDoors(ctx context.Context, c Config) (pages, controls net.Listener, err error) {
	var other status
	if err := askHub(ctx, c.Hub.DataDir, http.MethodGet, "/status", nil, &other); !unreachable(err) {
		return nil, nil, fmt.Errorf("another relais serve runs on %s", c.Hub.DataDir)
	}
	if pages, err = listenPages(c.Web.Listen); err != nil {
		return nil, nil, fmt.Errorf("web: %w", err)
	}
	if controls, err = listenControl(c.Hub.DataDir); err != nil {
		return nil, nil, errors.Join(err, pages.Close())
	}
	return pages, controls, nil
}

// unfinished is a recovery that was interrupted between the keyring and the
// folder.
func unfinished(cause error) error {
	return fault.New(fault.Locked,
		"Le relais est verrouillé\u00a0: sa remise en service a été interrompue. Les données sont intactes. Prévenez le service informatique\u00a0: il reste à la reprendre.",
		fmt.Errorf("%w: a recovery was interrupted, run relais recover again", cause))
}
