package agent_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"relais/hardware/agent"
	"relais/hardware/keyring/recoverywork"
	"relais/hardware/soft"
	"relais/hardware/tpm"
)

const (
	nobody = 65534
	// callEnv makes this test binary a client of the socket it names.
	callEnv = "RELAIS_TEST_CALL"
)

func TestMain(m *testing.M) {
	recoverywork.MemoryKiB = recoverywork.LightKiB
	if path := os.Getenv(callEnv); path != "" {
		call(path)
		return
	}
	os.Exit(m.Run())
}

// call is a client in a process of its own: it says what came of wrapping.
func call(path string) {
	c, err := agent.Dial(path, tpm.Reasons())
	if err == nil {
		_, err = c.Wrap(kek)
	}
	switch {
	case errors.Is(err, agent.ErrRefused):
		fmt.Println("refused:", err)
	case err != nil:
		fmt.Println("failed:", err)
	default:
		fmt.Println("served")
	}
}

// callAs runs a client as another user.
func callAs(t *testing.T, uid uint32, path string) string {
	t.Helper()
	binary := filepath.Join(shortDir(t), "client") // where go test keeps its own, others may not look
	if err := os.Chmod(filepath.Dir(binary), 0o755); err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(binary, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), callEnv+"="+path, "GORACE=atexit_sleep_ms=0") // it waits for no report
	if uid != uint32(os.Geteuid()) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// Who calls is what the kernel says. The socket is open to all here, so that the
// caller's user alone decides.
func TestCaller(t *testing.T) {
	if os.Geteuid() != 0 {
		refusedAsMyself(t) // only root can be somebody else
		return
	}
	open := func(users ...uint32) string {
		a := serve(t, soft.New(t.TempDir()), users...)
		if err := errors.Join(os.Chmod(filepath.Dir(a.path), 0o755), os.Chmod(a.path, 0o666)); err != nil {
			t.Fatal(err)
		}
		return a.path
	}
	t.Run("ErrRefused another", func(t *testing.T) {
		if said := callAs(t, nobody, open()); !strings.HasPrefix(said, "refused:") || !strings.Contains(said, "you are user 65534") {
			t.Errorf("another user: %s", said)
		}
	})
	t.Run("configured", func(t *testing.T) {
		if said := callAs(t, nobody, open(nobody)); said != "served\n" {
			t.Errorf("the configured user: %s", said)
		}
	})
	t.Run("ourselves", func(t *testing.T) {
		if said := callAs(t, 0, open()); said != "served\n" {
			t.Errorf("ourselves: %s", said)
		}
	})
	t.Run("ErrRefused by mode", func(t *testing.T) {
		path := open(nobody)
		if err := os.Chmod(path, 0o660); err != nil {
			t.Fatal(err)
		}
		if said := callAs(t, nobody, path); !strings.HasPrefix(said, "refused:") {
			t.Errorf("a socket of others: %s", said)
		}
	})
}

// refusedAsMyself checks that a user who is not configured is refused, though he
// started the agent.
func refusedAsMyself(t *testing.T) {
	path := filepath.Join(shortDir(t), "seal.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- agent.NewServer(soft.New(t.TempDir()), tpm.Reasons(), nil, slog.New(slog.DiscardHandler)).Serve(ctx, l)
	}()
	if _, err := agent.Dial(path, tpm.Reasons()); !errors.Is(err, agent.ErrRefused) {
		t.Errorf("Dial = %v, want ErrRefused", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
