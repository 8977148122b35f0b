package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"relais/node/durable"

	"filippo.io/age"
	"golang.org/x/mod/sumdb/note"

	"relais/node/territory"
)

// The territory's root is an Ed25519 key that signs rosters and nothing else. It
// lives in root.age, encrypted under a passphrase (age, scrypt), and belongs on
// a stick in a drawer. root.pub is what every hub is told when it is made.
const (
	rootSecretFile = "root.age"
	rootPublicFile = "root.pub"

	// passphraseCredential is looked for in $CREDENTIALS_DIRECTORY.
	passphraseCredential = "root-passphrase"

	minPassphraseOctets = 12
)

// readPassphrase takes the first line of the file, or of the credential that
// systemd hands over. It is never taken from the command line or environment,
// where others of the machine may read it.
func readPassphrase(file string) (string, error) {
	if file == "" {
		folder := os.Getenv("CREDENTIALS_DIRECTORY")
		if folder == "" {
			return "", failWith(exitUsage, "give --passphrase-file, or the credential %s", passphraseCredential)
		}
		file = filepath.Join(folder, passphraseCredential)
	}
	text, err := readBounded(file, 4096)
	if err != nil {
		return "", fmt.Errorf("read the root's passphrase: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if line = strings.TrimSpace(line); len(line) < minPassphraseOctets {
		return "", fmt.Errorf("the passphrase in %s has fewer than %d characters", file, minPassphraseOctets)
	}
	return line, nil
}

// makeRoot makes a territory's root in dir and returns its public half, a note
// verifier key.
func makeRoot(dir string, code territory.Code, passphrase string) (string, error) {
	secret, public, err := note.GenerateKey(rand.Reader, rootName(code))
	if err != nil {
		return "", err
	}
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return "", err
	}
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, recipient)
	if err != nil {
		return "", err
	}
	if _, err := io.WriteString(w, secret); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	if err := durable.Write(filepath.Join(dir, rootSecretFile), sealed.Bytes(), 0o600); err != nil {
		return "", err
	}
	return public, durable.Write(filepath.Join(dir, rootPublicFile), []byte(public+"\n"), 0o644)
}

// openRoot decrypts the root kept in dir.
func openRoot(dir, passphrase string) (note.Signer, error) {
	sealed, err := os.Open(filepath.Join(dir, rootSecretFile))
	if err != nil {
		return nil, err
	}
	defer sealed.Close()
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, err
	}
	r, err := age.Decrypt(sealed, identity)
	if _, wrong := errors.AsType[*age.NoIdentityMatchError](err); wrong {
		return nil, failWith(exitLocked, "the passphrase does not open %s", sealed.Name())
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", sealed.Name(), err)
	}
	secret, err := io.ReadAll(io.LimitReader(r, 4096))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", sealed.Name(), err)
	}
	return note.NewSigner(string(secret))
}

// readRootKey returns the root's public half: what was given, or the content of
// the file that was named.
func readRootKey(keyOrFile string) (string, error) {
	if _, err := note.NewVerifier(keyOrFile); err == nil {
		return keyOrFile, nil
	}
	text, err := readBounded(keyOrFile, 4096)
	if err != nil {
		return "", fmt.Errorf("read the root key: %w", err)
	}
	key := strings.TrimSpace(string(text))
	if _, err := note.NewVerifier(key); err != nil {
		return "", fmt.Errorf("%s holds no root key: it should be the one line of root.pub, relais-CODE+…", keyOrFile)
	}
	return key, nil
}

// rootName is the name in the keys of a territory's root.
func rootName(code territory.Code) string { return "relais-" + string(code) }

// checkRootOf refuses the root of another territory than the configuration's: a
// hub is told both once, and never again.
func checkRootOf(key string, code territory.Code) error {
	root, err := note.NewVerifier(key)
	if err != nil {
		return fmt.Errorf("root key: %w", err)
	}
	if root.Name() != rootName(code) {
		return fmt.Errorf("the root key is that of territory %q, and hub.territory says %q: one of them is wrong",
			strings.TrimPrefix(root.Name(), rootName("")), code)
	}
	return nil
}
