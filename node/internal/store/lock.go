package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// Lock is a data folder that this process alone may use.
type Lock struct{ held *held }

// held is the kernel's lock, which its shares have together.
type held struct {
	file   *os.File
	shares atomic.Int32
}

// Acquire takes a folder's lock for the life of the process. The kernel lets go
// of it when the process ends, however it ends; the process number inside is
// only for the message. ErrInUse names who holds it; the folder must exist.
func Acquire(dir string) (*Lock, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("%w by %s; stop it first, or talk to it through its control socket", ErrInUse, holder(f))
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0) // for the message only
	}
	h := &held{file: f}
	h.shares.Store(1)
	return &Lock{h}, nil
}

// Share is the same lock once more, for one of whom it will be released: the folder
// is free once every share is. Nil, or one that was released, shares nothing: nil.
func (l *Lock) Share() *Lock {
	if l == nil || l.held == nil {
		return nil
	}
	l.held.shares.Add(1)
	return &Lock{l.held}
}

// Release lets go of the folder, unless a share of it remains. Releasing again, or nil, is no error.
func (l *Lock) Release() error {
	if l == nil || l.held == nil {
		return nil
	}
	h := l.held
	l.held = nil
	if h.shares.Add(-1) > 0 {
		return nil
	}
	// Closing alone leaves the lock to a process that is begun at this very moment: it
	// has our files until it becomes its program.
	err := syscall.Flock(int(h.file.Fd()), syscall.LOCK_UN)
	return errors.Join(err, h.file.Close())
}

func holder(f *os.File) string {
	text := make([]byte, 20)
	n, _ := f.ReadAt(text, 0)
	if pid := strings.TrimSpace(string(text[:n])); pid != "" {
		return "process " + pid
	}
	return "another process"
}
