package nodetest

import (
	"flag"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

const (
	sharedMemory = "/dev/shm"
	pattern      = "relais-tests-*"
	tmpfsMagic   = 0x01021994
	room         = 1 << 30 // octets, many times what the tests of a package leave there at once
)

// FoldersInMemory runs a package's tests, for its TestMain, with their folders
// ([testing.T.TempDir]) in memory, where a sync costs nothing: a node waits for
// dozens while it is made and opened, and that it does is for node/internal/store
// to show. The folders stay as they are for benchmarks, which measure the disk,
// where TMPDIR is set, and where memory has little room.
func FoldersInMemory(m *testing.M) {
	flag.Parse()
	benchmarks := flag.Lookup("test.bench").Value.String() != ""
	if !benchmarks && os.Getenv("TMPDIR") == "" && roomInMemory() {
		sweep(sharedMemory)
		if dir, held := claim(sharedMemory); held != nil {
			defer held.Close()
			defer os.RemoveAll(dir)
			os.Setenv("TMPDIR", dir)
		}
	}
	m.Run()
}

func roomInMemory() bool {
	var fs syscall.Statfs_t
	err := syscall.Statfs(sharedMemory, &fs)
	return err == nil && fs.Type == tmpfsMagic && fs.Bavail*uint64(fs.Bsize) >= room
}

// claim makes a folder and holds it; nil when another process swept it first.
func claim(root string) (dir string, held *os.File) {
	dir, err := os.MkdirTemp(root, pattern)
	if err != nil {
		return "", nil
	}
	return dir, hold(dir)
}

// sweep removes what tests that were killed left: the folders that nobody holds.
func sweep(root string) {
	left, _ := filepath.Glob(filepath.Join(root, pattern))
	for _, dir := range left {
		if held := hold(dir); held != nil {
			os.RemoveAll(dir)
			held.Close()
		}
	}
}

// hold locks a folder for as long as the file is open; nil when it is locked, or
// no more.
func hold(dir string) *os.File {
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		f.Close()
		return nil
	}
	return f
}
