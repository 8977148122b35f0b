package systemd_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"relais/systemd"
)

// manager is the service manager's end of the notification socket.
func manager(t *testing.T) *net.UnixConn {
	t.Helper()
	address := &net.UnixAddr{Name: filepath.Join(t.TempDir(), "notify"), Net: "unixgram"}
	c, err := net.ListenUnixgram("unixgram", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	t.Setenv("NOTIFY_SOCKET", address.Name)
	return c
}

func heard(t *testing.T, c *net.UnixConn) string {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	b := make([]byte, 512)
	n, err := c.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func TestReady(t *testing.T) {
	c := manager(t)
	if ok, err := systemd.Ready("le relais de Valbrume"); !ok || err != nil {
		t.Fatalf("Ready: %v, %v", ok, err)
	}
	if got, want := heard(t, c), "READY=1\nSTATUS=le relais de Valbrume"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := systemd.Stopping(); err != nil {
		t.Fatal(err)
	}
	if got, want := heard(t, c), "STOPPING=1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestReadyNobodyThere(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if ok, err := systemd.Ready(""); ok || err != nil {
		t.Errorf("Ready without a service manager: %v, %v", ok, err)
	}
}

func TestWatchdog(t *testing.T) {
	c := manager(t)
	t.Setenv("WATCHDOG_USEC", strconv.Itoa(int((20 * time.Millisecond).Microseconds())))
	t.Setenv("WATCHDOG_PID", "")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- systemd.Watchdog(ctx, func(context.Context) error { return nil }) }()
	if got, want := heard(t, c), "WATCHDOG=1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestWatchdogNotAsked(t *testing.T) {
	t.Setenv("WATCHDOG_USEC", "")
	if err := systemd.Watchdog(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

// A sign of life stands for the probe: none without it.
func TestBeatFollowsTheProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		signs := 0
		var hung atomic.Bool
		probe := func(probing context.Context) error {
			if !hung.Load() {
				return nil
			}
			<-probing.Done() // as a hung disk would
			return errors.New("the store does not answer")
		}
		go systemd.Beat(ctx, time.Second, probe, func() error { signs++; return nil })
		time.Sleep(3500 * time.Millisecond)
		synctest.Wait()
		if signs != 3 {
			t.Errorf("healthy for 3.5 s: %d signs of life, want 3", signs)
		}
		hung.Store(true)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if signs != 3 {
			t.Errorf("hung: %d signs of life, want still 3", signs)
		}
		cancel()
		synctest.Wait()
	})
}
