package store_test

import (
	"path/filepath"
	"strconv"
	"testing"

	"relais/node/durable/durabletest"
)

// The calls on files that a test may want of a trace: it costs what it records.
const (
	syncCalls = "fsync,fdatasync"
	diskCalls = "pwrite64,ftruncate,write," + syncCalls // a write is what the child said
)

// traced runs a child under strace and returns its calls of those names.
func traced(t testing.TB, names, path string, env ...string) []durabletest.Call {
	t.Helper()
	return durabletest.Trace(t, names, childCommand(t, "write", path, env...))
}

// syncsPerWrite counts the fsync and fdatasync of a child's writes, without
// those that open the store.
func syncsPerWrite(t testing.TB, writers, writes int) float64 {
	t.Helper()
	count := func(each int) (n int) {
		path := filepath.Join(t.TempDir(), "relais.db")
		for _, call := range traced(t, syncCalls, path,
			childWriters+"="+strconv.Itoa(writers), childWrites+"="+strconv.Itoa(each)) {
			if call.Name == "fsync" || call.Name == "fdatasync" {
				n++
			}
		}
		return n
	}
	return float64(count(writes)-count(0)) / float64(writers*writes)
}
