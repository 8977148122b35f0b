package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// readmeBlocks are what the README has people type under Install: a territory and
// its first hub, then every other hub.
func readmeBlocks(t *testing.T) (first, others, service []string) {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(readme), "\n## Install\n")
	text, _, _ = strings.Cut(text, "\n## ")
	var blocks [][]string
	for _, part := range strings.Split(text, "```sh\n")[1:] {
		steps, _, _ := strings.Cut(part, "```")
		blocks = append(blocks, strings.Split(strings.TrimSpace(steps), "\n"))
	}
	if len(blocks) != 3 || len(blocks[1]) != 3 {
		t.Fatalf("the blocks under Install: %q", blocks)
	}
	return blocks[0], blocks[1], blocks[2]
}

// A readmeHub is a machine on which the README is typed. Its folders are in its
// own, its ports any, and its build is done.
type readmeHub struct{ dir, name, address string }

func newReadmeHub(t *testing.T, dir, name string) *readmeHub {
	t.Helper()
	h := &readmeHub{filepath.Join(dir, name), name, freeAddress()}
	for _, sub := range []string{"packaging", "etc"} {
		if err := os.MkdirAll(filepath.Join(h.dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../bin", filepath.Join(h.dir, "bin")); err != nil {
		t.Fatal(err)
	}
	shipped, err := os.ReadFile("../../packaging/relais.toml")
	if err != nil {
		t.Fatal(err)
	}
	set := strings.NewReplacer("Valbrume", name, "/var/lib/relais", h.dir+"/var", `":443"`, `"127.0.0.1:0"`, `":7443"`, `"`+h.address+`"`,
		`"relais.valbrume.example:7443"`, `"`+h.address+`"`, "valbrume", strings.ToLower(name), "127.0.0.1:9464", "127.0.0.1:0", `"auto"`, `"software"`).Replace(string(shipped))
	for file, content := range map[string]string{"PHRASE": "une phrase d’essai assez longue\n", "packaging/relais.toml": set} {
		if err := os.WriteFile(filepath.Join(h.dir, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// command is a line of the README on this machine.
func (h *readmeHub) command(ctx context.Context, line string) *exec.Cmd {
	line = strings.NewReplacer("/var/lib/relais", h.dir+"/var", "/etc/relais/relais.toml", "etc/relais.toml").Replace(line)
	cmd := exec.CommandContext(ctx, "sh", "-euc", line)
	cmd.Dir = h.dir
	return cmd
}

func (h *readmeHub) types(t *testing.T, line string) string {
	t.Helper()
	out, err := h.command(t.Context(), line).Output()
	if err != nil {
		t.Fatalf("%s: %s: %v\n%s%s", h.name, line, err, out, stderrOf(err))
	}
	return string(out)
}

func stderrOf(err error) []byte {
	if exit, ok := err.(*exec.ExitError); ok {
		return exit.Stderr
	}
	return nil
}

// starts types what goes on, and waits until it has written what it should.
func (h *readmeHub) starts(t *testing.T, line, written string) (match []string, wait func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	out := &shared{}
	cmd := h.command(ctx, "exec "+line)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wait = sync.OnceValue(func() error { defer cancel(); return cmd.Wait() })
	t.Cleanup(func() {
		cancel()
		wait()
	})
	for deadline := time.Now().Add(30 * time.Second); match == nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: %s does not say %s:\n%s", h.name, line, written, out)
		}
		match = regexp.MustCompile(written).FindStringSubmatch(out.String())
	}
	return match, wait
}

// shared is what a command that goes on has written so far.
type shared struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (s *shared) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(b)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// TestReadmeInstall types what the README says under Install, line by line: a
// territory and its first hub, another hub that joins, a helper at each.
func TestReadmeInstall(t *testing.T) {
	t.Parallel()
	first, others, _ := readmeBlocks(t)
	dir := t.TempDir()
	build := exec.Command("go", "build", "-buildvcs=false", "-ldflags", "-X main.defaultConfig=etc/relais.toml", "-o", filepath.Join(dir, "bin")+"/", "./cmd/relais")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	here, there := newReadmeHub(t, dir, "Valbrume"), newReadmeHub(t, dir, "Port-Exemple")
	var configure, helper, serve string
	for _, line := range first {
		switch {
		case line == "make build" || line == "" || strings.HasPrefix(line, "#"):
			continue
		case strings.HasPrefix(line, "install "):
			configure = line
		case strings.Contains(line, " helper add "):
			helper = line
		case strings.HasSuffix(line, "relais serve"):
			serve = line
			here.starts(t, line, "hub serves")
			continue
		}
		here.types(t, line)
	}
	if configure == "" || helper == "" || serve == "" {
		t.Fatalf("something is missing in %q", first)
	}

	there.types(t, configure)
	invite, join, approve := others[0], others[1], others[2]
	code := strings.TrimSpace(here.types(t, invite))
	read, joined := there.starts(t, strings.Replace(join, "CODE", code, 1), `fingerprint +(.{19})\n`)
	if said := here.types(t, strings.Replace(approve, "XXXX XXXX XXXX XXXX", read[1], 1)); !strings.Contains(said, "it serves Maison de services") {
		t.Errorf("approve says %s", said)
	}
	if err := joined(); err != nil {
		t.Fatal(err)
	}
	there.types(t, helper)
	there.starts(t, serve, "hub serves")
}

// TestReadmeService types what the README says of running as a service, in a root of
// its own: programs, users, units and the folder are where the units look for them.
// What asks the system's own manager is left out; it names units that there are.
func TestReadmeService(t *testing.T) {
	t.Parallel()
	_, _, service := readmeBlocks(t)
	root := t.TempDir()
	for _, file := range []string{"usr/bin/x", "etc/systemd/system/x", "bin/relais"} {
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(file)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "bin/relais"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	elsewhere := strings.NewReplacer(" bin/", " "+root+"/bin/", " /usr/", " "+root+"/usr/", " /etc/", " "+root+"/etc/", " /var/", " "+root+"/var/",
		"systemd-sysusers", "systemd-sysusers --root="+root, "-o relais -g relais ", "")
	for _, line := range service {
		line, _, _ = strings.Cut(line, "  #")
		if strings.HasPrefix(line, "systemctl ") || strings.HasPrefix(line, "runuser -u relais ") {
			continue
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-euc", elsewhere.Replace(line))
		cmd.Dir = "../.."
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
	}
	for _, file := range []string{"usr/bin/relais", "etc/systemd/system/relais.service", "etc/systemd/system/relais-seal.socket", "var/lib/relais"} {
		if _, err := os.Stat(filepath.Join(root, file)); err != nil {
			t.Error(err)
		}
	}
	if users, err := os.ReadFile(filepath.Join(root, "etc/passwd")); err != nil || !strings.Contains(string(users), "relais:") || !strings.Contains(string(users), "relais-seal:") {
		t.Errorf("%v in\n%s", err, users)
	}
}
