package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"relais/hardware/agent"
	"relais/hardware/keyring"
	"relais/hardware/soft"
	"relais/hardware/tpm"
	"relais/node"
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

// openFolder opens a hub's folder: its lock, then its keys, then its node. The
// lock comes first because a key device answers one process at a time: a second
// one would wait for it in vain, or disturb the hub that runs.
func openFolder(ctx context.Context, c Config, log *slog.Logger) (*keyring.Keyring, *node.Node, error) {
	pinned, err := pinnedProvider(c)
	if err != nil {
		return nil, nil, err
	}
	folder, err := node.LockFolder(c.Hub.DataDir)
	if err != nil {
		return nil, nil, err
	}
	keys, err := openKeys(c, pinned)
	if err != nil {
		return nil, nil, errors.Join(err, folder.Release())
	}
	n, err := openNode(ctx, c, folder, keys, log)
	if err != nil {
		return nil, nil, errors.Join(err, keys.Close())
	}
	return keys, n, nil
}

// pinnedProvider is the provider that was pinned when the hub was made. A
// configuration that asks for another one is refused: a hub never becomes weaker,
// or stronger, by a line in a file.
func pinnedProvider(c Config) (keyring.Kind, error) {
	pinned, err := keyring.Pinned(c.Hub.DataDir)
	if errors.Is(err, keyring.ErrNone) {
		return "", fmt.Errorf("%s holds no hub: make one with relais init", c.Hub.DataDir)
	}
	if errors.Is(err, keyring.ErrTorn) {
		return "", keyring.Locked(err)
	}
	if err != nil {
		return "", err
	}
	if c.Keys.Provider != "auto" && c.Keys.Provider != string(pinned) {
		return "", keyring.Locked(fmt.Errorf("%w: the keys of this hub were made with provider %q, and keys.provider says %q", keyring.ErrOtherProvider, pinned, c.Keys.Provider))
	}
	return pinned, nil
}

// openKeys opens the keyring of a folder that this process holds.
func openKeys(c Config, pinned keyring.Kind) (*keyring.Keyring, error) {
	p, err := openProvider(pinned, c)
	if err != nil {
		return nil, keyring.Locked(err)
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
	if kind == keyring.KindTPM && c.Keys.Agent != "" {
		return dialAgent(c.Keys.Agent)
	}
	if kind == keyring.KindTPM {
		p, err := tpm.New(c.Keys.Device)
		if err != nil {
			return nil, fmt.Errorf("open the TPM at %s: %w", c.Keys.Device, err)
		}
		return p, nil
	}
	return soft.New(c.Hub.DataDir), nil
}

// dialAgent reaches the TPM through the seal agent, and takes nothing else for
// one.
func dialAgent(path string) (keyring.Provider, error) {
	p, err := agent.Dial(path, tpm.Reasons())
	if err != nil {
		return nil, err
	}
	if p.Kind() != keyring.KindTPM {
		return nil, errors.Join(fmt.Errorf("the seal agent at %s guards keys by %s, not by a TPM", path, p.Kind()), p.Close())
	}
	return p, nil
}
