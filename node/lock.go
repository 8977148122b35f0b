package node

import (
	"errors"
	"fmt"
	"os"

	"relais/node/internal/store"
)

// Folder is a data folder held by this process. Take it before the keys: a key
// device may answer one process at a time, and a second one would wait for it in
// vain, or disturb the hub that runs.
type Folder = store.Lock

// ErrInUse means that another process holds the data folder.
var ErrInUse = store.ErrInUse

// LockFolder takes the data folder for this process: ErrNoFolder when there is
// none, ErrInUse with the holder's number when another process has it.
func LockFolder(dir string) (*Folder, error) {
	lock, err := store.Acquire(dir)
	if errors.Is(err, os.ErrNotExist) {
		err = ErrNoFolder
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	return lock, nil
}
