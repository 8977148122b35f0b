package nodetest

import (
	"flag"
	"os"
	"syscall"
	"testing"
)

const (
	sharedMemory = "/dev/shm"
	tmpfsMagic   = 0x01021994
	room         = 1 << 30 // octets, many times what the tests of a package leave there at once
)

// FoldersInMemory makes the folders of this process's tests ([testing.T.TempDir])
// in memory, where a sync costs nothing: a node waits for dozens while it is made
// and opened, and that it does is for node/internal/store to show. Call it in
// TestMain. The folders stay as they are for benchmarks, which measure the disk,
// where TMPDIR is set, and where memory has little room.
func FoldersInMemory() {
	if !testing.Testing() {
		panic("folders are made in memory outside tests")
	}
	flag.Parse()
	benchmarks := flag.Lookup("test.bench").Value.String() != ""
	if !benchmarks && os.Getenv("TMPDIR") == "" && roomInMemory() {
		os.Setenv("TMPDIR", sharedMemory)
	}
}

func roomInMemory() bool {
	var fs syscall.Statfs_t
	err := syscall.Statfs(sharedMemory, &fs)
	return err == nil && fs.Type == tmpfsMagic && fs.Bavail*uint64(fs.Bsize) >= room
}
