package store

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// locksTable is where the kernel lists the locks that are held.
const locksTable = "/proc/locks"

// Holder is the number of the process that holds a folder's lock; zero: none
// does. It asks the kernel's table and takes nothing, not for a moment: a process
// that starts just then must not be refused.
func Holder(dir string) (pid int, err error) {
	info, err := os.Stat(filepath.Join(dir, lockFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	table, err := os.Open(locksTable)
	if err != nil {
		return 0, err
	}
	defer table.Close()
	inode := strconv.FormatUint(info.Sys().(*syscall.Stat_t).Ino, 10)
	for lines := bufio.NewScanner(table); lines.Scan(); {
		// 1: FLOCK  ADVISORY  WRITE 4242 08:01:131073 0 EOF
		f := strings.Fields(lines.Text())
		if len(f) < 6 || f[1] != "FLOCK" || !strings.HasSuffix(f[5], ":"+inode) {
			continue // the device before the inode is not stat's on every file system
		}
		if pid, err = strconv.Atoi(f[4]); err != nil {
			return 0, fmt.Errorf("%s: %w", locksTable, err)
		}
		return pid, nil
	}
	return 0, nil
}
