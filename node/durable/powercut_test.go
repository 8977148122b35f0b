package durable_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"relais/node/durable"
	"relais/node/durable/durabletest"
)

// childPath names the file that a child writes, when this test is one.
const childPath = "RELAIS_DURABLE_CHILD"

// contents are what the child writes, one after the other.
var contents = []string{"first", "second, longer", "3"}

// TestMain is also the program whose disk is cut off: it says each write that has
// returned.
func TestMain(m *testing.M) {
	path := os.Getenv(childPath)
	if path == "" {
		os.Exit(m.Run())
	}
	for _, content := range contents {
		if err := durable.Write(path, []byte(content), 0o600); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("ack " + content)
	}
}

// A disk is what may be found at a name after a power cut. The worst that the system
// may do is to have kept nothing of a file that was not synced, and of a folder that
// was not synced either name it ever had.
type disk struct {
	written map[string]string // by file, in memory
	synced  map[string]string // by file, on the disk
	// possible are what the name may hold after a cut: the last is what it holds now.
	possible []string
	acked    string // the last
}

// torn is what a name holds whose file was not synced when it got it.
const torn = "torn"

// apply takes one call on path's folder, and returns what a power cut right after it
// would break; "" for nothing.
func (d *disk) apply(c durabletest.Call, path string) (broken string) {
	switch {
	case c.Name == "write" && filepath.Dir(c.Path) == filepath.Dir(path):
		d.written[c.Path] += string(c.Data)
	case c.Name == "write":
		content, isAck := strings.CutPrefix(string(c.Data), "ack ")
		if !isAck {
			break
		}
		if d.acked = strings.TrimSpace(content); !slices.Equal(d.possible, []string{d.acked}) {
			return fmt.Sprintf("%q was said to be written, and the file may be %q", d.acked, d.possible[0])
		}
	case c.Name == "renameat" && c.To == path:
		d.possible = append(d.possible, d.held(c.Path))
	case c.Name == "fsync" && c.Path == filepath.Dir(path):
		d.possible = d.possible[len(d.possible)-1:]
	case c.Name == "fsync":
		d.synced[c.Path] = d.written[c.Path]
	}
	if slices.Contains(d.possible, torn) {
		return "the file is torn"
	}
	return ""
}

// held is what a file that gets a name holds after a cut.
func (d *disk) held(file string) string {
	if d.synced[file] != d.written[file] {
		return torn
	}
	return d.synced[file]
}

// cuts replays calls, cuts the power after each, and returns what that breaks.
func cuts(calls []durabletest.Call, path string) (broken []string) {
	d := &disk{written: make(map[string]string), synced: make(map[string]string), possible: []string{"none"}}
	for _, c := range calls {
		if b := d.apply(c, path); b != "" && !slices.Contains(broken, b) {
			broken = append(broken, b)
		}
	}
	if d.acked != contents[len(contents)-1] {
		broken = append(broken, "the last write was not said")
	}
	return broken
}

// TestPowerCut cuts the power after each call on the disk that Write makes: the file is
// the old or the new one, whole, and the new one once Write has returned. The twins:
// without the file's sync, with it too late, and without the folder's, each is found.
func TestPowerCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childPath+"="+path)
	calls := durabletest.Trace(t, "write,fsync,renameat", child)
	if broken := cuts(calls, path); len(broken) > 0 {
		t.Error(broken)
	}
	isFileSync := func(c durabletest.Call) bool { return c.Name == "fsync" && c.Path != filepath.Dir(path) }
	isFolderSync := func(c durabletest.Call) bool { return c.Name == "fsync" && c.Path == filepath.Dir(path) }
	for name, twin := range map[string]struct {
		calls []durabletest.Call
		want  string
	}{
		"without the file's sync":   {slices.DeleteFunc(slices.Clone(calls), isFileSync), "the file is torn"},
		"with the file's sync late": {swapped(calls, isFileSync), "the file is torn"},
		"without the folder's sync": {slices.DeleteFunc(slices.Clone(calls), isFolderSync), `"first" was said to be written, and the file may be "none"`},
	} {
		if broken := cuts(twin.calls, path); !slices.Contains(broken, twin.want) {
			t.Errorf("%s: %q, want %q", name, broken, twin.want)
		}
	}
}

// swapped has each of those calls come after the one that followed it.
func swapped(calls []durabletest.Call, these func(durabletest.Call) bool) []durabletest.Call {
	late := slices.Clone(calls)
	for i := 0; i+1 < len(late); i++ {
		if these(late[i]) {
			late[i], late[i+1] = late[i+1], late[i]
			i++
		}
	}
	return late
}
