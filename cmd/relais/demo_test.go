package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// bin is where both commands are, as they ship; empty until a test asks.
var bin string

var built = sync.OnceValues(func() (programs, error) {
	var err error
	if bin, err = os.MkdirTemp("", "relais-bin"); err != nil {
		return programs{}, err
	}
	p := programs{filepath.Join(bin, "relais"), filepath.Join(bin, "national")}
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", bin+"/", "./cmd/relais", "./cmd/national")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		return p, fmt.Errorf("%w\n%s", err, out)
	}
	return p, nil
})

func removePrograms() {
	if bin != "" {
		os.RemoveAll(bin)
	}
}

// buildPrograms builds both commands once, side by side as make build does.
func buildPrograms(t *testing.T) programs {
	t.Helper()
	p, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// lightPrograms are the commands side by side, of which relais is this test's
// binary: as it ships, but that a secret costs less to guess.
func lightPrograms(t *testing.T) programs {
	t.Helper()
	dir := t.TempDir()
	p := programs{filepath.Join(dir, "relais"), filepath.Join(dir, "national")}
	self, err := exec.LookPath("relais") // testscript.Main put it there
	if err == nil {
		err = os.Link(self, p.relais)
	}
	if err == nil {
		err = os.Link(buildPrograms(t).national, p.national)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// demo runs relais demo --once --json and returns its timeline and its last line.
func demo(t *testing.T, p programs, dir string) (timeline string, o outcome, err error) {
	t.Helper()
	cmd := exec.Command(p.relais, "demo", "--once", "--json", "--dir", dir)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err = cmd.Run()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &o); err != nil {
		t.Fatalf("the last line is no JSON: %v\n%s%s", err, out.Bytes(), stderr.Bytes())
	}
	return out.String() + stderr.String(), o, err
}

// TestDemo plays make demo ARGS="--once --json".
func TestDemo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := buildPrograms(t)
	told, o, err := demo(t, p, dir)
	if err != nil {
		t.Fatalf("%v\n%s", err, told)
	}
	if len(o.Hubs) != 3 || strings.Join(o.KeyProviders, " ") != "tpm tpm software" || len(o.RevocationMS) != 3 ||
		!o.RefusedEverywhere || !o.OfflineGrantSynced || !o.JournalsVerified || !o.TamperNamed || !o.OK {
		t.Errorf("outcome %+v\n%s", o, told)
	}
	n := o.National
	if n.Up == 0 || n.Drift != 0 || n.SecondPassBytes == 0 || n.SecondPassBytes >= n.FirstPassBytes {
		t.Errorf("national passes %+v", n)
	}
	if a := o.AidantsConnect; !a.ReceiptSays || !a.Noted || a.WorklistMS == 0 || !strings.Contains(told, "to be stopped there before") {
		t.Errorf("a mandate made in Aidants Connect: %+v\n%s", a, told)
	}
	// It ended what it started.
	for _, hub := range []string{"valbrume", "port-exemple", "bus"} {
		err := exec.Command(p.relais, "status", "--config", filepath.Join(dir, hub, "relais.toml")).Run()
		if e, ok := err.(*exec.ExitError); !ok || e.ExitCode() != exitUnreachable {
			t.Errorf("%s still answers: %v", hub, err)
		}
	}
}

// The twin: a part that does not work is not a demonstration that does.
func TestDemoFails(t *testing.T) {
	t.Parallel()
	p := lightPrograms(t)
	if err := os.Remove(p.national); err != nil { // a link
		t.Fatal(err)
	}
	if err := os.WriteFile(p.national, []byte("#!/bin/sh\necho no service today >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	told, o, err := demo(t, p, t.TempDir())
	if err == nil || o.OK || !strings.Contains(told, "✗") || !strings.Contains(told, "no service today") {
		t.Errorf("without a national service: %v, outcome %+v\n%s", err, o, told)
	}
}
