package main

import (
	"errors"
	"fmt"

	"relais/hardware/keyring"
	"relais/hardware/soft"
	"relais/hardware/tpm"
)

// recipients are those, beside the machine and the recovery code, that a hub's
// key is wrapped for: the département, where it is configured.
func (c KeysConfig) recipients() ([]keyring.Recipient, error) {
	if c.Departement == "" {
		return nil, nil
	}
	r, err := keyring.ParseRecipient(c.Departement)
	if err != nil {
		return nil, err
	}
	return []keyring.Recipient{r}, nil
}

// openKeys opens the keyring of a hub's folder with the provider that was pinned
// when it was made. A configuration that asks for another one is refused: a hub
// never becomes weaker, or stronger, by a line in a file.
func openKeys(c Config) (*keyring.Keyring, error) {
	pinned, err := keyring.Pinned(c.Hub.DataDir)
	if errors.Is(err, keyring.ErrNone) {
		return nil, fmt.Errorf("%s holds no hub: make one with relais init", c.Hub.DataDir)
	}
	if err != nil {
		return nil, err
	}
	if c.Keys.Provider != "auto" && c.Keys.Provider != string(pinned) {
		return nil, failWith(exitLocked, "the keys of this hub were made with provider %q and never change by themselves; keys.provider says %q", pinned, c.Keys.Provider)
	}
	p, err := openProvider(pinned, c)
	if err != nil {
		return nil, failWith(exitLocked, "locked: %w\nThe data is intact and unreadable. Bring the %s back, or open the hub elsewhere with its recovery code.", err, pinned)
	}
	keys, err := keyring.Open(c.Hub.DataDir, p)
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return keys, nil
}

// chooseProvider returns the provider of a hub to be made. auto takes a TPM
// where there is one, and only here: afterwards the choice is pinned.
func chooseProvider(c Config) (keyring.Provider, error) {
	kind := keyring.Kind(c.Keys.Provider)
	if c.Keys.Provider == "auto" {
		kind = keyring.KindSoftware
		if tpm.Present(c.Keys.Device) { // usable or not: one that refuses is to be mended, not passed over
			kind = keyring.KindTPM
		}
	}
	return openProvider(kind, c)
}

func openProvider(kind keyring.Kind, c Config) (keyring.Provider, error) {
	if kind == keyring.KindTPM {
		p, err := tpm.New(c.Keys.Device)
		if err != nil {
			return nil, fmt.Errorf("open the TPM at %s: %w", c.Keys.Device, err)
		}
		return p, nil
	}
	return soft.New(c.Hub.DataDir), nil
}
