package tpm_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-tpm/tpm2"

	"relais/hardware/keyring"
	"relais/hardware/tpm/swtpm"
)

// census counts, after each command that passes a tap, what the TPM holds.
type census struct {
	mu       sync.Mutex
	objects  int // now
	sessions int // now
	most     struct {
		objects, sessions int
	}
}

func newCensus(t testing.TB, process *swtpm.Process) (*tap, *census) {
	t.Helper()
	c := &census{}
	bus := newTap(t, process, nil)
	bus.onReply(func(_ []byte, conn net.Conn) { c.take(conn) })
	return bus, c
}

func (c *census) take(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.objects, c.sessions = handlesFrom(conn, 0x80000000), handlesFrom(conn, 0x02000000)
	c.most.objects, c.most.sessions = max(c.most.objects, c.objects), max(c.most.sessions, c.sessions)
}

// now is what the TPM held after the last command.
func (c *census) now() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("%d objects, %d sessions", c.objects, c.sessions)
}

// handlesFrom counts the handles in use from one on: TPM2_GetCapability; -1 when the
// TPM does not answer.
func handlesFrom(conn net.Conn, first uint32) int {
	command := []byte{0x80, 0x01, 0, 0, 0, 22, 0, 0, 0x01, 0x7A, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 16}
	binary.BigEndian.PutUint32(command[14:], first)
	reply, err := ask(conn, command)
	if err != nil || len(reply) < 19 || code(reply) != 0 {
		return -1
	}
	return int(binary.BigEndian.Uint32(reply[15:]))
}

// life is all that a hub does with its TPM, once: it is made, started, signs,
// counts, has its key replaced and is started again.
func life(t testing.TB, dir, device string) {
	t.Helper()
	k, _, err := keyring.Create(dir, open(t, device))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Counter(dir).Renew(); err != nil && !errors.Is(err, keyring.ErrNoCounter) {
		t.Fatal(err)
	}
	k.Close()
	for _, rekeys := range []bool{true, false} {
		if k, err = keyring.Open(dir, open(t, device)); err != nil {
			t.Fatal(err)
		}
		sign(t, k.Identity())
		counter := k.Counter(dir)
		if at, err := counter.Count(); err != nil {
			t.Error(err)
		} else if _, err := counter.Raise(at.Value + 1); err != nil {
			t.Error(err)
		}
		if rekeys {
			if err := errors.Join(k.Rekey(keyring.NewRecoveryCode()), k.Forget()); err != nil {
				t.Fatal(err)
			}
		}
		sign(t, k.Identity())
		k.Close()
	}
}

// A TPM holds three objects and three sessions. A hub has its identity loaded, and
// beside it one object at a time and one session; where the root has no place of
// its own there is the root too. All three slots are then in use, and never more.
func TestThreeSlots(t *testing.T) {
	t.Run("with a persistent root", func(t *testing.T) {
		process, _ := start(t)
		bus, c := newCensus(t, process)
		life(t, filepath.Join(t.TempDir(), "hub"), bus.device())
		c.within(t, 2, 1)
	})
	t.Run("with a root made anew", func(t *testing.T) {
		process, _ := start(t)
		takeRootPlace(t, process)
		bus, c := newCensus(t, process)
		life(t, filepath.Join(t.TempDir(), "hub"), bus.device())
		c.within(t, 3, 1)
	})
	t.Run("whatever fails", func(t *testing.T) {
		process, _ := start(t)
		bus, c := newCensus(t, process)
		p := open(t, bus.device())
		good, counter := wrap(t, p), newCounter(t, p)
		id, _ := newIdentity(t, p)
		for range 4 {
			p.Unwrap(altered(good))
			p.LoadIdentity(altered(id))
			p.ReadCounter(altered(counter))
			mustUnwrap(t, p, good)
		}
		c.within(t, 2, 1)
	})
}

// altered is a blob with one octet changed, past where it says what it is.
func altered(blob []byte) []byte {
	out := bytes.Clone(blob)
	out[bytes.LastIndex(out, []byte(`":"`))+6] ^= 1
	return out
}

func (c *census) within(t *testing.T, objects, sessions int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	t.Logf("at most %d objects and %d sessions", c.most.objects, c.most.sessions)
	if c.most.objects > objects || c.most.sessions > sessions {
		t.Errorf("%d objects and %d sessions were loaded at once, want at most %d and %d", c.most.objects, c.most.sessions, objects, sessions)
	}
	if c.most.objects == 0 || c.most.sessions == 0 {
		t.Error("the census saw nothing")
	}
}

// The twin: one object that a program forgets to unload is seen, and the fourth is
// refused by the TPM.
func TestAFourthSlotIsSeen(t *testing.T) {
	process, _ := start(t)
	bus, c := newCensus(t, process)
	conn, err := net.Dial("unix", bus.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for n := range 4 {
		_, err = tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHOwner, InPublic: tpm2.New2B(tpm2.ECCSRKTemplate)}.Execute(sender{conn})
		if want := fmt.Sprintf("%d objects, 0 sessions", min(n+1, 3)); c.now() != want {
			t.Errorf("after %d: %s, want %s", n+1, c.now(), want)
		}
	}
	if !errors.Is(err, tpm2.TPMRCObjectMemory) {
		t.Errorf("the fourth: %v", err)
	}
}

// takeRootPlace puts another key where the storage root key is kept.
func takeRootPlace(t testing.TB, process *swtpm.Process) {
	t.Helper()
	conn := raw(t, process)
	defer conn.Close()
	made, err := tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHOwner, InPublic: tpm2.New2B(tpm2.RSASRKTemplate)}.Execute(conn)
	if err != nil {
		t.Fatal(err)
	}
	persist(t, conn, made, nil)
}
