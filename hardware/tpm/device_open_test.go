package tpm_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"relais/hardware/tpm"
)

func TestNewRefuses(t *testing.T) {
	t.Run("ErrRawDevice", func(t *testing.T) {
		if _, err := tpm.New("/dev/tpm0"); !errors.Is(err, tpm.ErrRawDevice) || !strings.Contains(err.Error(), tpm.DefaultDevice) {
			t.Errorf("New = %v, want ErrRawDevice and the device to use", err)
		}
	})
	for _, name := range []string{"tpmrm0", "unix:", "unix:tpm.sock", "tcp:127.0.0.1:2321"} {
		t.Run("ErrName "+name, func(t *testing.T) {
			if _, err := tpm.New(name); err == nil {
				t.Error("it was taken")
			}
		})
	}
	for _, name := range []string{"", "/dev/tpmrm0", "/dev/tpmrm1", "unix:/run/tpm.sock"} {
		if _, err := tpm.New(name); err != nil {
			t.Errorf("New(%q): %v", name, err)
		}
	}
}

func TestOpenFailures(t *testing.T) {
	t.Run("ErrNoDevice", func(t *testing.T) {
		mustFail(t, "/dev/tpmrm99", tpm.ErrNoDevice)
		mustFail(t, "unix:"+filepath.Join(shortDir(t), "none.sock"), tpm.ErrNoDevice)
	})
	t.Run("ErrNobodyListens", func(t *testing.T) {
		process, _ := start(t)
		process.Kill()
		if _, err := open(t, process.Device()).Wrap(kek); err == nil || !strings.Contains(err.Error(), "does not answer") {
			t.Errorf("Wrap = %v, want that it does not answer", err)
		}
	})
	t.Run("Present", func(t *testing.T) {
		process, _ := start(t)
		for name, want := range map[string]bool{
			process.Device(): true, "/dev/null": true, "/dev/tpmrm99": false, "unix:/nowhere/tpm.sock": false,
		} {
			if got := tpm.Present(name); got != want {
				t.Errorf("Present(%q) = %v, want %v", name, got, want)
			}
		}
	})
}

func mustFail(t *testing.T, device string, want error) {
	t.Helper()
	if _, err := open(t, device).Wrap(kek); !errors.Is(err, want) {
		t.Errorf("%s: Wrap = %v, want %v", device, err, want)
	}
}
