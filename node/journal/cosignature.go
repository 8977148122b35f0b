package journal

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"relais/node/territory"
)

// Who keeps another's checkpoint, and saw that each continues the one before it,
// says so by a cosignature (C2SP tlog-cosignature, the Ed25519 kind): from then on
// the journal cannot be rewritten below it without two signatures to show for it.

const (
	// cosigned is the first line of what is signed: no other signature can be taken
	// for one.
	cosigned = "cosignature/v1"
	// cosignatureSize is key number, seconds since 1970 and signature, in octets.
	cosignatureSize = 4 + 8 + ed25519.SignatureSize
	// maxSeconds is the last second of the year 9999: what the forms of a time bear.
	maxSeconds = 253402300799
	// maxCosignatures bounds the lines of an answer that are looked at.
	maxCosignatures = 16
)

// ErrNotCosigned means that nothing was signed by the key that was asked for.
var ErrNotCosigned = errors.New("no cosignature of the key that the roster names")

// Cosignature is a witness's word for a checkpoint.
type Cosignature struct {
	At   time.Time // when the witness says it saw it, whole seconds, UTC
	Line string    // as a note writes it, with its newline
}

// Cosign signs a checkpoint of another's journal, with the witness key of the
// member of the territory that has this identifier.
func Cosign(c Checkpoint, code territory.Code, by territory.HubID, key ed25519.PrivateKey, at time.Time) Cosignature {
	at = at.UTC().Truncate(time.Second)
	name := Origin(code, by)
	octets := cosignatureKey(name, key.Public().(ed25519.PublicKey))
	octets = binary.BigEndian.AppendUint64(octets, uint64(max(0, at.Unix())))
	octets = append(octets, ed25519.Sign(key, cosignedText(c, at))...)
	return Cosignature{At: at, Line: cosignatureLine(name, octets)}
}

// OpenCosignature finds, among the lines of a witness's answer, the one of the
// member with this identifier and witness key, and verifies it. Lines of other keys
// are passed over. The error is ErrNotCosigned, or says what is wrong with the line;
// one that is not written octet for octet as Cosign writes it is none.
func OpenCosignature(lines string, c Checkpoint, code territory.Code, by territory.HubID, key ed25519.PublicKey) (Cosignature, error) {
	if len(key) != ed25519.PublicKeySize {
		return Cosignature{}, ErrNotCosigned // the roster names none
	}
	name := Origin(code, by)
	want := cosignatureKey(name, key)
	looked := 0
	for line := range strings.Lines(lines) {
		if looked++; looked > maxCosignatures {
			break
		}
		text, found := strings.CutPrefix(line, "— "+name+" ")
		if !found {
			continue
		}
		octets, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSuffix(text, "\n"))
		if err != nil || len(octets) < len(want) || string(octets[:len(want)]) != string(want) {
			continue // of another key, or another kind
		}
		return verifyCosignature(line, name, octets, c, key)
	}
	return Cosignature{}, ErrNotCosigned
}

func verifyCosignature(line, name string, octets []byte, c Checkpoint, key ed25519.PublicKey) (Cosignature, error) {
	if len(octets) != cosignatureSize || cosignatureLine(name, octets) != line {
		return Cosignature{}, fmt.Errorf("the cosignature of %s is oddly written", name)
	}
	seconds := binary.BigEndian.Uint64(octets[4:])
	if seconds > maxSeconds {
		return Cosignature{}, fmt.Errorf("the cosignature of %s is of no time", name)
	}
	at := time.Unix(int64(seconds), 0).UTC()
	if !ed25519.Verify(key, cosignedText(c, at), octets[12:]) {
		return Cosignature{}, fmt.Errorf("the cosignature of %s does not hold", name)
	}
	return Cosignature{At: at, Line: line}, nil
}

// cosignedText is what is signed: kind, time, then the checkpoint without its
// signatures.
func cosignedText(c Checkpoint, at time.Time) []byte {
	return []byte(cosigned + "\ntime " + strconv.FormatInt(at.Unix(), 10) + "\n" + c.Text())
}

// cosignatureKey is the key's number: SHA-256(name ‖ newline ‖ 4 ‖ key)[:4]. The 4
// is the kind of signature: as the key of checkpoints the same key has another one.
func cosignatureKey(name string, key ed25519.PublicKey) []byte {
	sum := sha256.Sum256(append([]byte(name+"\n\x04"), key...))
	return sum[:4]
}

func cosignatureLine(name string, octets []byte) string {
	return "— " + name + " " + base64.StdEncoding.EncodeToString(octets) + "\n"
}
