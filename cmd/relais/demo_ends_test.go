package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// below returns the processes whose command line names the folder.
func below(t *testing.T, dir string) (found []string) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range lines {
		line, err := os.ReadFile(file)
		if err == nil && bytes.Contains(line, []byte(dir+"/")) { // gone meanwhile otherwise
			found = append(found, string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
		}
	}
	return found
}

// However a demonstration ends, a closed terminal and a kill included, nothing
// that it started outlives it.
func TestDemoLeavesNothing(t *testing.T) {
	t.Parallel()
	p := lightPrograms(t)
	for name, ending := range map[string]syscall.Signal{"Hangup": syscall.SIGHUP, "Killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cmd := exec.Command(p.relais, "demo", "--dir", dir)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			serves := func(line string) bool { return strings.Contains(line, " serve ") } // swtpm has a --server
			for deadline := time.Now().Add(3 * time.Minute); len(filter(below(t, dir), serves)) < 4; time.Sleep(20 * time.Millisecond) {
				if time.Now().After(deadline) {
					cmd.Process.Kill()
					t.Fatalf("after three minutes there are %q", below(t, dir))
				}
			}
			if all := below(t, dir); len(all) < 6 {
				t.Errorf("three hubs, the national service and two TPMs: %q", all)
			}
			cmd.Process.Signal(ending)
			err := cmd.Wait()
			if state := cmd.ProcessState.Sys().(syscall.WaitStatus); ending == syscall.SIGHUP && state.Signaled() {
				t.Errorf("hung up, it did not end in good order: %v", err)
			}
			for deadline := time.Now().Add(15 * time.Second); len(below(t, dir)) > 0; time.Sleep(20 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("left behind: %q", below(t, dir))
				}
			}
		})
	}
}

// Without --once, a demonstration says where to go and with what, and goes on
// until Ctrl-C, which is no failure.
func TestDemoServes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.Command(lightPrograms(t).relais, "demo", "--dir", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer time.AfterFunc(3*time.Minute, func() { cmd.Process.Kill() }).Stop()
	var told strings.Builder
	codes := regexp.MustCompile(`^  Valbrume (\d{6}|\(next\))  Port-Exemple (\d{6}|\(next\))  le bus (\d{6}|\(next\))  \(until \d{2}:\d{2}:\d{2}\)$`)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		told.WriteString(lines.Text() + "\n")
		if codes.MatchString(lines.Text()) {
			cmd.Process.Signal(os.Interrupt)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("Ctrl-C: %v", err)
	}
	for _, want := range []string{`Valbrume +https://\S+\.localhost:\d+`, `its kiosk +https://\S+\.localhost:\d+`, `(?s)(login \S+, passphrase \S+.*){3}`, `Ctrl-C ends it`} {
		if !regexp.MustCompile(want).MatchString(told.String()) {
			t.Errorf("nothing like %s in\n%s", want, &told)
		}
	}
	if left := below(t, dir); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// Two hubs with a TPM and one without, or it is not the demonstration.
func TestDemoWantsTPMs(t *testing.T) {
	t.Parallel()
	if err := guarded([]string{"tpm", "tpm", "software"}); err != nil {
		t.Error(err)
	}
	for _, other := range [][]string{{"tpm", "software", "software"}, {"software", "tpm", "tpm"}, {"tpm", "tpm", "tpm"}, {"tpm", "tpm"}} {
		if guarded(other) == nil {
			t.Errorf("%v passes", other)
		}
	}
}

func filter(lines []string, keep func(string) bool) (kept []string) {
	for _, line := range lines {
		if keep(line) {
			kept = append(kept, line)
		}
	}
	return kept
}
