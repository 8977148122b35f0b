package tpm

import (
	"encoding/json"
	"fmt"

	"github.com/google/go-tpm/tpm2"
)

// blob is what the keyring keeps for us: an object that the TPM wrapped, and who
// that TPM was. Nothing in it is secret.
type blob struct {
	// Root is the public area of the storage root key, pinned: TPMT_PUBLIC.
	Root []byte `json:"root"`
	// Endorsement is the name of the TPM's endorsement key; empty where it has
	// none. It only tells a cleared TPM from another one.
	Endorsement []byte `json:"endorsement,omitempty"`
	Public      []byte `json:"public"`  // TPMT_PUBLIC
	Private     []byte `json:"private"` // as wrapped by the TPM
}

func parseBlob(data []byte) (blob, error) {
	var b blob
	if err := json.Unmarshal(data, &b); err != nil {
		return b, fmt.Errorf("%w (%w)", ErrAltered, err)
	}
	return b, nil
}

// root returns the pinned public area and its name.
func (b blob) root() (root, error) { return unmarshalPublic(b.Root) }

func unmarshalPublic(data []byte) (root, error) {
	public, err := tpm2.Unmarshal[tpm2.TPMTPublic](data)
	if err != nil {
		return root{}, fmt.Errorf("%w (%w)", ErrAltered, err)
	}
	if public.NameAlg != tpm2.TPMAlgSHA256 {
		return root{}, ErrAltered
	}
	return newPublic(*public)
}

// create makes an object under a root, in a session, and keeps it as a blob.
func (p *Provider) create(r root, s tpm2.Session, public tpm2.TPMTPublic, secret []byte) ([]byte, error) {
	command := tpm2.Create{ParentHandle: r.auth(s), InPublic: tpm2.New2B(public)}
	if secret != nil {
		command.InSensitive = tpm2.TPM2BSensitiveCreate{Sensitive: &tpm2.TPMSSensitiveCreate{
			Data: tpm2.NewTPMUSensitiveCreate(&tpm2.TPM2BSensitiveData{Buffer: secret}),
		}}
	}
	made, err := command.Execute(&p.wire)
	if err != nil {
		return nil, err
	}
	outPublic, err := made.OutPublic.Contents()
	if err != nil {
		return nil, err
	}
	return json.Marshal(blob{
		Root: tpm2.Marshal(r.public), Endorsement: p.endorsement(),
		Public: tpm2.Marshal(*outPublic), Private: made.OutPrivate.Buffer,
	})
}

// load makes the blob's object usable under its root, in a session. The object's
// name is computed here, so that the session vouches for the right object.
func (p *Provider) load(b blob, r root, s tpm2.Session) (tpm2.NamedHandle, error) {
	object, err := unmarshalPublic(b.Public)
	if err != nil {
		return tpm2.NamedHandle{}, err
	}
	loaded, err := tpm2.Load{
		ParentHandle: r.auth(s),
		InPrivate:    tpm2.TPM2BPrivate{Buffer: b.Private},
		InPublic:     tpm2.New2B(object.public),
	}.Execute(&p.wire)
	if err != nil {
		return tpm2.NamedHandle{}, err
	}
	return tpm2.NamedHandle{Handle: loaded.ObjectHandle, Name: object.name}, nil
}
