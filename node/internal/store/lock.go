package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Lock is a data folder that this process alone may use.
type Lock struct{ file *os.File }

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
	return &Lock{f}, nil
}

// Share is the same lock once more, for one of whom it will be released: the folder
// is free once every share is. Nil shares nothing, which is nil.
func (l *Lock) Share() (*Lock, error) {
	if l == nil {
		return nil, nil
	}
	fd, _, errno := syscall.Syscall(syscall.SYS_FCNTL, l.file.Fd(), syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return nil, fmt.Errorf("share the lock: %w", errno)
	}
	return &Lock{os.NewFile(fd, l.file.Name())}, nil
}

// Release lets go of the folder, unless a share of it remains. Releasing again, or nil, is no error.
func (l *Lock) Release() error {
	if l == nil || l.file == nil {
		return nil
	}
	f := l.file
	l.file = nil
	return f.Close()
}

func holder(f *os.File) string {
	text := make([]byte, 20)
	n, _ := f.ReadAt(text, 0)
	if pid := strings.TrimSpace(string(text[:n])); pid != "" {
		return "process " + pid
	}
	return "another process"
}
