package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// namespaces has TestNamespaces run: it needs what root may do, and a line that falls
// silent takes most of a minute to be noticed.
var namespaces = flag.Bool("namespaces", false, "run hubs in network namespaces; make soak does")

// inNamespaces tells this test's own process that it is in a network of its own.
const inNamespaces = "RELAIS_TEST_NAMESPACES"

// TestNamespaces runs four hubs as they ship, each in a network namespace of its own
// on one line: two that can be called, and two that can only call, as behind a box.
// A mandate of one is stopped at another's kiosk and refused where it was made:
// between the two that can be called, between the two that cannot, and between these
// once the hub that they met through is gone.
func TestNamespaces(t *testing.T) {
	if os.Getenv(inNamespaces) == "" {
		if !*namespaces {
			return
		}
		programs := buildPrograms(t)
		again := exec.CommandContext(t.Context(), "unshare", "--map-root-user", "--net", "--mount",
			os.Args[0], "-test.run", "^TestNamespaces$", "-test.v", "-test.timeout", "4m")
		again.Env = append(os.Environ(), inNamespaces+"="+programs.relais)
		out, err := again.CombinedOutput()
		if err != nil {
			t.Error(err)
		}
		t.Logf("%s", out)
		return
	}
	s := newLine(t)
	ctx := t.Context()
	s.mustSpread(t, ctx, "direct", s.hubs[0], s.hubs[1])
	s.mustSpread(t, ctx, "through another", s.hubs[2], s.hubs[3])
	s.must(t, "ip", "link", "set", s.hubs[0].device(), "down")
	s.mustSpread(t, ctx, "through the other", s.hubs[2], s.hubs[3])
}

// line is a territory on one line, each hub in its namespace.
type line struct {
	*stage
	hubs []*stageHub
}

// device is the hub's end of the line, seen from the test's namespace.
func (h *stageHub) device() string { return "v-" + filepath.Base(h.folder) }

func newLine(t *testing.T) *line {
	t.Helper()
	dir := t.TempDir()
	s := &line{stage: &stage{
		dir: dir, root: territoryFolder(filepath.Join(dir, "territoire")),
		programs: programs{relais: os.Getenv(inNamespaces)},
	}}
	for _, args := range [][]string{
		{"mount", "-t", "tmpfs", "tmpfs", "/run"},
		{"ip", "link", "set", "lo", "up"},
		{"ip", "link", "add", "line", "type", "bridge"},
		{"ip", "address", "add", "10.77.0.254/24", "dev", "line"},
		{"ip", "link", "set", "line", "up"},
	} {
		s.must(t, args...)
	}
	for i, name := range []string{"Valbrume", "Port-Exemple", "Le Hameau", "Le Moulin"} {
		s.hubs = append(s.hubs, s.place(t, i+1, name))
	}
	s.valbrume = s.hubs[0]
	s.found(t)
	t.Cleanup(func() {
		for _, c := range s.children {
			c.stop()
		}
	})
	return s
}

// must runs a program to its end.
func (s *line) must(t *testing.T, args ...string) []byte {
	t.Helper()
	out, err := capture(t.Context(), args[0], args[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// place gives a hub its namespace, and its configuration: the last two have no
// address, and listen where nobody else is.
func (s *line) place(t *testing.T, n int, name string) *stageHub {
	t.Helper()
	space := fmt.Sprintf("hub%d", n)
	h := &stageHub{name: name, folder: filepath.Join(s.dir, space), provider: "software"}
	if err := os.MkdirAll(h.folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"ip", "netns", "add", space},
		{"ip", "link", "add", h.device(), "type", "veth", "peer", "name", "eth0", "netns", space},
		{"ip", "link", "set", h.device(), "master", "line", "up"},
		{"ip", "-n", space, "address", "add", fmt.Sprintf("10.77.0.%d/24", n), "dev", "eth0"},
		{"ip", "-n", space, "link", "set", "eth0", "up"},
		{"ip", "-n", space, "link", "set", "lo", "up"},
	} {
		s.must(t, args...)
	}
	address := fmt.Sprintf("10.77.0.%d", n)
	h.config = Config{
		Hub:  HubConfig{Name: name, Territory: stageTerritory, DataDir: filepath.Join(h.folder, "data")},
		Web:  WebConfig{Listen: address + ":8443", Names: []string{space + ".example"}, KioskName: "borne." + space + ".example"},
		Link: LinkConfig{Listen: "127.0.0.1:7443"},
		Keys: KeysConfig{Provider: h.provider}, National: NationalConfig{Adapter: "none"},
	}
	if n <= 2 {
		h.config.Link = LinkConfig{Listen: address + ":7443", Advertise: []string{address + ":7443"}}
	}
	if err := os.WriteFile(h.configFile(), []byte(h.config.text()), 0o644); err != nil {
		t.Fatal(err)
	}
	return h
}

// within is a command in a hub's namespace.
func (s *line) within(h *stageHub, args ...string) []string {
	return append([]string{"netns", "exec", filepath.Base(h.folder), s.programs.relais}, args...)
}

func (s *line) start(t *testing.T, h *stageHub) {
	t.Helper()
	var err error
	if h.process, err = startChild(h.name, h.log(), "ip", s.within(h, "serve", "--config", h.configFile())...); err != nil {
		t.Fatal(err)
	}
	s.children = append(s.children, h.process)
	if err := h.ready(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// found makes the territory on the first hub, and enrols the others, by the verbs
// that people type.
func (s *line) found(t *testing.T) {
	t.Helper()
	first := s.hubs[0]
	relais := func(args ...string) []byte { return s.must(t, append([]string{s.programs.relais}, args...)...) }
	phrase := filepath.Join(s.dir, passphraseName)
	if err := os.WriteFile(phrase, []byte("phrase de démonstration seulement\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	relais("territory", "init", "--code", stageTerritory, "--name", "Territoire d’essai", "--passphrase-file", phrase, string(s.root))
	relais("init", "--config", first.configFile(), "--root-key", filepath.Join(string(s.root), "root.pub"))
	relais("territory", "found", "--keep-root", "--config", first.configFile(), "--passphrase-file", phrase, string(s.root))
	s.start(t, first)
	relais("territory", "structure", "add", "--config", first.configFile(), "--name", "Maison d’essai")
	for _, h := range s.hubs[1:] {
		var made invited
		var asked joined
		read(t, relais("territory", "invite", "--config", first.configFile(), "--site", h.name, "--json"), &made)
		join := func() {
			read(t, s.must(t, append([]string{"ip"}, s.within(h, "join", "--config", h.configFile(), "--wait", "0", "--json", made.Code)...)...), &asked)
		}
		join()
		relais("territory", "approve", "--config", first.configFile(), "--fingerprint", asked.Fingerprint, h.name)
		join()
		s.start(t, h)
	}
	for _, h := range s.hubs {
		read(t, relais("helper", "add", "--json", "--config", h.configFile(), "--login", "camille", "--given", "Camille", "--family", "ESSAI"), &h.account)
		var err error
		if h.codes, err = newAuthenticator(h.account.TOTP); err != nil {
			t.Fatal(err)
		}
		if err := h.signIn(t.Context()); err != nil {
			t.Fatalf("%s: %v", h.name, err)
		}
	}
}

func read(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

// mustSpread has a mandate made at one hub and stopped at another's kiosk, and waits
// until it is refused where it was made.
func (s *line) mustSpread(t *testing.T, ctx context.Context, how string, made, stopped *stageHub) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	mandate, code, err := made.create(ctx, oneLine)
	if err != nil {
		t.Fatalf("%s: %s: %v", how, made.name, err)
	}
	begun := time.Now()
	here, err := made.status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, ctx, how+": "+stopped.name+" knows the mandate", func() bool {
		there, err := stopped.status(ctx)
		return err == nil && there.Notices == here.Notices
	})
	posted := time.Now()
	if _, err := stopped.stopAtKiosk(ctx, code); err != nil {
		t.Fatalf("%s: %v", how, err)
	}
	waitFor(t, ctx, how+": it is refused at "+made.name, func() bool {
		state, _, err := made.state(ctx, mandate)
		return err == nil && state == "stopped"
	})
	at := time.Now()
	t.Logf("%s: known at %s after %v, refused at %s after %v", how, stopped.name, posted.Sub(begun), made.name, at.Sub(posted))
}

// waitFor waits for something, as long as ctx lasts.
func waitFor(t *testing.T, ctx context.Context, what string, yes func() bool) {
	t.Helper()
	for !yes() {
		if ctx.Err() != nil {
			t.Fatal("in vain: " + what)
		}
		time.Sleep(pollEvery)
	}
}
