package store_test

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

// sysCall is one line of a trace that matters here.
type sysCall struct {
	name   string
	path   string
	data   []byte // written
	number int64  // offset of a pwrite64, length of an ftruncate
}

// The calls on files that a test may want of a trace: it costs what it records.
const (
	syncCalls = "fsync,fdatasync"
	diskCalls = "pwrite64,ftruncate,write," + syncCalls // a write is what the child said
)

// traced runs a child under strace and returns its calls of those names, in
// order, as they ended.
func traced(t testing.TB, names, path string, env ...string) []sysCall {
	t.Helper()
	trace := filepath.Join(t.TempDir(), "trace")
	self := childCommand(t, "write", path, env...)
	// 140,000 octets is more than is handed over at once: nothing is cut short. The
	// kernel lets every other call by: the child is not stopped at its thousands.
	cmd := exec.CommandContext(t.Context(), "strace", "-f", "--seccomp-bpf", "-y", "-xx", "-s", "140000", "-o", trace,
		"-e", "trace="+names, self.Path)
	cmd.Env = self.Env
	if out, err := cmd.CombinedOutput(); err != nil {
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
func parseTrace(text string) (calls []sysCall, err error) {
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
// "octets", size, offset, or a length, or nothing.
func parseCall(call string) (c sysCall, err error) {
	head, rest, _ := strings.Cut(call, "<")
	path, rest, _ := strings.Cut(rest, ">")
	arguments, result, ended := strings.Cut(rest, ") ")
	result = strings.TrimLeft(result, " ")
	c.name, _, _ = strings.Cut(head, "(")
	if !ended || !strings.HasPrefix(result, "= ") || strings.HasPrefix(result, "= -") {
		return c, errors.New("it failed")
	}
	if c.path = string(unescape(path)); c.path == "" {
		return c, errors.New("on no file")
	}
	octets, last := "", arguments
	if c.name == "pwrite64" || c.name == "write" {
		_, octets, _ = strings.Cut(arguments, `"`)
		octets, _, _ = strings.Cut(octets, `"`)
		if c.data = unescape(octets); c.data == nil {
			return c, errors.New("its octets are not understood")
		}
	}
	if c.name == "pwrite64" || c.name == "ftruncate" {
		last = last[strings.LastIndex(last, " ")+1:]
		c.number, err = strconv.ParseInt(last, 10, 64)
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

// syncsPerWrite counts the fsync and fdatasync of a child's writes, without
// those that open the store.
func syncsPerWrite(t testing.TB, writers, writes int) float64 {
	t.Helper()
	count := func(each int) (n int) {
		path := filepath.Join(t.TempDir(), "relais.db")
		for _, call := range traced(t, syncCalls, path,
			childWriters+"="+strconv.Itoa(writers), childWrites+"="+strconv.Itoa(each)) {
			if call.name == "fsync" || call.name == "fdatasync" {
				n++
			}
		}
		return n
	}
	return float64(count(writes)-count(0)) / float64(writers*writes)
}
