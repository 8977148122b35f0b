package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"relais/hardware/tpm/swtpm"
	"relais/node/territory"
)

// An agentHub is a hub whose TPM another process holds: both as lightPrograms has them.
type agentHub struct {
	*stageHub
	stage  *stage
	tpm    *swtpm.Process
	socket string
	agent  *child
}

// newAgentHub makes a hub through a running agent, and serves it. The hub's own
// configuration names a device that does not exist.
func newAgentHub(t *testing.T) *agentHub {
	t.Helper()
	folder, err := os.MkdirTemp("", "sealed") // a socket's address is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	process, err := swtpm.Start(t.Context(), filepath.Join(folder, "tpm"))
	if err != nil {
		t.Fatal(err)
	}
	h := &agentHub{
		stageHub: &stageHub{name: "Valbrume", folder: folder}, stage: &stage{programs: lightPrograms(t)},
		tpm: process, socket: filepath.Join(folder, "seal.sock"),
	}
	t.Cleanup(h.end)
	h.configure(t)
	h.startAgent(t)
	out, err := capture(t.Context(), h.stage.programs.relais, "init", "--solo", "--config", h.configFile())
	if err != nil {
		t.Fatal(err)
	}
	h.readAccount(t, string(out))
	if err := h.stage.startHub(h.stageHub); err != nil {
		t.Fatal(err)
	}
	if err := h.ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *agentHub) agentConfig() string { return filepath.Join(h.folder, "agent.toml") }

// configure writes both configurations: they differ by the device alone.
func (h *agentHub) configure(t *testing.T) {
	t.Helper()
	h.config = Config{
		Hub:      HubConfig{Name: h.name, Territory: stageTerritory, DataDir: filepath.Join(h.folder, "data")},
		Web:      WebConfig{Listen: freeAddress(), Names: []string{"valbrume.localhost"}, KioskName: "borne.localhost"},
		Link:     LinkConfig{Listen: freeAddress()},
		Keys:     KeysConfig{Provider: "tpm", Device: "unix:/nowhere/tpm.sock", Agent: h.socket},
		National: NationalConfig{Adapter: "none"},
	}
	h.config.Link.Advertise = []string{h.config.Link.Listen}
	agents := h.config
	agents.Keys.Device = h.tpm.Device()
	for name, c := range map[string]Config{h.configFile(): h.config, h.agentConfig(): agents} {
		text := strings.Replace(c.text(), "\ndevice = ", fmt.Sprintf("\nagent = %q\ndevice = ", h.socket), 1)
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func (h *agentHub) startAgent(t *testing.T) {
	t.Helper()
	var err error
	h.agent, err = startChild("seal-agent", filepath.Join(h.folder, "agent.log"), h.stage.programs.relais, "seal-agent", "--config", h.agentConfig())
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(readyTimeout); ; time.Sleep(5 * time.Millisecond) {
		c, err := net.Dial("unix", h.socket)
		if err == nil {
			c.Close()
			return
		}
		if gone, how := h.agent.ended(); gone || time.Now().After(deadline) {
			t.Fatalf("the agent does not serve: %v, %v\n%s", err, how, tail(h.agent.log.Name(), 2000))
		}
	}
}

// readAccount reads what init --solo printed.
func (h *agentHub) readAccount(t *testing.T, out string) {
	t.Helper()
	for line := range strings.SplitSeq(out, "\n") {
		key, value, _ := strings.Cut(line, " ")
		switch value = strings.TrimSpace(value); key {
		case "login":
			h.account.Login = value
		case "passphrase":
			h.account.Passphrase = value
		case "code":
			h.account.TOTP = value
		}
	}
	var err error
	if h.codes, err = newAuthenticator(h.account.TOTP); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func (h *agentHub) end() {
	h.tpm.Resume()
	for _, c := range append(h.stage.children, h.agent) {
		if c != nil {
			c.stop()
		}
	}
	h.tpm.Stop()
}

// waiting is how many records are not signed.
func (h *agentHub) waiting(t *testing.T) int {
	t.Helper()
	s, err := h.status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.Waiting
}

func (h *agentHub) untilSigned(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(45 * time.Second); h.waiting(t) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d records wait\n%s", h.waiting(t), tail(h.log(), 2000))
		}
	}
}

// pages asks for the kiosk's page a hundred times and returns the p99.
func (h *agentHub) pages(t *testing.T) time.Duration {
	t.Helper()
	var took []time.Duration
	for range 100 {
		begun := time.Now()
		if _, err := h.stopForm(t.Context()); err != nil {
			t.Fatal(err)
		}
		took = append(took, time.Since(begun))
	}
	return percentile99(took)
}

// The allowances of stopAndWait. What waits for a TPM that hangs waits for tens of
// seconds: the device's time-out is 30 s, the agent's 40 s.
const (
	receiptPatience = 2 * time.Second // it is written to the disk, on a machine that may be busy
	mostRounds      = 20              // of a hundred pages, until one is as fast as usual
)

// stopAndWait takes away what signs, and has a person stop her mandate: she holds her
// receipt at once, the pages are as fast as they usually are, and the record waits
// until what signs is back.
func (h *agentHub) stopAndWait(t *testing.T, what, code string, away, back func()) {
	t.Helper()
	usual := h.pages(t)
	away()
	begun := time.Now()
	if _, err := h.stopAtKiosk(t.Context(), code); err != nil {
		t.Fatal(err)
	}
	receipt, pages := time.Since(begun), h.pages(t)
	for round := 1; !unmoved(pages, usual) && round < mostRounds; round++ {
		pages = h.pages(t)
	}
	if n := h.waiting(t); n == 0 {
		t.Errorf("%s: nothing waits for its signature", what)
	}
	back()
	h.untilSigned(t)
	if !unmoved(pages, usual) {
		usual = h.pages(t) // the machine itself may have become busy
	}
	t.Logf("%s: receipt after %v, page p99 %v, %v usually", what, receipt, pages, usual)
	if receipt > receiptPatience || !unmoved(pages, usual) {
		t.Errorf("%s: receipt after %v, page p99 %v, %v usually", what, receipt, pages, usual)
	}
}

// TestSealAgent runs a hub and its agent as two processes, and takes the TPM,
// then the agent, away from them.
func TestSealAgent(t *testing.T) {
	t.Parallel()
	h := newAgentHub(t)
	ctx := t.Context()
	if s, err := h.status(ctx); err != nil || s.Assurance != territory.AssuranceTPM {
		t.Fatalf("assurance %q, %v", s.Assurance, err)
	}
	if err := h.signIn(ctx); err != nil {
		t.Fatal(err)
	}
	var codes []string
	for range 2 {
		_, code, err := h.create(ctx, oneLine)
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, code)
	}
	h.untilSigned(t)
	h.stopAndWait(t, "a TPM that hangs", codes[0], h.tpm.Hang, h.tpm.Resume)
	h.stopAndWait(t, "an agent that was killed", codes[1], func() {
		h.agent.cmd.Process.Kill()
		<-h.agent.done
	}, func() { h.startAgent(t) })

	s, err := h.status(ctx)
	if err != nil || s.Stops != len(codes) || s.Waiting != 0 {
		t.Errorf("%d stops, %d waiting, %v; want %d and none lost", s.Stops, s.Waiting, err, len(codes))
	}
	if out, err := capture(ctx, h.stage.programs.relais, "verify", "--config", h.configFile()); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	h.seesTheDoor(t)
	for _, c := range []*child{h.process, h.agent} {
		if err := c.stop(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// A hub without its agent is locked, and says what to start.
	if err := h.stage.startHub(h.stageHub); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(readyTimeout); ; time.Sleep(20 * time.Millisecond) {
		_, err = capture(ctx, h.stage.programs.relais, "status", "--config", h.configFile())
		if statusOf(err) == exitLocked {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("without an agent: %v, exit status %d", err, statusOf(err))
		}
	}
	if !strings.Contains(err.Error(), "relais-seal.socket") {
		t.Errorf("without an agent it says %v", err)
	}
	var ended *exec.ExitError
	if err := h.process.stop(); !errors.As(err, &ended) || ended.ExitCode() != exitLocked {
		t.Errorf("told to end, it ended with %v", err)
	}
}

// seesTheDoor looks at the running agent from outside.
func (h *agentHub) seesTheDoor(t *testing.T) {
	t.Helper()
	info, err := os.Stat(h.socket)
	if err != nil || info.Mode().Perm() != agentSocketMode {
		t.Errorf("the socket's mode: %v, %v", info.Mode(), err)
	}
	_, err = capture(t.Context(), h.stage.programs.relais, "seal-agent", "--config", h.agentConfig())
	if statusOf(err) != exitFailed || !strings.Contains(err.Error(), "another seal agent serves") {
		t.Errorf("a second agent: %v", err)
	}
}

// passed runs a verb with a socket, as the service manager does.
func passed(t *testing.T, l interface{ File() (*os.File, error) }, program string, args ...string) *exec.Cmd {
	t.Helper()
	f, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	cmd := exec.Command("sh", append([]string{"-c", `LISTEN_PID=$$ exec "$0" "$@"`, program}, args...)...)
	cmd.Env = append(os.Environ(), "LISTEN_FDS=1")
	cmd.ExtraFiles = []*os.File{f}
	return cmd
}

// The service manager's socket is served when it is a file, and no other.
func TestSocketActivation(t *testing.T) {
	t.Parallel()
	h := newAgentHub(t)
	if err := h.process.stop(); err != nil {
		t.Fatal(err)
	}
	port, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	relais := h.stage.programs.relais

	t.Run("ErrNetwork", func(t *testing.T) {
		out, err := passed(t, port, relais, "seal-agent", "--config", h.agentConfig()).CombinedOutput()
		if e, ok := err.(*exec.ExitError); !ok || e.ExitCode() != exitUsage || !strings.Contains(string(out), "serves no network") {
			t.Errorf("an agent on a port: %v\n%s", err, out)
		}
	})
	t.Run("ErrOtherPort", func(t *testing.T) {
		out, err := passed(t, port, relais, "serve", "--config", h.configFile()).CombinedOutput()
		if e, ok := err.(*exec.ExitError); !ok || e.ExitCode() != exitFailed || !strings.Contains(string(out), "web.listen says") {
			t.Errorf("a hub on another port: %v\n%s", err, out)
		}
	})
	t.Run("hub", func(t *testing.T) {
		address, err := net.ResolveTCPAddr("tcp", h.config.Web.Listen)
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.ListenTCP("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		cmd := passed(t, l, relais, "serve", "--config", h.configFile())
		l.Close() // the one that was passed goes on listening
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() {
			cmd.Process.Signal(syscall.SIGTERM)
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		}()
		for deadline := time.Now().Add(readyTimeout); ; time.Sleep(20 * time.Millisecond) {
			if _, err := h.status(t.Context()); err == nil {
				break
			} else if time.Now().After(deadline) {
				t.Fatal(err)
			}
		}
		if p, err := h.desk.get(t.Context(), "/connexion"); err != nil || p.status != http.StatusOK {
			t.Errorf("the pages: %v", err)
		}
	})
	t.Run("agent", func(t *testing.T) {
		if err := h.agent.stop(); err != nil {
			t.Fatal(err)
		}
		other := filepath.Join(h.folder, "other.sock")
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: other, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		l.SetUnlinkOnClose(false)
		cmd := passed(t, l, relais, "seal-agent", "--config", h.agentConfig())
		l.Close()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		p, err := dialAgent(other)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.NewIdentity(); err != nil {
			t.Error(err)
		}
		p.Close()
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
}
