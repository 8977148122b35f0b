// Package systemd tells the service manager how the hub is: ready, stopping,
// and alive; and takes the socket it keeps. Without a service
// manager every call does nothing. The units themselves are in this folder.
//
// The trap is the watchdog: a bare ticker proves only that the Go scheduler
// runs. Watchdog therefore asks a probe, which should go through what the hub
// cannot work without, before each sign of life; a hub that hangs is restarted,
// and its goroutines are in the journal of the system.
package systemd

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
)

// passed are the sockets of the service manager. The variables that name them are
// taken from the environment, so that no child believes they are its own.
var passed = sync.OnceValue(func() []*os.File { return activation.Files(true) })

// Socket returns the one socket that the service manager listens on for this
// process (LISTEN_FDS), or nil when it passed none. Several are an error: what is
// not asked for is not served. It may be asked again once the listener is closed,
// as a hub that was locked does.
func Socket() (net.Listener, error) {
	files := passed()
	if len(files) == 0 {
		return nil, nil
	}
	if len(files) > 1 {
		return nil, fmt.Errorf("the service manager passed %d sockets, not one", len(files))
	}
	l, err := net.FileListener(files[0]) // on a descriptor of its own
	if err != nil {
		return nil, fmt.Errorf("the socket of the service manager: %w", err)
	}
	return l, nil
}

// Ready says that the hub serves, with one line for `systemctl status`. It
// reports whether a service manager was there to hear it.
func Ready(status string) (heard bool, err error) {
	return daemon.SdNotify(false, daemon.SdNotifyReady+"\nSTATUS="+status)
}

// Stopping says that the hub ends on purpose.
func Stopping() error {
	_, err := daemon.SdNotify(false, daemon.SdNotifyStopping)
	return err
}

// Watchdog gives a sign of life at half the interval the service manager asks
// for, each time that probe succeeds within it, until ctx ends. A probe that
// fails or hangs is left to the service manager, which restarts the hub. It
// returns at once where no watchdog is asked for.
func Watchdog(ctx context.Context, probe func(context.Context) error) error {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return fmt.Errorf("watchdog: %w", err)
	}
	if interval == 0 {
		return nil
	}
	return beat(ctx, interval/2, probe, func() error {
		_, err := daemon.SdNotify(false, daemon.SdNotifyWatchdog)
		return err
	})
}

// beat calls sign every period as long as probe succeeds within it.
func beat(ctx context.Context, period time.Duration, probe func(context.Context) error, sign func() error) error {
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		probing, cancel := context.WithTimeout(ctx, period)
		err := probe(probing)
		cancel()
		if err != nil {
			continue
		}
		if err := sign(); err != nil {
			return fmt.Errorf("watchdog: %w", err)
		}
	}
}
