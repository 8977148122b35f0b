package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"
	"golang.org/x/mod/sumdb/note"

	"relais/node/durable"
	"relais/node/territory"
)

// The territory's root signs rosters and certifies hubs, and nothing else. It
// lives in root.age, encrypted under a passphrase (age, scrypt), and belongs on
// a stick in a drawer; or it is sealed on one hub. root.pub is what every hub is
// told when it is made.
const (
	rootSecretFile = "root.age"
	rootPublicFile = "root.pub"

	// passphraseCredential is looked for in $CREDENTIALS_DIRECTORY.
	passphraseCredential = "root-passphrase"

	minPassphraseOctets = 12
	maxRootOctets       = 64 << 10

	// rootWork is the logarithm of scrypt's N (RFC 7914), as age chooses it: a
	// quarter of a GiB, and a second of a processor for each guess.
	rootWork = 18
)

// scryptWork is a variable so that a hundred verbs of the tests need not each do
// that work, which a test of its own does.
var scryptWork = rootWork

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

// makeRoot makes a territory's root in dir and returns it. With next, the key
// that will follow it is kept in that file instead: elsewhere, it takes the
// territory back from whoever stole this one.
func makeRoot(dir string, code territory.Code, name, passphrase, next string, domains []string) (territory.Root, error) {
	root, err := territory.NewRoot(code, name, time.Now(), domains...)
	if err != nil {
		return root, err
	}
	return root, keepRoot(dir, root, passphrase, next)
}

// keepRoot writes a root in dir. The key that follows is in root.age until it is
// whole elsewhere: whatever is interrupted, no key is lost.
func keepRoot(dir string, root territory.Root, passphrase, next string) error {
	text, err := root.Text()
	if err != nil {
		return err
	}
	if err := writeSecret(filepath.Join(dir, rootSecretFile), text, passphrase); err != nil {
		return err
	}
	if err := durable.Write(filepath.Join(dir, rootPublicFile), []byte(root.Public()+"\n"), 0o644); err != nil {
		return err
	}
	if next == "" {
		return nil
	}
	if err := writeSecret(next, []byte(root.Next()), passphrase); err != nil {
		return err
	}
	return keepRoot(dir, root.Without(), passphrase, "")
}

// writeSecret encrypts a text under a passphrase.
func writeSecret(path string, text []byte, passphrase string) error {
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return err
	}
	recipient.SetWorkFactor(scryptWork)
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, recipient)
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return durable.Write(path, sealed.Bytes(), 0o600)
}

// readSecret decrypts what writeSecret wrote; exit status 5 for the wrong
// passphrase.
func readSecret(path, passphrase string) ([]byte, error) {
	sealed, err := os.Open(path)
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
		return nil, failWith(exitLocked, "the passphrase does not open %s", path)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	text, err := io.ReadAll(io.LimitReader(r, maxRootOctets))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return text, nil
}

// openRoot decrypts the root kept in dir, and the key that follows from next if
// it is kept there.
func openRoot(dir, passphrase, next string) (territory.Root, error) {
	path := filepath.Join(dir, rootSecretFile)
	text, err := readSecret(path, passphrase)
	if err != nil {
		return territory.Root{}, err
	}
	root, err := territory.ParseRoot(text)
	if err != nil {
		return root, fmt.Errorf("%s: %w", path, err)
	}
	if next == "" || root.Next() != "" {
		return root, nil
	}
	following, err := readSecret(next, passphrase)
	if err != nil {
		return root, err
	}
	return root.With(string(following))
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

// checkRootOf refuses the root of another territory than the configuration's: a
// hub is told both once, and never again.
func checkRootOf(key string, code territory.Code) error {
	root, err := note.NewVerifier(key)
	if err != nil {
		return fmt.Errorf("root key: %w", err)
	}
	if root.Name() != territory.RootName(code) {
		return fmt.Errorf("the root key is that of territory %q, and hub.territory says %q: one of them is wrong",
			strings.TrimPrefix(root.Name(), territory.RootName("")), code)
	}
	return nil
}
