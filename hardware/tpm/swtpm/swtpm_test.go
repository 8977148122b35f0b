package swtpm_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"relais/hardware/tpm/swtpm"
)

// getRandom asks for four random octets: TPM2_GetRandom.
const getRandom = "\x80\x01\x00\x00\x00\x0c\x00\x00\x01\x7b\x00\x04"

func answers(t *testing.T, p *swtpm.Process) bool {
	t.Helper()
	conn, err := net.Dial("unix", p.Socket())
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	conn.Write([]byte(getRandom))
	reply := make([]byte, 64)
	n, err := conn.Read(reply)
	return err == nil && n == 16
}

func TestStart(t *testing.T) {
	dir := t.TempDir()
	for _, end := range []func(*swtpm.Process){(*swtpm.Process).Stop, (*swtpm.Process).Kill} {
		p, err := swtpm.Start(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if !answers(t, p) {
			t.Error("a started TPM does not answer")
		}
		if want := "unix:" + p.Socket(); p.Device() != want {
			t.Errorf("Device() = %q, want %q", p.Device(), want)
		}
		if end(p); answers(t, p) {
			t.Error("an ended TPM still answers")
		}
	}
}

func TestStartInADeepFolder(t *testing.T) {
	deep := filepath.Join(t.TempDir(), strings.Repeat("profond/", 20))
	p, err := swtpm.Start(t.Context(), deep)
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(filepath.Dir(p.Socket()))
	defer p.Stop()
	if !answers(t, p) {
		t.Error("a TPM with a long path does not answer")
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p, err := swtpm.Start(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	p.Stop()
	if answers(t, p) {
		t.Error("the TPM outlived its context")
	}
}

func TestStartRefuses(t *testing.T) {
	t.Run("ErrMissing", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		_, err := swtpm.Start(t.Context(), t.TempDir())
		if !errors.Is(err, swtpm.ErrMissing) || !strings.Contains(err.Error(), "apt-get install swtpm") {
			t.Errorf("Start() = %v, want ErrMissing with the package to install", err)
		}
	})
	t.Run("ErrBadState", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "tpm2-00.permall"), []byte("not a TPM"), 0o600); err != nil {
			t.Fatal(err)
		}
		if p, err := swtpm.Start(t.Context(), dir); err == nil && answers(t, p) {
			t.Error("a TPM started on a state that is none")
			p.Stop()
		}
	})
}
