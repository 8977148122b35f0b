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
	log.Error("hub is locked", "reason", keyring.Why(why).Key, "err", why, "remedy", lockedRemedy)
	pages, controls, err := lockedDoors(ctx, c)
	if err != nil {
		return errors.Join(why, err)
	}
	defer os.Remove(filepath.Join(c.Hub.DataDir, controlName))
	started := time.Now()
	tell := func(context.Context) (status, error) { return lockedStatus(c, why, started), nil }
	control := &control{log: log, locked: why, status: tell, doctor: func(context.Context) (examination, error) {
		return lockedExamination(c), nil
	}}
	page := webui.Locked{Site: c.Hub.Name, Names: c.Web.hostNames(), Message: fault.Of(why).Message, Logger: log}
	health := listenHealth(c.Health, log)
	group, ctx := errgroup.WithContext(ctx)
	ctx, unlock := context.WithCancelCause(ctx)
	defer unlock(nil)
	group.Go(func() error { return page.Serve(ctx, pages) })
	group.Go(func() error { return serveHTTP(ctx, control.server(), controls) })
	group.Go(func() error { return systemd.Watchdog(ctx, func(context.Context) error { return nil }) })
	if health != nil {
		group.Go(func() error {
			return serveHTTP(ctx, healthServer(tell, func(context.Context) error { return why }), health)
		})
	}
	group.Go(func() error { awaitKeys(ctx, c, why, unlock); return nil })
	log.Info("a page explains", "pages", pages.Addr().String())
	if _, err := systemd.Ready("le relais de " + c.Hub.Name + " est verrouillé"); err != nil {
		log.Warn("service manager not told", "err", err)
	}
	err = group.Wait()
	if errors.Is(context.Cause(ctx), errUnlocked) {
		log.Info("the keys open again")
		return nil
	}
	if errors.Is(context.Cause(ctx), errOtherwise) {
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

// Why serveLocked ends by itself.
var (
	errUnlocked  = errors.New("the keys open")
	errOtherwise = errors.New("the hub is locked for another reason")
)

// awaitKeys tries the keys again and again until they open, or do not open for
// another reason, which the page must say; or until ctx ends.
func awaitKeys(ctx context.Context, c Config, why error, end context.CancelCauseFunc) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(unlockRetry):
		}
		err := opens(ctx, c)
		switch {
		case err == nil:
			end(errUnlocked)
			return
		case fault.Is(err, fault.Locked) && keyring.Why(err) != keyring.Why(why):
			end(errOtherwise)
			return
		}
	}
}

// opens tells whether the keys open, and the folder with them.
func opens(ctx context.Context, c Config) error {
	keys, n, err := openFolder(ctx, c, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return errors.Join(keys.Close(), n.Close())
}

// lockedStatus is all that can be said of a hub whose keys do not open.
func lockedStatus(c Config, why error, started time.Time) status {
	r := keyring.Why(why)
	s := status{
		Version: version, Name: c.Hub.Name, Territory: c.Hub.Territory, Slots: []keyring.Kind{},
		Locked: true, Reason: why.Error(), Why: &told{r.Key, r.Message, r.Remedy}, Pages: []string{}, StartedAt: started,
	}
	if d, err := keyring.Describe(c.Hub.DataDir); err == nil { // else the reason says it
		s.Slots, s.Assurance = d.Slots, d.Provider.Assurance()
	}
	return s
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

// errUnfinished is a recovery that was interrupted between the keyring and the
// folder.
var errUnfinished = &keyring.Reason{
	Key: "recovery-interrupted", Text: "a recovery was interrupted, run relais recover again",
	Message: "La remise en service de ce relais a été interrompue avant la fin.",
	Remedy:  "Relancez relais recover pour la reprendre là où elle s’est arrêtée\u00a0: rien n’est demandé.",
}

// errPutBack is a database from before a recovery, put back beside the keyring.
var errPutBack = &keyring.Reason{
	Key: "database-older", Text: "relais.db is from before a recovery: restore a later backup, or run relais recover",
	Message: "La base de données de ce relais date d’avant sa remise en service.",
	Remedy:  "Restaurez une sauvegarde plus récente s’il y en a une. Sinon lancez relais recover : le relais demandera sa place sous une nouvelle identité.",
}

// otherIdentity says why the keyring's identity is not the folder's.
func otherIdentity(cause error, used bool) error {
	reason := errUnfinished
	if used {
		reason = errPutBack
	}
	return keyring.Locked(fmt.Errorf("%w: %w", cause, reason))
}
