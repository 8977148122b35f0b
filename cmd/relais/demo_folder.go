package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// stageMarker is in every folder that a demonstration made. Without it a folder
// is somebody's, and is not emptied.
const stageMarker = ".relais-demo"

// claimFolder makes dir a demonstration's own, empty but for the marker, and
// holds it until the file it returns is closed. It refuses a folder that holds
// anything else than an earlier demonstration, and one that is in use.
func claimFolder(dir string) (claim *os.File, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	held, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	marker := filepath.Join(dir, stageMarker)
	if info, err := os.Lstat(marker); len(held) > 0 && (err != nil || !info.Mode().IsRegular()) {
		return nil, fmt.Errorf("%s is not empty and no demonstration made it: name another folder with --dir; nothing was removed", dir)
	}
	if claim, err = os.OpenFile(marker, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, err
	}
	if err = syscall.Flock(int(claim.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = fmt.Errorf("a demonstration is running in %s: end it, or name another folder with --dir", dir)
		}
		return nil, errors.Join(err, claim.Close())
	}
	for _, e := range held {
		if e.Name() == stageMarker {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return nil, errors.Join(err, claim.Close())
		}
	}
	return claim, nil
}
