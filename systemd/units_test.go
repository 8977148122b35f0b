package systemd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// units copies the units that are packaged to a folder where systemd-analyze
// finds them, with a program that is on this machine.
func units(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	names, err := filepath.Glob("relais*.s[eo]*")
	if err != nil || len(names) != 4 {
		t.Fatalf("units %v (%v), want 4", names, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text = []byte(strings.ReplaceAll(string(text), "/usr/bin/relais", "/usr/bin/true"))
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// analyze runs systemd-analyze on this machine, which need not run systemd.
func analyze(dir string, args ...string) (string, error) {
	cmd := exec.Command("systemd-analyze", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestUnitsVerify(t *testing.T) {
	said, err := analyze(units(t), "verify", "--man=no", "./relais.service", "./relais.socket", "./relais-seal.service", "./relais-seal.socket")
	if err != nil || said != "" {
		t.Errorf("%v\n%s", err, said)
	}
}

// The exposure that systemd computes stays under our goals, in tenths: 1.2 for
// the hub, which has a network, and 0.7 for the agent, which has a TPM. The twin
// takes one line away.
func TestUnitsExposure(t *testing.T) {
	for unit, c := range map[string]struct{ most, line string }{
		"relais.service":      {"12", "CapabilityBoundingSet=\n"},
		"relais-seal.service": {"7", "PrivateNetwork=yes\n"},
	} {
		t.Run(unit, func(t *testing.T) {
			dir := units(t)
			said, err := analyze(dir, "security", "--offline=true", "--no-pager", "--threshold="+c.most, "./"+unit)
			if err != nil {
				t.Errorf("above %s tenths: %v\n%s", c.most, err, said)
			}
			text, err := os.ReadFile(filepath.Join(dir, unit))
			if err != nil {
				t.Fatal(err)
			}
			weaker := strings.Replace(string(text), c.line, "", 1)
			if weaker == string(text) {
				t.Fatalf("no line %q", c.line)
			}
			if err := os.WriteFile(filepath.Join(dir, unit), []byte(weaker), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := analyze(dir, "security", "--offline=true", "--no-pager", "--threshold="+c.most, "./"+unit); err == nil {
				t.Errorf("without %q nothing changes", c.line)
			}
		})
	}
}

// What the agent relies on, and a later hand might tidy away.
func TestUnitsKeepApart(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return "\n" + string(text)
	}
	hub, seal, door := read("relais.service"), read("relais-seal.service"), read("relais-seal.socket")
	for name, ok := range map[string]bool{
		"the hub has no device":              strings.Contains(hub, "\nPrivateDevices=yes\n") && !strings.Contains(hub, "\nDeviceAllow="),
		"the hub is not in the TPM's group":  !strings.Contains(hub, "\nSupplementaryGroups="),
		"two users":                          strings.Contains(hub, "\nUser=relais\n") && strings.Contains(seal, "\nUser=relais-seal\n"),
		"the agent sees who calls":           !strings.Contains(seal, "\nPrivateUsers="),
		"the socket is for the hub's group":  strings.Contains(door, "\nSocketGroup=relais\n") && strings.Contains(door, "\nSocketMode=0660\n"),
		"the hub does not own the folder":    !strings.Contains(hub, "\nRuntimeDirectory="),
		"the agent listens on a file, alone": strings.Count(door, "\nListen") == 1 && strings.Contains(door, "\nListenStream=/run/relais/seal.sock\n"),
	} {
		if !ok {
			t.Error("no longer: " + name)
		}
	}
}

func TestSysusers(t *testing.T) {
	out, err := exec.Command("systemd-sysusers", "--dry-run", "--root="+t.TempDir(), mustAbs(t, "relais.sysusers")).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Creating user 'relais-seal'") {
		t.Errorf("%v\n%s", err, out)
	}
}

func mustAbs(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}
