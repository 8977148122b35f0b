package soft

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"relais/node/durable"

	"relais/hardware/keyring"
)

// counterFile is the counter, in the data folder: the only file there that knows
// whether it was copied.
const counterFile = "software.counter"

const (
	counterIDSize   = 16 // octets
	maxCounterBytes = 1 << 10
)

// counterContent is what the file holds.
type counterContent struct {
	ID    []byte `json:"id"` // random: another counter is not this one
	Value uint64 `json:"value"`
}

func (p *Provider) counterPath() string { return filepath.Join(filepath.Dir(p.path), counterFile) }

// NewCounter makes the counter file, in the place of any other.
func (p *Provider) NewCounter() ([]byte, error) {
	id := make([]byte, counterIDSize)
	rand.Read(id) // never fails since Go 1.24
	if err := p.putCounter(counterContent{ID: id, Value: 1}); err != nil {
		return nil, fmt.Errorf("make counter: %w", err)
	}
	return id, nil
}

// ReadCounter returns what the file says and where it stands: its inode and the
// last moment that the kernel saw it change. A program that copies a folder, or
// puts a copy back, can give the copy neither; whoever copies the disk block by
// block does. The device's number is no part of it: many change at each boot.
// Errors: keyring.ErrCounterMissing, keyring.ErrCounterChanged.
func (p *Provider) ReadCounter(blob []byte) (count keyring.Count, err error) {
	f, err := os.Open(p.counterPath())
	if errors.Is(err, os.ErrNotExist) {
		return count, keyring.ErrCounterMissing
	}
	if err != nil {
		return count, fmt.Errorf("read counter: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return count, fmt.Errorf("read counter: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxCounterBytes))
	if err != nil {
		return count, fmt.Errorf("read counter: %w", err)
	}
	var c counterContent
	if err := json.Unmarshal(text, &c); err != nil {
		return count, fmt.Errorf("%w: %w", keyring.ErrCounterChanged, err)
	}
	if !bytes.Equal(c.ID, blob) {
		return count, keyring.ErrCounterChanged
	}
	count.Value = c.Value
	count.Place, count.At = placeOf(info)
	return count, nil
}

// placeOf is what a copy of the file does not share with it.
func placeOf(info os.FileInfo) (place []byte, at time.Time) {
	s := info.Sys().(*syscall.Stat_t)
	at = time.Unix(s.Ctim.Unix()).UTC()
	place = binary.BigEndian.AppendUint64(nil, s.Ino)
	return binary.BigEndian.AppendUint64(place, uint64(at.UnixNano())), at
}

// RaiseCounter writes a new file with one more, if that leads to to. It is on the
// disk once it returns.
func (p *Provider) RaiseCounter(blob []byte, to uint64) (keyring.Count, error) {
	count, err := p.ReadCounter(blob)
	if err != nil || count.Value+1 != to {
		return count, err
	}
	if err := p.putCounter(counterContent{ID: blob, Value: to}); err != nil {
		return count, fmt.Errorf("raise counter: %w", err)
	}
	return p.ReadCounter(blob)
}

func (p *Provider) putCounter(c counterContent) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return durable.Write(p.counterPath(), append(text, '\n'), 0o600)
}
