package tpm

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/google/go-tpm/tpm2"
)

// rootHandle is where the TCG has the storage root key kept (TPM 2.0 Keys for
// Device Identity and Attestation; Provisioning Guidance).
const rootHandle tpm2.TPMHandle = 0x81000001

// root is a storage root key that is loaded: the parent of what we keep, and
// what sessions are salted to.
type root struct {
	handle    tpm2.TPMHandle
	name      tpm2.TPM2BName
	public    tpm2.TPMTPublic
	transient bool // made anew for this operation
}

// auth authorises the use of the root, which has no password.
func (r root) auth(s tpm2.Session) tpm2.AuthHandle {
	return tpm2.AuthHandle{Handle: r.handle, Name: r.name, Auth: s}
}

// plain is an authorisation by an empty password, where nothing secret passes.
func plain() tpm2.Session { return tpm2.PasswordAuth(nil) }

// release unloads a root made for one operation.
func (p *Provider) release(r root) {
	if r.transient {
		p.flush(r.handle)
	}
}

// newRoot returns the root for a new slot: the TCG's P-256 storage root key, made
// persistent when its place is free. When the place is taken by another key, or
// the TPM's storage is full, it is made anew at each start: the owner's seed
// always gives the same.
func (p *Provider) newRoot() (root, error) {
	made, err := p.makeRoot()
	if isOwnerAuth(err) {
		return p.provisionedRoot(err)
	}
	if err != nil {
		return root{}, err
	}
	if stored, err := p.storedRoot(); err == nil && bytes.Equal(stored.name.Buffer, made.name.Buffer) {
		p.release(made)
		return stored, nil
	}
	_, err = tpm2.EvictControl{
		Auth:             tpm2.AuthHandle{Handle: tpm2.TPMRHOwner, Auth: plain()},
		ObjectHandle:     tpm2.NamedHandle{Handle: made.handle, Name: made.name},
		PersistentHandle: rootHandle,
	}.Execute(&p.wire)
	if err != nil {
		return made, nil
	}
	p.release(made)
	return p.storedRoot()
}

// makeRoot derives the root from the owner's seed, as a transient object.
func (p *Provider) makeRoot() (root, error) {
	return p.makePrimary(tpm2.TPMRHOwner, tpm2.ECCSRKTemplate)
}

func (p *Provider) makePrimary(hierarchy tpm2.TPMHandle, template tpm2.TPMTPublic) (root, error) {
	made, err := tpm2.CreatePrimary{
		PrimaryHandle: tpm2.AuthHandle{Handle: hierarchy, Auth: plain()},
		InPublic:      tpm2.New2B(template),
	}.Execute(&p.wire)
	if err != nil {
		return root{}, err
	}
	public, err := made.OutPublic.Contents()
	if err != nil {
		p.flush(made.ObjectHandle)
		return root{}, err
	}
	r, err := newPublic(*public)
	r.handle, r.transient = made.ObjectHandle, true
	return r, err
}

// storedRoot reads the persistent key, whatever it is.
func (p *Provider) storedRoot() (root, error) {
	read, err := tpm2.ReadPublic{ObjectHandle: rootHandle}.Execute(&p.wire)
	if err != nil {
		return root{}, err
	}
	public, err := read.OutPublic.Contents()
	if err != nil {
		return root{}, err
	}
	r, err := newPublic(*public)
	r.handle = rootHandle
	return r, err
}

// provisionedRoot is for an owner hierarchy with a password: only a root that
// somebody made persistent, of the same template, will do.
func (p *Provider) provisionedRoot(refused error) (root, error) {
	stored, err := p.storedRoot()
	if err != nil || !sameTemplate(stored.public, tpm2.ECCSRKTemplate) {
		return root{}, fmt.Errorf("%w (%w)", ErrOwnerAuth, refused)
	}
	return stored, nil
}

func sameTemplate(a, b tpm2.TPMTPublic) bool {
	a.Unique = b.Unique
	return bytes.Equal(tpm2.Marshal(a), tpm2.Marshal(b))
}

// pinnedRoot returns the root that a blob was made under, and no other: the
// persistent one or, if somebody removed it, the same made anew. The name is
// computed from the public area here; what the bus calls it does not count.
func (p *Provider) pinnedRoot(b blob) (root, error) {
	pinned, err := b.root()
	if err != nil {
		return root{}, err
	}
	if bytes.Equal(p.verified.name.Buffer, pinned.name.Buffer) {
		return p.verified, nil
	}
	stored, err := p.storedRoot()
	if err == nil && bytes.Equal(stored.name.Buffer, pinned.name.Buffer) {
		p.verified = stored
		return stored, nil
	}
	if errors.Is(err, ErrSilent) {
		return root{}, err
	}
	made, err := p.makeRoot()
	if isOwnerAuth(err) {
		return root{}, fmt.Errorf("%w (%w)", ErrOwnerAuth, err)
	}
	if err != nil {
		return root{}, err
	}
	if !bytes.Equal(made.name.Buffer, pinned.name.Buffer) {
		p.release(made)
		return root{}, p.clearedOrReplaced(b)
	}
	return made, nil
}

// clearedOrReplaced tells the two apart by the endorsement key, whose seed
// survives a clear. Nothing but a message depends on it.
func (p *Provider) clearedOrReplaced(b blob) error {
	if name := p.endorsement(); len(name) > 0 && bytes.Equal(name, b.Endorsement) {
		return ErrCleared
	}
	return ErrReplaced
}

// endorsement returns the name of the TPM's P-256 endorsement key, or nothing
// where it cannot be made.
func (p *Provider) endorsement() []byte {
	made, err := p.makePrimary(tpm2.TPMRHEndorsement, tpm2.ECCEKTemplate)
	if err != nil {
		return nil
	}
	p.release(made)
	return made.name.Buffer
}

// newPublic computes the name of a public area.
func newPublic(public tpm2.TPMTPublic) (root, error) {
	name, err := tpm2.ObjectName(&public)
	if err != nil {
		return root{}, err
	}
	return root{name: *name, public: public}, nil
}
