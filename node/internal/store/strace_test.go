package store_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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

// traced runs a child under strace and returns its system calls on files, in
// order, as they ended.
func traced(t testing.TB, path string, env ...string) []sysCall {
	t.Helper()
	trace := filepath.Join(t.TempDir(), "trace")
	self := childCommand(t, "write", path, env...)
	// 140,000 octets is more than is handed over at once: nothing is cut short.
	cmd := exec.CommandContext(t.Context(), "strace", "-f", "-y", "-xx", "-s", "140000", "-o", trace,
		"-e", "trace=pwrite64,write,fsync,fdatasync,ftruncate", self.Path)
	cmd.Env = self.Env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("strace: %v\n%s", err, out)
	}
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	calls, err := parseTrace(text)
	if err != nil {
		t.Fatal(err)
	}
	return calls
}

var (
	tracedCall = regexp.MustCompile(`^(\d+) +(\w+)\(\d+<([^>]*)>(?:, (.*)|\) += 0)$`)
	resumed    = regexp.MustCompile(`^(\d+) +<\.\.\. \w+ resumed>(.*)$`)
	pwrite     = regexp.MustCompile(`^"([^"]*)", \d+, (\d+)\) += \d+$`)
	write      = regexp.MustCompile(`^"([^"]*)", \d+\) += \d+$`)
	truncate   = regexp.MustCompile(`^(\d+)\) += 0$`)
)

// parseTrace reads strace's output. A call cut in two by another thread is put
// together where it ended: a sync counts once it is over.
func parseTrace(text []byte) ([]sysCall, error) {
	var calls []sysCall
	begun := make(map[string]string) // by thread
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if head, found := strings.CutSuffix(line, " <unfinished ...>"); found {
			begun[strings.Fields(line)[0]] = head
			continue
		}
		if m := resumed.FindStringSubmatch(line); m != nil {
			line = begun[m[1]] + m[2]
		}
		m := tracedCall.FindStringSubmatch(line)
		if m == nil {
			continue // signals, ends of threads
		}
		call, err := parseCall(m[2], m[3], m[4])
		if err != nil {
			return nil, fmt.Errorf("%.200s: %w", line, err)
		}
		calls = append(calls, call)
	}
	return calls, lines.Err()
}

func parseCall(name, path, rest string) (c sysCall, err error) {
	c.name, c.path = name, string(unescape(path))
	var parts []string
	switch name {
	case "pwrite64":
		if parts = pwrite.FindStringSubmatch(rest); parts != nil {
			c.data = unescape(parts[1])
			c.number, err = strconv.ParseInt(parts[2], 10, 64)
		}
	case "write":
		if parts = write.FindStringSubmatch(rest); parts != nil {
			c.data = unescape(parts[1])
		}
	case "ftruncate":
		if parts = truncate.FindStringSubmatch(rest); parts != nil {
			c.number, err = strconv.ParseInt(parts[1], 10, 64)
		}
	default:
		return c, nil
	}
	if parts == nil && name != "write" { // a write of another kind is not ours
		err = fmt.Errorf("not understood: %.80s", rest)
	}
	return c, err
}

// unescape reads strace's \xNN.
func unescape(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, `\x`, ""))
	if err != nil {
		return nil
	}
	return b
}

// syncsPerWrite counts the fsync and fdatasync of a child's writes, without
// those that open the store.
func syncsPerWrite(t testing.TB, writers, writes int) float64 {
	t.Helper()
	count := func(each int) (n int) {
		path := filepath.Join(t.TempDir(), "relais.db")
		for _, call := range traced(t, path,
			childWriters+"="+strconv.Itoa(writers), childWrites+"="+strconv.Itoa(each)) {
			if call.name == "fsync" || call.name == "fdatasync" {
				n++
			}
		}
		return n
	}
	return float64(count(writes)-count(0)) / float64(writers*writes)
}
