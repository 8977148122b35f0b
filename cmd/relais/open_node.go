package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"relais/hardware/keyring"
	"relais/node"
)

const (
	// folderWait bounds how long a folder is waited for. Whoever tries its keys has
	// it for as long as a key device that hangs is given.
	folderWait  = time.Minute
	folderRetry = 100 * time.Millisecond
)

// whileInUse tries again while another process has the folder, folderWait at most.
func whileInUse[T any](ctx context.Context, try func() (T, error)) (T, error) {
	for deadline := time.Now().Add(folderWait); ; {
		got, err := try()
		if !errors.Is(err, node.ErrInUse) || time.Now().After(deadline) || !pause(ctx, folderRetry) {
			return got, err
		}
	}
}

// openNode opens the folder of a hub whose keys are open; the lock passes to the
// node, which takes it when folder is nil. A configuration for
// another territory than the folder's is refused: the pages would say one thing
// and the records another.
func openNode(ctx context.Context, c Config, folder *node.Folder, keys *keyring.Keyring, log *slog.Logger) (*node.Node, error) {
	n, err := node.Open(ctx, node.Options{
		Dir: c.Hub.DataDir, Sealer: keys, Signer: keys.Identity(), Logger: log, Release: releaseTime(),
		Folder: folder, Counter: machineCounter{keys.Counter(c.Hub.DataDir)},
	})
	unmade := errors.Is(err, node.ErrNoFolder) || errors.Is(err, node.ErrHalfWritten) // and yet it holds keys
	if unmade && wasWhole(c.Hub.DataDir) {
		return nil, fmt.Errorf("open %s: %w", c.Hub.DataDir, errDatabaseLost)
	}
	if errors.Is(err, node.ErrNoFolder) {
		return nil, fmt.Errorf("open %s: %w", c.Hub.DataDir, node.ErrHalfWritten)
	}
	if errors.Is(err, node.ErrOtherIdentity) {
		err = otherIdentity(err, keys.Used())
	}
	if err != nil {
		return nil, err
	}
	if err := keys.Use(); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	if made := n.Birth().Territory; made != c.Hub.Territory {
		err := fmt.Errorf("%s was made for territory %q, and hub.territory says %q: mend the configuration, or give this hub its own data_dir",
			c.Hub.DataDir, made, c.Hub.Territory)
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}
