package main

import (
	"encoding/json"
	"fmt"
	"os"

	"relais/node/durable"
)

// writeJSON writes v durably, indented: people read these files.
func writeJSON(path string, v any, mode os.FileMode) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return durable.Write(path, append(text, '\n'), mode)
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
