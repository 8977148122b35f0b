package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// writeDurable replaces the file at path so that a power cut leaves the old
// content or the new, never half: temporary file, fsync, rename, fsync of the
// folder.
func writeDurable(path string, content []byte, mode os.FileMode) error {
	folder := filepath.Dir(path)
	tmp, err := os.CreateTemp(folder, "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // fails once renamed, as it should
	if _, err = tmp.Write(content); err == nil {
		err = tmp.Chmod(mode)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if closeErr := tmp.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// writeJSON writes v durably, indented: people read these files.
func writeJSON(path string, v any, mode os.FileMode) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return writeDurable(path, append(text, '\n'), mode)
}

// readJSON reads a file of at most 1 MiB into v.
func readJSON(path string, v any) error {
	text, err := readBounded(path, 1<<20)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// readBounded reads a file that came from elsewhere and may be of any size.
func readBounded(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%s: larger than %d octets", path, limit)
	}
	return os.ReadFile(path)
}
