package node

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"relais/node/fault"
	"relais/node/internal/argon2id"
	"relais/node/internal/store"
	"relais/node/people"
	"relais/node/seal"
)

// Argon2id as RFC 9106 §4 recommends where memory is counted: 3 passes, 64 MiB,
// 4 lanes, 16 octets of salt, 32 of tag.
const (
	argonPasses = 3
	argonMemory = 64 << 10 // KiB
	argonLanes  = 4
	argonSalt   = 16
	argonTag    = 32
)

// argonAtOnce bounds how many passphrases are hashed together: each takes 64 MiB,
// and a small machine has other work.
var argonAtOnce = make(chan struct{}, 2)

// errTooMany means that a sign-in waited for its turn in vain.
var errTooMany = errors.New("too many passphrases to hash at once")

// argonForm is the usual text of a verifier: parameters, salt and tag, so that
// they may be raised later without losing the accounts of today.
const argonForm = "$argon2id$v=19$m=%d,t=%d,p=%d$"

// makeVerifier hashes a passphrase. It may wait for others; the only error of its
// own is that ctx ended.
func (n *Node) makeVerifier(ctx context.Context, passphrase string) (string, error) {
	salt := make([]byte, argonSalt)
	rand.Read(salt) // never fails since Go 1.24
	tag, err := argon(ctx, passphrase, salt, argonPasses, argonMemory, argonLanes)
	if err != nil {
		return "", err
	}
	enc := base64.RawStdEncoding
	return fmt.Sprintf(argonForm, argonMemory, argonPasses, argonLanes) + enc.EncodeToString(salt) + "$" + enc.EncodeToString(tag), nil
}

// argonPatience is how long a sign-in waits for its turn. It is a variable so that
// a test need not wait as long.
var argonPatience = 5 * time.Second

// argon hashes a passphrase when its turn comes.
func argon(ctx context.Context, passphrase string, salt []byte, passes, memory uint32, lanes uint8) ([]byte, error) {
	select {
	case argonAtOnce <- struct{}{}:
		defer func() { <-argonAtOnce }()
	case <-ctx.Done():
		if errors.Is(context.Cause(ctx), errTooMany) {
			return nil, fault.New(fault.Limited,
				"Beaucoup de connexions sont demandées en même temps. Attendez "+secondsText(int64(argonPatience.Seconds()))+", puis réessayez.",
				errTooMany).After(argonPatience)
		}
		return nil, fault.New(fault.Unavailable, "Le relais est très occupé. Réessayez dans un instant.", ctx.Err())
	}
	return argon2id.Key([]byte(passphrase), salt, passes, memory, lanes, argonTag), nil
}

// nobodysVerifier is compared with when the login is unknown, so that the answer
// takes as long.
var nobodysVerifier = fmt.Sprintf(argonForm, argonMemory, argonPasses, argonLanes) +
	strings.Repeat("A", 22) + "$" + strings.Repeat("A", 43)

// checkPassphrase tells whether the passphrase is the account's. It costs the same
// for an account that is not known.
func (n *Node) checkPassphrase(ctx context.Context, row store.HelperRow, known bool, passphrase string) (bool, error) {
	verifier := nobodysVerifier
	if known {
		plain, err := n.sealer.Open(seal.PurposeCredential, helperPlace(row.ID, "verifier"), row.Verifier)
		if err != nil {
			return false, fmt.Errorf("verifier of %s: %w", row.ID, err)
		}
		verifier = string(plain)
	}
	return passphraseMatches(ctx, verifier, passphrase)
}

// passphraseMatches compares a passphrase with a verifier.
func passphraseMatches(ctx context.Context, verifier, passphrase string) (bool, error) {
	var memory, passes uint32
	var lanes uint8
	head, tail, _ := strings.Cut(strings.TrimPrefix(verifier, "$argon2id$v=19$"), "$")
	if _, err := fmt.Sscanf(head, "m=%d,t=%d,p=%d", &memory, &passes, &lanes); err != nil {
		return false, fmt.Errorf("a verifier is not in its form: %w", err)
	}
	saltText, tagText, _ := strings.Cut(tail, "$")
	salt, err := base64.RawStdEncoding.DecodeString(saltText)
	if err != nil {
		return false, fmt.Errorf("salt of a verifier: %w", err)
	}
	want, err := base64.RawStdEncoding.DecodeString(tagText)
	if err != nil {
		return false, fmt.Errorf("tag of a verifier: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, argonPatience, errTooMany)
	defer cancel()
	got, err := argon(ctx, passphrase, salt, passes, memory, lanes)
	return err == nil && subtle.ConstantTimeCompare(got, want) == 1, err
}

// A name is kept as given NUL family: neither part holds a control character.
func encodeName(name people.Name) []byte { return []byte(name.Given + "\x00" + name.Family) }

func decodeName(plain []byte) people.Name {
	given, family, _ := strings.Cut(string(plain), "\x00")
	return people.Name{Given: given, Family: family}
}
