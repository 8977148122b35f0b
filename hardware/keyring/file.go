package keyring

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"relais/node/seal"
)

// The two generations, in the data folder.
const (
	currentName  = "keyring.json"
	previousName = "keyring.previous.json"
)

// The versions of the file. It is written in the first that can say what it has
// to, so that an earlier binary reads it for as long as it may.
const (
	version1 = 1
	version2 = 2 // recipients, retired, tags

	fileVersion = version2 // the last that this binary reads
)

const (
	maxFileBytes = 64 << 10
	maxSlots     = 16
	maxEarlier   = 64 // keys before this one: how often a hub can be rekeyed
)

// file is the keyring as it is written. Nothing in it is secret without a slot.
type file struct {
	Version int    `json:"version"`
	Store   []byte `json:"store"` // seal.StoreID: random at init, survives a restore
	Epoch   uint32 `json:"epoch"` // of the purpose keys, from 1
	// Provider is pinned: the kind of slot that opens this hub.
	Provider Kind     `json:"provider"`
	Identity identity `json:"identity"`
	Check    []byte   `json:"check"` // see file.check
	Slots    []slot   `json:"slots"`
	// Recipients are the public halves, age1…, that the departement slots are for:
	// a slot does not say, and a new KEK needs a new one.
	Recipients []string `json:"recipients,omitempty"`
	// Retired are earlier KEKs, each sealed under this one, for as long as
	// something is still sealed under them.
	Retired []earlier `json:"retired,omitempty"`
	// Tags are the tag keys of every earlier epoch: see tags.go.
	Tags []earlier `json:"tags,omitempty"`
}

// earlier is something of an epoch before, sealed under the KEK of now.
type earlier struct {
	Epoch  uint32 `json:"epoch"`
	Sealed []byte `json:"sealed"`
}

// identity is the hub's signing key, as its provider keeps it.
type identity struct {
	Public []byte `json:"public"` // DER SubjectPublicKeyInfo
	Sealed []byte `json:"sealed"` // the provider's blob, under the KEK
	// Unused is set on an identity that was made for a folder of before, until that
	// folder has it.
	Unused bool `json:"unused,omitempty"`
}

// slot is the KEK wrapped in one way. A kind that this version does not know is
// kept and not tried.
type slot struct {
	Kind Kind   `json:"kind"`
	Blob []byte `json:"blob"`
}

// envelope tells a whole file from a torn one without any key.
type envelope struct {
	Keyring json.RawMessage `json:"keyring"`
	SHA256  []byte          `json:"sha256"` // of Keyring, compacted
}

// check is the value by which a KEK proves that it is this file's: an HMAC under
// a key made from it, over everything the slots do not protect themselves.
func (f *file) check(p *purposes) []byte {
	key := p.derive(useCheck, "")
	defer clear(key)
	mac := hmac.New(sha256.New, key)
	binary.Write(mac, binary.BigEndian, uint32(f.Version))
	part := func(octets []byte) {
		binary.Write(mac, binary.BigEndian, uint32(len(octets)))
		mac.Write(octets)
	}
	for _, octets := range [][]byte{f.Store, []byte(f.Provider), f.Identity.Public, f.Identity.Sealed} {
		part(octets)
	}
	if f.Version == version1 {
		return mac.Sum(nil)
	}
	binary.Write(mac, binary.BigEndian, []uint32{uint32(len(f.Recipients)), uint32(len(f.Retired)), uint32(len(f.Tags))})
	for _, r := range f.Recipients {
		part([]byte(r))
	}
	for _, e := range slices.Concat(f.Retired, f.Tags) {
		binary.Write(mac, binary.BigEndian, e.Epoch)
		part(e.Sealed)
	}
	return mac.Sum(nil)
}

// prove completes a file that was changed: its version, and its check value.
func (f *file) prove(p *purposes) {
	f.Version = version1
	if len(f.Recipients)+len(f.Retired)+len(f.Tags) > 0 {
		f.Version = version2
	}
	f.Check = f.check(p)
}

// proves tells whether kek is this file's, in constant time.
func (f *file) proves(kek []byte) bool {
	if len(kek) != kekSize {
		return false
	}
	p := f.purposes(kek)
	defer p.destroy()
	return hmac.Equal(f.Check, f.check(p))
}

// purposes hands out the keys made from kek, of which it keeps a copy: destroy it
// once they are not needed.
func (f *file) purposes(kek []byte) *purposes {
	return &purposes{kek: bytes.Clone(kek), store: seal.StoreID(f.Store), epoch: f.Epoch}
}

// encode writes f for the disk, for people to read too.
func (f *file) encode() ([]byte, error) {
	raw, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(raw)
	data, err := json.MarshalIndent(envelope{Keyring: raw, SHA256: sum[:]}, "", "  ")
	if len(data) >= maxFileBytes {
		return nil, fmt.Errorf("the keyring would be over %d octets, and not be read again", maxFileBytes)
	}
	return append(data, '\n'), err
}

// decode reads what encode wrote. Except for ErrNewer, an error means that the
// file is torn or altered.
func decode(data []byte) (*file, error) {
	var e envelope
	if err := strict(data, &e); err != nil {
		return nil, err
	}
	var raw bytes.Buffer
	if err := json.Compact(&raw, e.Keyring); err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(raw.Bytes()); !bytes.Equal(sum[:], e.SHA256) {
		return nil, errors.New("its checksum does not match")
	}
	var later struct{ Version int }
	if err := json.Unmarshal(raw.Bytes(), &later); err == nil && later.Version > fileVersion {
		return nil, ErrNewer
	}
	var f file
	if err := strict(raw.Bytes(), &f); err != nil {
		return nil, err
	}
	return &f, f.validate()
}

func strict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("it goes on after its end")
	}
	return nil
}

func (f *file) validate() error {
	switch {
	case f.Version < version1 || f.Version > fileVersion:
		return fmt.Errorf("its version is %d, not %d to %d", f.Version, version1, fileVersion)
	case f.Version == version1 && len(f.Recipients)+len(f.Retired)+len(f.Tags) > 0:
		return errors.New("it holds what its version does not know")
	case len(f.Store) != len(seal.StoreID{}):
		return errors.New("its store id is not 16 octets")
	case f.Epoch == 0:
		return errors.New("it has no epoch")
	case !f.Provider.ofMachine():
		return fmt.Errorf("its provider is %.20q, not tpm or software", string(f.Provider))
	case len(f.Slots) == 0 || len(f.Slots) > maxSlots:
		return fmt.Errorf("it has %d slots, not 1 to %d", len(f.Slots), maxSlots)
	case len(f.Recipients) > maxSlots:
		return fmt.Errorf("it has %d recipients, over %d", len(f.Recipients), maxSlots)
	}
	return errors.Join(f.validateEarlier(f.Retired), f.validateEarlier(f.Tags))
}

// validateEarlier refuses epochs that are not before this one, in their order.
func (f *file) validateEarlier(list []earlier) error {
	if len(list) > maxEarlier {
		return fmt.Errorf("it keeps %d earlier epochs, over %d", len(list), maxEarlier)
	}
	last := uint32(0)
	for _, e := range list {
		if e.Epoch <= last || e.Epoch >= f.Epoch {
			return fmt.Errorf("it keeps something of epoch %d, out of its order", e.Epoch)
		}
		last = e.Epoch
	}
	return nil
}

// load reads the current generation or, when it is missing or torn, the previous
// one; torn then says what was wrong with the current one. Errors: ErrNone,
// ErrNewer, ErrTorn.
func load(dir string) (f *file, torn error, err error) {
	f, torn = read(filepath.Join(dir, currentName))
	if torn == nil || errors.Is(torn, ErrNewer) {
		return f, nil, torn
	}
	f, err = read(filepath.Join(dir, previousName))
	switch {
	case errors.Is(torn, os.ErrNotExist) && errors.Is(err, os.ErrNotExist):
		return nil, nil, fmt.Errorf("%w in %s", ErrNone, dir)
	case err != nil:
		return nil, nil, fmt.Errorf("%w: %w", ErrTorn, errors.Join(torn, err))
	}
	return f, torn, nil
}

func read(path string) (*file, error) {
	data, err := readBounded(path, maxFileBytes)
	if err != nil {
		return nil, err
	}
	f, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// readBounded reads a file of at most so many octets.
func readBounded(path string, most int64) ([]byte, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("%s is over %d octets", path, most)
	}
	return data, nil
}
