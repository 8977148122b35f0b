package territory

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"time"
	"unicode"

	"relais/node/label"
)

// InviteSecret is what makes an invitation good for one hub, once.
type InviteSecret [16]byte

// Hash is how the secret is kept: SHA-256(label ‖ secret).
func (s InviteSecret) Hash() [sha256.Size]byte { return label.InviteSecret.Sum(s[:]) }

// Opens tells, in constant time, whether s is the secret of this hash.
func (s InviteSecret) Opens(hash []byte) bool {
	ours := s.Hash()
	return subtle.ConstantTimeCompare(ours[:], hash) == 1
}

// Format and LogValue keep the secret out of logs and errors, whatever the verb.
func (InviteSecret) Format(s fmt.State, _ rune) { io.WriteString(s, secretShown) }

// LogValue implements slog.LogValuer.
func (InviteSecret) LogValue() slog.Value { return slog.StringValue(secretShown) }

const secretShown = "an invitation's secret"

// An Invitation is all that a new hub must be told, once, to ask for its place:
// whom to call, and by what to know that it is them.
type Invitation struct {
	Territory Code
	Root      [16]byte // RootFingerprint
	// MinVersion is the roster's version when it was made: an older one is offered
	// by a machine that went back in time, or by somebody else.
	MinVersion uint32
	Hub        HubID    // who invites
	Addresses  []string // where it answers, host:port, best first
	Secret     InviteSecret
	Expires    time.Time // whole seconds, UTC
}

// The code's form: "relais-" and base64url of a version, the fields in order,
// and four octets that tell a code badly copied.
const (
	invitationPrefix  = "relais-"
	invitationVersion = 1
	invitationCheck   = 4

	// MaxInvitationOctets bounds a code as typed.
	MaxInvitationOctets = 4096
	// MaxAddresses bounds the addresses in a code.
	MaxAddresses     = 8
	maxAddressOctets = 255
)

// NewSecret returns a fresh secret.
func NewSecret() (s InviteSecret) {
	rand.Read(s[:]) // never fails since Go 1.24
	return s
}

// Validate says what cannot be written in a code.
func (i Invitation) Validate() error {
	if err := i.Territory.Validate(); err != nil {
		return err
	}
	if n := len(i.Addresses); n == 0 || n > MaxAddresses {
		return fmt.Errorf("an invitation has %d addresses, not 1 to %d", n, MaxAddresses)
	}
	for _, a := range i.Addresses {
		if err := validateAddress(a); err != nil {
			return err
		}
		if len(a) > maxAddressOctets {
			return fmt.Errorf("address of %d octets; the limit is %d", len(a), maxAddressOctets)
		}
	}
	if s := i.Expires.Unix(); i.Expires.IsZero() || s < 0 || s > math.MaxUint32 {
		return errors.New("an invitation needs an end, before 2106")
	}
	return nil
}

// Code is the invitation as it is copied. It holds a secret.
func (i Invitation) Code() (string, error) {
	if err := i.Validate(); err != nil {
		return "", err
	}
	b := []byte{invitationVersion, byte(len(i.Territory))}
	b = append(b, i.Territory...)
	b = append(b, i.Root[:]...)
	b = binary.BigEndian.AppendUint32(b, i.MinVersion)
	b = binary.BigEndian.AppendUint32(b, uint32(i.Expires.Unix()))
	b = append(b, i.Hub[:]...)
	b = append(b, i.Secret[:]...)
	b = append(b, byte(len(i.Addresses)))
	for _, a := range i.Addresses {
		b = append(append(b, byte(len(a))), a...)
	}
	sum := label.Invitation.Sum(b)
	return invitationPrefix + base64.RawURLEncoding.EncodeToString(append(b, sum[:invitationCheck]...)), nil
}

// The ways a code may not be one.
var (
	ErrInvitationForm  = errors.New("not the form of an invitation")
	ErrInvitationCheck = errors.New("the invitation was badly copied: a part is missing or changed")
	ErrInvitationNewer = errors.New("the invitation was made by a later version of relais")
)

// ParseInvitation reads a code as somebody copied it: white space anywhere. It
// fails with one of the errors above and never repeats what it read.
func ParseInvitation(copied string) (Invitation, error) {
	var i Invitation
	if len(copied) > MaxInvitationOctets {
		return i, ErrInvitationForm
	}
	copied = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, copied)
	body, found := strings.CutPrefix(copied, invitationPrefix)
	b, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if !found || err != nil || len(b) <= invitationCheck {
		return i, ErrInvitationForm
	}
	b, check := b[:len(b)-invitationCheck], b[len(b)-invitationCheck:]
	if sum := label.Invitation.Sum(b); string(sum[:invitationCheck]) != string(check) {
		return i, ErrInvitationCheck
	}
	if b[0] != invitationVersion {
		return i, ErrInvitationNewer
	}
	if err := i.decode(b[1:]); err != nil {
		return Invitation{}, err
	}
	return i, nil
}

// decode reads the fields; what Code would not write is refused.
func (i *Invitation) decode(b []byte) error {
	take := func(n int) (part []byte) {
		if len(b) < n {
			b = nil
			return make([]byte, n) // refused below: nothing is left
		}
		part, b = b[:n], b[n:]
		return part
	}
	text := func() string { return string(take(int(take(1)[0]))) }
	i.Territory = Code(text())
	copy(i.Root[:], take(len(i.Root)))
	i.MinVersion = binary.BigEndian.Uint32(take(4))
	i.Expires = time.Unix(int64(binary.BigEndian.Uint32(take(4))), 0).UTC()
	copy(i.Hub[:], take(len(i.Hub)))
	copy(i.Secret[:], take(len(i.Secret)))
	for range take(1)[0] {
		i.Addresses = append(i.Addresses, text())
	}
	if len(b) != 0 || i.Validate() != nil {
		return ErrInvitationForm
	}
	return nil
}

// LogValue keeps the secret out of logs.
func (i Invitation) LogValue() slog.Value {
	return slog.GroupValue(slog.String("territory", string(i.Territory)), slog.String("hub", i.Hub.String()))
}
