package keyring

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"

	"relais/node/seal"
)

// Recipient is the public half of the département's key (age, X25519). What is
// wrapped for it opens with a DepartementKey, which no hub ever has.
type Recipient struct{ public *age.X25519Recipient }

// secretPrefix begins the secret half of an age key.
const secretPrefix = "AGE-SECRET-KEY-"

// ParseRecipient reads "age1…". Its errors say what was given instead, and never
// repeat a secret.
func ParseRecipient(text string) (Recipient, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(strings.ToUpper(text), secretPrefix) {
		return Recipient{}, errors.New("that is the département's secret key, which no hub must know: give its public half, age1…")
	}
	public, err := age.ParseX25519Recipient(text)
	if err != nil {
		return Recipient{}, fmt.Errorf("not the public half of an age key, age1… (X25519): %w", err)
	}
	return Recipient{public}, nil
}

// String is "age1…".
func (r Recipient) String() string { return r.public.String() }

func (r Recipient) wrap(kek []byte) ([]byte, error) {
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, r.public)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(kek); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return sealed.Bytes(), nil
}

// DepartementKey opens the hubs of a whole département. It is read from where it
// is kept, off line, for the time of one recovery.
type DepartementKey struct{ identities []age.Identity }

// ParseDepartementKey reads a file of age-keygen.
func ParseDepartementKey(file []byte) (DepartementKey, error) {
	identities, err := age.ParseIdentities(bytes.NewReader(file))
	if err != nil { // whose text may hold a part of the secret
		return DepartementKey{}, errors.New("not the secret half of an age key: a file of age-keygen, with a line " + secretPrefix + "1…")
	}
	return DepartementKey{identities}, nil
}

const hiddenKey = "département key (hidden)"

// String hides the key, so that a careless message does not print it.
func (k DepartementKey) String() string { return hiddenKey }

// GoString hides the key.
func (k DepartementKey) GoString() string { return hiddenKey }

func (DepartementKey) kind() Kind { return KindDepartement }

// unwrap opens the blob of a departement slot.
func (k DepartementKey) unwrap(_ seal.StoreID, blob []byte) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(blob), k.identities...)
	if _, other := errors.AsType[*age.NoIdentityMatchError](err); other {
		return nil, errors.New("this is not the département key that this hub was made with")
	}
	if err != nil {
		return nil, fmt.Errorf("departement slot: %w", err)
	}
	return io.ReadAll(io.LimitReader(r, kekSize+1))
}
