package keyring

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// writeDurable is a variable so that a test can cut the power at each write.
var writeDurable = WriteDurable

// WriteDurable puts data at path, mode 0600, so that after a power cut the file
// is whole: the old one or the new one. It writes a temporary file, syncs it,
// renames it and syncs the folder.
func WriteDurable(path string, data []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("write %s: %w", path, err)
	}
	return syncFolder(dir)
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
