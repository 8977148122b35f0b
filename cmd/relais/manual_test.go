package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// usageOf returns what `relais VERB -h` prints.
func usageOf(t *testing.T, verb string) string {
	t.Helper()
	var out bytes.Buffer
	args := append(strings.Fields(verb), "-h")
	if status := run(t.Context(), stdio{strings.NewReader(""), &out, &out}, args); status != exitOK {
		t.Fatalf("relais %s -h: exit status %d", verb, status)
	}
	return out.String()
}

// Every verb has its section in the manual, and every flag is in the section of
// its verb.
func TestManual(t *testing.T) {
	page, err := os.ReadFile("../../packaging/relais.1")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(page), `\-`, "-")
	sections := map[string]string{}
	for _, section := range strings.Split(text, "\n.SS ")[1:] {
		title, body, _ := strings.Cut(section, "\n")
		body, _, _ = strings.Cut(body, "\n.SH ")
		sections[title] = body
	}
	var all []string
	for _, v := range verbs() {
		switch v.name {
		case "territory":
			for _, sub := range territoryVerbs() {
				all = append(all, "territory "+sub.name)
			}
		case "helper":
			all = append(all, "helper add")
		default:
			all = append(all, v.name)
		}
	}
	flagLine := regexp.MustCompile(`(?m)^  -([a-z-]+)`)
	flagged := 0
	for _, verb := range all {
		body, found := sections[verb]
		if !found {
			t.Errorf("the manual has no section on relais %s", verb)
			continue
		}
		for _, f := range flagLine.FindAllStringSubmatch(usageOf(t, verb), -1) {
			flagged++
			if !regexp.MustCompile(`(?m)^\.BI? .*--` + f[1] + `\b`).MatchString(body) {
				t.Errorf("the manual does not explain relais %s --%s", verb, f[1])
			}
		}
	}
	if flagged < 30 {
		t.Errorf("the search finds %d flags", flagged)
	}
	for _, file := range []string{"relais.db", "keyring.json", "software.key", "lock", "roster.note", "hub.json", "ca.pem", "control.sock", "root.age", "root.pub", "draft.json"} {
		if !regexp.MustCompile(`(?m)^\.IR? .*\b` + regexp.QuoteMeta(file)).MatchString(text) {
			t.Errorf("the manual does not list the file %s", file)
		}
	}
	for status := range 6 {
		if !strings.Contains(text, "\n.B "+string(rune('0'+status))+"\n") {
			t.Errorf("the manual does not list exit status %d", status)
		}
	}
}

// TestReadmeInstall types what the README says under Install, except that the
// folders are elsewhere, that the ports are any, and that the build is done.
func TestReadmeInstall(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(readme), "\n## Install\n")
	_, text, _ = strings.Cut(text, "```sh\n")
	steps, _, found := strings.Cut(text, "```")
	if !found || !strings.Contains(steps, "bin/relais serve\n") {
		t.Fatalf("no steps under Install: %q", steps)
	}
	house, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "etc/relais.toml")
	shipped, err := os.ReadFile("../../packaging/relais.toml")
	if err != nil {
		t.Fatal(err)
	}
	set := strings.NewReplacer("/var/lib/relais", dir+"/var", `":443"`, `"127.0.0.1:0"`, `":7443"`, `"127.0.0.1:0"`,
		"127.0.0.1:9464", "127.0.0.1:0", `"auto"`, `"software"`).Replace(string(shipped))
	for name, content := range map[string]string{"PHRASE": "une phrase d’essai assez longue\n", "packaging/relais.toml": set} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-buildvcs=false", "-ldflags", "-X main.defaultConfig="+config, "-o", filepath.Join(dir, "bin")+"/", "./cmd/relais")
	build.Dir = house
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	typed := strings.NewReplacer("make build\n", "", "/var/lib/relais", dir+"/var", "/etc/relais/relais.toml", config,
		"bin/relais serve\n", "timeout -s INT 3 bin/relais serve --config "+config+" || [ $? = 124 ]\n").Replace(steps)
	cmd := exec.Command("sh", "-eux", "-c", typed)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "hub serves") || !strings.Contains(string(out), "hub stopped") {
		t.Errorf("%v\n%s", err, out)
	}
}
