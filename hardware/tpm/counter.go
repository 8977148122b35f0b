package tpm

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/go-tpm/tpm2"

	"relais/hardware/keyring"
)

const counterSize = 8 // octets of an NV counter

// The owner's range of NV indexes that the TCG leaves to whoever comes (Registry
// of Reserved TPM 2.0 Handles): ours is drawn in it, and drawn again where it is
// taken.
const (
	firstIndex    = tpm2.TPMHandle(0x01800000)
	indexMask     = 0xffff
	indexAttempts = 8
)

// counterAttributes are those of a counter that the hub alone counts up, by a
// password that nobody may try to death (noDA); the owner may read it. Written is
// set by the TPM the first time, and the index's name changes with it.
var counterAttributes = tpm2.TPMANV{
	NT: tpm2.TPMNTCounter, AuthRead: true, AuthWrite: true, OwnerRead: true, NoDA: true,
}

// counterBlob is what the keyring keeps, sealed, of a counter.
type counterBlob struct {
	Root        []byte `json:"root"` // pinned, as in blob
	Endorsement []byte `json:"endorsement,omitempty"`
	Public      []byte `json:"public"` // TPMS_NV_PUBLIC, once written
	// Auth is the index's password: base32, for go-tpm cuts one at its first zero
	// octet.
	Auth string `json:"auth"`
}

// counter is an index that is ready to be asked.
type counter struct {
	root  blob // names the root, for pinnedRoot
	index tpm2.NamedHandle
	auth  []byte
}

// NewCounter makes an NV counter that starts where no earlier one of this TPM
// ever was. Its password crosses the bus encrypted. Errors: keyring.ErrNoCounter
// with ErrOwnerAuth or ErrStorageFull, when the TPM's owner will have none.
func (p *Provider) NewCounter() (made []byte, err error) {
	err = p.do("make counter", func() error {
		r, err := p.newRoot()
		if err != nil {
			return noCounter(err)
		}
		defer p.release(r)
		c, public, err := p.define(r)
		if err != nil {
			return noCounter(err)
		}
		session, end, err := p.vouching(r, c)
		if err != nil {
			return err
		}
		defer end()
		if err := p.increment(c, session); err != nil { // it has no value until then
			return err
		}
		made, err = json.Marshal(counterBlob{
			Root: tpm2.Marshal(r.public), Endorsement: p.endorsement(), Public: public, Auth: string(c.auth),
		})
		return err
	})
	return made, err
}

// define makes an index with a password of its own, and returns it as it will be
// once written.
func (p *Provider) define(r root) (c counter, public []byte, err error) {
	s, end, err := p.encrypted(r, tpm2.AESEncryption(aesBits, tpm2.EncryptIn))
	if err != nil {
		return c, nil, err
	}
	defer end()
	c.auth = []byte(rand.Text()) // base32, 128 bits
	for range indexAttempts {
		area := tpm2.TPMSNVPublic{
			NVIndex: drawIndex(), NameAlg: tpm2.TPMAlgSHA256, Attributes: counterAttributes, DataSize: counterSize,
		}
		_, err = tpm2.NVDefineSpace{
			AuthHandle: tpm2.AuthHandle{Handle: tpm2.TPMRHOwner, Auth: s},
			Auth:       tpm2.TPM2BAuth{Buffer: c.auth},
			PublicInfo: tpm2.New2B(area),
		}.Execute(&p.wire)
		if errors.Is(err, tpm2.TPMRCNVDefined) {
			continue
		}
		if err != nil {
			return c, nil, err
		}
		c.index, err = named(area)
		area.Attributes.Written = true
		return c, tpm2.Marshal(area), err
	}
	return c, nil, err
}

func drawIndex() tpm2.TPMHandle {
	var b [4]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return firstIndex | tpm2.TPMHandle(binary.BigEndian.Uint32(b[:])&indexMask)
}

// named computes an index's name here: what the bus calls it does not count.
func named(area tpm2.TPMSNVPublic) (tpm2.NamedHandle, error) {
	name, err := tpm2.NVName(&area)
	if err != nil {
		return tpm2.NamedHandle{}, err
	}
	return tpm2.NamedHandle{Handle: area.NVIndex, Name: *name}, nil
}

// noCounter tells a TPM whose owner will have no counter from one that fails.
func noCounter(err error) error {
	switch {
	case isOwnerAuth(err):
		return fmt.Errorf("%w: %w (%w)", keyring.ErrNoCounter, ErrOwnerAuth, err)
	case errors.Is(err, ErrOwnerAuth), errors.Is(err, tpm2.TPMRCNVDefined):
		return fmt.Errorf("%w: %w", keyring.ErrNoCounter, err)
	case errors.Is(err, tpm2.TPMRCNVSpace):
		return fmt.Errorf("%w: %w (%w)", keyring.ErrNoCounter, ErrStorageFull, err)
	}
	return err
}

// ReadCounter returns where a counter stands: two commands. Errors:
// keyring.ErrCounterMissing, keyring.ErrCounterChanged, ErrCleared, ErrReplaced.
func (p *Provider) ReadCounter(made []byte) (keyring.Count, error) {
	return p.count("read counter", made, nil)
}

// RaiseCounter counts one up if that leads to to: four commands. It reads first,
// so that an increment whose answer was lost is not made twice. Errors are those
// of ReadCounter.
func (p *Provider) RaiseCounter(made []byte, to uint64) (keyring.Count, error) {
	raised := false
	c, err := p.count("raise counter", made, func(c counter, value uint64, s tpm2.Session) error {
		if raised = false; value+1 != to {
			return nil
		}
		err := p.increment(c, s)
		raised = err == nil
		return err
	})
	if raised {
		c.Value = to
	}
	return c, err
}

// count reads a counter in a session salted to the pinned root, which vouches for
// the answer, and does something more in it, if that is not nil.
func (p *Provider) count(step string, made []byte, more func(counter, uint64, tpm2.Session) error) (count keyring.Count, err error) {
	c, err := parseCounter(made)
	if err != nil {
		return count, explain(step, err)
	}
	place := sha256.Sum256(c.index.Name.Buffer)
	err = p.do(step, func() error {
		r, err := p.pinnedRoot(c.root)
		if err != nil {
			return err
		}
		defer p.release(r)
		vouching := p.vouching
		if more == nil {
			vouching = p.vouchingOnce
		}
		session, end, err := vouching(r, c)
		if isGone(err) { // the root went away meanwhile: the TPM was perhaps cleared
			p.verified = root{}
		}
		if err != nil {
			return err
		}
		defer end()
		value, err := p.value(c, session)
		if err != nil {
			return err
		}
		count = keyring.Count{Value: value, Place: place[:]}
		if more == nil {
			return nil
		}
		return more(c, value, session)
	})
	return count, err
}

// vouching opens a session that proves, both ways, the index's password and the
// pinned root's private key. It encrypts nothing: a counter's value is no secret.
func (p *Provider) vouching(r root, c counter) (tpm2.Session, func() error, error) {
	return tpm2.HMACSession(&p.wire, tpm2.TPMAlgSHA256, nonceSize, tpm2.Salted(r.handle, r.public), tpm2.Auth(c.auth))
}

// vouchingOnce is vouching for one command, with which the TPM itself unloads the
// session: a start has one command less. go-tpm unloads it when that command fails.
func (p *Provider) vouchingOnce(r root, c counter) (tpm2.Session, func() error, error) {
	s := tpm2.HMAC(tpm2.TPMAlgSHA256, nonceSize, tpm2.Salted(r.handle, r.public), tpm2.Auth(c.auth))
	err := s.Init(&p.wire)
	return s, func() error { return nil }, err
}

func parseCounter(made []byte) (c counter, err error) {
	var b counterBlob
	if err := json.Unmarshal(made, &b); err != nil {
		return c, fmt.Errorf("%w (%w)", ErrAltered, err)
	}
	area, err := tpm2.Unmarshal[tpm2.TPMSNVPublic](b.Public)
	if err != nil {
		return c, fmt.Errorf("%w (%w)", ErrAltered, err)
	}
	c.root, c.auth = blob{Root: b.Root, Endorsement: b.Endorsement}, []byte(b.Auth)
	c.index, err = named(*area)
	return c, err
}

// authorised is the use of the index by its own password.
func (c counter) authorised(s tpm2.Session) tpm2.AuthHandle {
	return tpm2.AuthHandle{Handle: c.index.Handle, Name: c.index.Name, Auth: s}
}

func (p *Provider) value(c counter, s tpm2.Session) (uint64, error) {
	read, err := tpm2.NVRead{AuthHandle: c.authorised(s), NVIndex: c.index, Size: counterSize}.Execute(&p.wire)
	if err != nil {
		return 0, strangeCounter(err)
	}
	if len(read.Data.Buffer) != counterSize {
		return 0, fmt.Errorf("%w: %d octets", keyring.ErrCounterChanged, len(read.Data.Buffer))
	}
	return binary.BigEndian.Uint64(read.Data.Buffer), nil
}

func (p *Provider) increment(c counter, s tpm2.Session) error {
	_, err := tpm2.NVIncrement{AuthHandle: c.authorised(s), NVIndex: c.index}.Execute(&p.wire)
	return strangeCounter(err)
}

// strangeCounter says what became of an index that does not answer as ours.
func strangeCounter(err error) error {
	switch {
	case isGone(err):
		return fmt.Errorf("%w (%w)", keyring.ErrCounterMissing, err)
	case isOwnerAuth(err), // its password, or its name, which the session covers
		errors.Is(err, tpm2.TPMRCNVUninitialized), errors.Is(err, tpm2.TPMRCNVAuthorization),
		errors.Is(err, tpm2.TPMRCNVRange), errors.Is(err, tpm2.TPMRCAttributes):
		return fmt.Errorf("%w (%w)", keyring.ErrCounterChanged, err)
	}
	return err
}
