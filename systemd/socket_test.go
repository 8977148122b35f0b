package systemd_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"relais/systemd"
)

// socketEnv makes this test binary a service that says what it was passed.
const socketEnv = "RELAIS_TEST_SOCKET"

func TestMain(m *testing.M) {
	if os.Getenv(socketEnv) != "" {
		l, err := systemd.Socket()
		switch {
		case err != nil:
			fmt.Println("error:", err)
		case l == nil:
			fmt.Println("none")
		default:
			l.Close()
			if again, err := systemd.Socket(); err != nil || again == nil {
				fmt.Println("not there a second time:", err)
			}
			fmt.Println(l.Addr().Network(), l.Addr(), "left:", os.Getenv("LISTEN_FDS"))
		}
		return
	}
	os.Exit(m.Run())
}

// pass starts a service as the service manager does, with sockets.
func pass(t *testing.T, listeners ...interface{ File() (*os.File, error) }) string {
	t.Helper()
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0"`, os.Args[0])
	cmd.Env = append(os.Environ(), socketEnv+"=1", fmt.Sprintf("LISTEN_FDS=%d", len(listeners)))
	for _, l := range listeners {
		f, err := l.File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	file, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	port, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	if got, want := pass(t, file), "unix "+path+" left:"; got != want {
		t.Errorf("a unix socket: %q, want %q", got, want)
	}
	if got, want := pass(t, port), "tcp "+port.Addr().String()+" left:"; got != want {
		t.Errorf("a port: %q, want %q", got, want)
	}
	if got := pass(t); got != "none" {
		t.Errorf("nothing passed: %q", got)
	}
	if got := pass(t, file, port); got != "error: the service manager passed 2 sockets, not one" {
		t.Errorf("two: %q", got)
	}
}
