// Package durabletest reads what a program asks of its disk, by strace: what is on it
// after a power cut is then known without cutting the power.
package durabletest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A Call is one line of a trace.
type Call struct {
	Name   string
	Path   string // of the file; of a renameat, the former name
	To     string // of a renameat
	Data   []byte // written
	Number int64  // offset of a pwrite64, length of an ftruncate
}

// Trace runs a command of this machine's under strace and returns its calls of those
// names, in order, as they ended. It fails the test when one of them failed.
func Trace(t testing.TB, names string, cmd *exec.Cmd) []Call {
	t.Helper()
	trace := filepath.Join(t.TempDir(), "trace")
	// 140,000 octets is more than is handed over at once: nothing is cut short. The
	// kernel lets every other call by: the child is not stopped at its thousands.
	traced := exec.CommandContext(t.Context(), "strace", append([]string{
		"-f", "--seccomp-bpf", "-y", "-xx", "-s", "140000", "-o", trace, "-e", "trace=" + names,
	}, cmd.Args...)...)
	traced.Env = cmd.Env
	if out, err := traced.CombinedOutput(); err != nil {
		t.Fatalf("strace: %v\n%s", err, out)
	}
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	calls, err := parseTrace(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return calls
}

// parseTrace reads strace's output, a line "thread call". A call cut in two by
// another thread is put together where it ended: a sync counts once it is over.
func parseTrace(text string) (calls []Call, err error) {
	begun := make(map[string]string) // by thread
	for line := range strings.Lines(text) {
		thread, call, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		call = strings.TrimLeft(call, " ")
		if head, found := strings.CutSuffix(call, " <unfinished ...>"); found {
			begun[thread] = head
			continue
		}
		if strings.HasPrefix(call, "<... ") {
			_, tail, _ := strings.Cut(call, " resumed>")
			call = begun[thread] + tail
		}
		if strings.HasPrefix(call, "---") || strings.HasPrefix(call, "+++") {
			continue // signals, ends of threads
		}
		c, err := parseCall(call)
		if err != nil {
			return nil, fmt.Errorf("%.200s: %w", line, err)
		}
		calls = append(calls, c)
	}
	return calls, nil
}

// parseCall reads a call that went well: its arguments are a file, <path>, then
// "octets", size, offset, or a length, or nothing; or of a renameat a folder and a name
// in it, twice, both names whole.
func parseCall(call string) (c Call, err error) {
	head, rest, _ := strings.Cut(call, "<")
	path, rest, _ := strings.Cut(rest, ">")
	arguments, result, ended := strings.Cut(rest, ") ")
	result = strings.TrimLeft(result, " ")
	c.Name, _, _ = strings.Cut(head, "(")
	if !ended || !strings.HasPrefix(result, "= ") || strings.HasPrefix(result, "= -") {
		return c, errors.New("it failed")
	}
	if c.Path = string(unescape(path)); c.Path == "" {
		return c, errors.New("on no file")
	}
	octets, last := "", arguments
	if c.Name == "renameat" { // its files are folders; the names follow
		names := strings.Split(arguments, `"`)
		if len(names) != 5 {
			return c, errors.New("not two names")
		}
		c.Path, c.To = string(unescape(names[1])), string(unescape(names[3]))
		return c, nil
	}
	if c.Name == "pwrite64" || c.Name == "write" {
		_, octets, _ = strings.Cut(arguments, `"`)
		octets, _, _ = strings.Cut(octets, `"`)
		if c.Data = unescape(octets); c.Data == nil {
			return c, errors.New("its octets are not understood")
		}
	}
	if c.Name == "pwrite64" || c.Name == "ftruncate" {
		last = last[strings.LastIndex(last, " ")+1:]
		c.Number, err = strconv.ParseInt(last, 10, 64)
	}
	return c, err
}

// unescape reads strace's \xNN; nil when it is something else.
func unescape(s string) []byte {
	const digits = 4 // of one octet, \x included
	octets := make([]byte, len(s)/digits)
	for i := range octets {
		n, err := strconv.ParseUint(s[i*digits+2:(i+1)*digits], 16, 8)
		if err != nil {
			return nil
		}
		octets[i] = byte(n)
	}
	return octets
}
