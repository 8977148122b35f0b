package tpm_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"

	"relais/hardware/keyring"
	"relais/hardware/tpm"
	"relais/hardware/tpm/swtpm"
)

var _ keyring.Counting = (*tpm.Provider)(nil)

func newCounter(t testing.TB, p *tpm.Provider) []byte {
	t.Helper()
	made, err := p.NewCounter()
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func read(t testing.TB, p *tpm.Provider, made []byte) keyring.Count {
	t.Helper()
	c, err := p.ReadCounter(made)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func raise(t testing.TB, p *tpm.Provider, made []byte, to uint64) {
	t.Helper()
	if c, err := p.RaiseCounter(made, to); err != nil || c.Value != to {
		t.Fatalf("RaiseCounter(%d) = %d, %v", to, c.Value, err)
	}
}

// A counter counts one up at a time, asked twice counts once, and is still there
// after a restart, at the same place.
func TestCounter(t *testing.T) {
	process, dir := start(t)
	p := open(t, process.Device())
	made := newCounter(t, p)
	begun := read(t, p, made)
	raise(t, p, made, begun.Value+1)
	raise(t, p, made, begun.Value+1)
	if c, err := p.RaiseCounter(made, begun.Value+3); err != nil || c.Value != begun.Value+1 {
		t.Errorf("raised by two: %d, %v", c.Value, err)
	}
	if c, err := p.RaiseCounter(made, begun.Value); err != nil || c.Value != begun.Value+1 {
		t.Errorf("raised to less: %d, %v", c.Value, err)
	}
	process.Kill()
	startIn(t, dir)
	if c := read(t, p, made); c.Value != begun.Value+1 || !bytes.Equal(c.Place, begun.Place) || !c.At.IsZero() {
		t.Errorf("after a power cut %+v, begun as %+v", c, begun)
	}
}

// What is kept of the password is base32: go-tpm cuts one at a zero octet, and
// then refuses one time in ten.
func TestCounterPasswordIsText(t *testing.T) {
	process, _ := start(t)
	p := open(t, process.Device())
	for range 8 {
		var kept struct{ Auth string }
		made := newCounter(t, p)
		if err := json.Unmarshal(made, &kept); err != nil || len(kept.Auth) < 26 {
			t.Fatalf("auth %q, %v", kept.Auth, err)
		}
		for _, c := range kept.Auth {
			if (c < 'A' || c > 'Z') && (c < '2' || c > '7') {
				t.Fatalf("auth %q is not base32", kept.Auth)
			}
		}
		read(t, p, made)
	}
}

// The password is never heard on the bus; the twin, a plain definition, is.
func TestCounterPasswordNeverCrossesTheBusInClear(t *testing.T) {
	process, _ := start(t)
	bus := newTap(t, process, nil)
	p := open(t, bus.device())
	made := newCounter(t, p)
	raise(t, p, made, read(t, p, made).Value+1)
	var kept struct{ Auth string }
	if err := json.Unmarshal(made, &kept); err != nil {
		t.Fatal(err)
	}
	if bus.heard([]byte(kept.Auth)[:8]) {
		t.Error("the counter's password was heard on the bus")
	}
	p.Close()
	bus.forget()
	if err := defineAt(bus, 0x01801234, kept.Auth); err != nil {
		t.Fatal(err)
	}
	if !bus.heard([]byte(kept.Auth)) {
		t.Error("a plain definition was not heard: the tap is deaf")
	}
}

// defineAt makes an index like ours, as another program would.
func defineAt(bus transport.TPM, index tpm2.TPMHandle, auth string) error {
	return define(bus, counterAt(index), auth)
}

func counterAt(index tpm2.TPMHandle) tpm2.TPMSNVPublic {
	return tpm2.TPMSNVPublic{
		NVIndex: index, NameAlg: tpm2.TPMAlgSHA256, DataSize: 8,
		Attributes: tpm2.TPMANV{NT: tpm2.TPMNTCounter, AuthRead: true, AuthWrite: true, OwnerRead: true, NoDA: true},
	}
}

func define(bus transport.TPM, area tpm2.TPMSNVPublic, auth string) error {
	_, err := tpm2.NVDefineSpace{
		AuthHandle: tpm2.AuthHandle{Handle: tpm2.TPMRHOwner, Auth: tpm2.PasswordAuth(nil)},
		Auth:       tpm2.TPM2BAuth{Buffer: []byte(auth)},
		PublicInfo: tpm2.New2B(area),
	}.Execute(bus)
	return err
}

// indexOf is where the counter of a blob stands.
func indexOf(t testing.TB, made []byte) tpm2.TPMSNVPublic {
	t.Helper()
	var kept struct{ Public []byte }
	if err := json.Unmarshal(made, &kept); err != nil {
		t.Fatal(err)
	}
	area, err := tpm2.Unmarshal[tpm2.TPMSNVPublic](kept.Public)
	if err != nil {
		t.Fatal(err)
	}
	return *area
}

// removeCounter is what tpm2_nvundefine does.
func removeCounter(t testing.TB, process *swtpm.Process, made []byte) {
	t.Helper()
	conn := raw(t, process)
	defer conn.Close()
	area := indexOf(t, made)
	name, err := tpm2.NVName(&area)
	if err != nil {
		t.Fatal(err)
	}
	_, err = tpm2.NVUndefineSpace{
		AuthHandle: tpm2.AuthHandle{Handle: tpm2.TPMRHOwner, Auth: tpm2.PasswordAuth(nil)},
		NVIndex:    tpm2.NamedHandle{Handle: area.NVIndex, Name: *name},
	}.Execute(conn)
	if err != nil {
		t.Fatal(err)
	}
}

func TestReadCounterRefuses(t *testing.T) {
	read := func(t *testing.T, process *swtpm.Process, made []byte, want error) {
		t.Helper()
		p := open(t, process.Device())
		defer p.Close()
		if _, err := p.ReadCounter(made); !errors.Is(err, want) {
			t.Errorf("ReadCounter = %v, want %v", err, want)
		}
		if _, err := p.RaiseCounter(made, 2); !errors.Is(err, want) {
			t.Errorf("RaiseCounter = %v, want %v", err, want)
		}
	}
	made := func(t *testing.T) (*swtpm.Process, []byte) {
		process, _ := start(t)
		p := open(t, process.Device())
		defer p.Close()
		wrap(t, p)
		return process, newCounter(t, p)
	}
	t.Run("ErrCounterMissing", func(t *testing.T) {
		process, counter := made(t)
		removeCounter(t, process, counter)
		read(t, process, counter, keyring.ErrCounterMissing)
	})
	t.Run("ErrCounterChanged", func(t *testing.T) { // the same index, made again by another
		process, counter := made(t)
		removeCounter(t, process, counter)
		conn := raw(t, process)
		if err := defineAt(conn, indexOf(t, counter).NVIndex, "ANOTHER"); err != nil {
			t.Fatal(err)
		}
		conn.Close()
		read(t, process, counter, keyring.ErrCounterChanged)
	})
	t.Run("ErrCleared", func(t *testing.T) {
		process, counter := made(t)
		clearTPM(t, process)
		read(t, process, counter, tpm.ErrCleared)
	})
	t.Run("ErrReplaced", func(t *testing.T) {
		_, counter := made(t)
		other, _ := start(t)
		read(t, other, counter, tpm.ErrReplaced)
	})
	t.Run("ErrAltered", func(t *testing.T) {
		process, _ := made(t)
		read(t, process, []byte(`{"public":"AAAA"}`), tpm.ErrAltered)
	})
}

// An owner who set a password, and a storage that is full: no counter, said with
// its remedy, and everything else works on.
func TestNewCounterRefuses(t *testing.T) {
	t.Run("ErrOwnerAuth", func(t *testing.T) {
		process, _ := start(t)
		p := open(t, process.Device())
		blob, before := wrap(t, p), newCounter(t, p)
		p.Close()
		takeOwnership(t, process)
		p = open(t, process.Device())
		if _, err := p.NewCounter(); !errors.Is(err, keyring.ErrNoCounter) || !errors.Is(err, tpm.ErrOwnerAuth) {
			t.Errorf("NewCounter = %v, want ErrNoCounter because ErrOwnerAuth", err)
		}
		mustUnwrap(t, p, blob)
		raise(t, p, before, read(t, p, before).Value+1) // one that was there needs no owner
	})
	t.Run("ErrStorageFull", func(t *testing.T) {
		process, _ := start(t)
		conn := raw(t, process)
		fill(t, conn)
		conn.Close()
		p := open(t, process.Device())
		if _, err := p.NewCounter(); !errors.Is(err, keyring.ErrNoCounter) || !errors.Is(err, tpm.ErrStorageFull) {
			t.Errorf("NewCounter = %v, want ErrNoCounter because ErrStorageFull", err)
		}
		mustUnwrap(t, p, wrap(t, p))
	})
}

// fill leaves no room for a counter: what is large first, then counters, for which
// a TPM keeps the last of its storage.
func fill(t testing.TB, conn transport.TPM) {
	t.Helper()
	large := tpm2.TPMSNVPublic{
		NVIndex: 0x01c10000, NameAlg: tpm2.TPMAlgSHA256, DataSize: 2048,
		Attributes: tpm2.TPMANV{NT: tpm2.TPMNTOrdinary, AuthRead: true, AuthWrite: true, NoDA: true},
	}
	for _, area := range []tpm2.TPMSNVPublic{large, counterAt(0x01c20000)} {
		err := define(conn, area, "A")
		for err == nil {
			area.NVIndex++
			err = define(conn, area, "A")
		}
		if !errors.Is(err, tpm2.TPMRCNVSpace) {
			t.Fatalf("index %#x: %v", area.NVIndex, err)
		}
	}
}

func takeOwnership(t testing.TB, process *swtpm.Process) {
	t.Helper()
	conn := raw(t, process)
	defer conn.Close()
	_, err := tpm2.HierarchyChangeAuth{
		AuthHandle: tpm2.AuthHandle{Handle: tpm2.TPMRHOwner, Auth: tpm2.PasswordAuth(nil)},
		NewAuth:    tpm2.TPM2BAuth{Buffer: []byte("motdepasse")},
	}.Execute(conn)
	if err != nil {
		t.Fatal(err)
	}
}

// The counter takes two commands of a start, four with an increment, and never two
// objects nor three sessions.
func TestCounterCommands(t *testing.T) {
	process, _ := start(t)
	bus := newTap(t, process, nil)
	p := open(t, bus.device())
	blob, counter := wrap(t, p), newCounter(t, p)
	mustUnwrap(t, p, blob)
	_, signer := newIdentity(t, p)
	sign(t, signer)
	bus.forget()
	value := read(t, p, counter).Value
	if n := bus.count(); n != 2 {
		t.Errorf("reading took %d commands, want 2", n)
	}
	bus.forget()
	raise(t, p, counter, value+1)
	if n := bus.count(); n != 4 {
		t.Errorf("raising took %d commands, want 4", n)
	}
	sign(t, signer) // and unloaded nothing
	p.Close()
	if n := loaded(t, raw(t, process)); n != 0 {
		t.Errorf("%d objects and sessions stay loaded", n)
	}
}

// A counter that fails leaves nothing loaded either.
func TestCounterLeavesNothingLoaded(t *testing.T) {
	process, _ := start(t)
	p := open(t, process.Device())
	counter := newCounter(t, p)
	p.Close()
	removeCounter(t, process, counter)
	p = open(t, process.Device())
	for range 8 {
		if _, err := p.RaiseCounter(counter, 2); !errors.Is(err, keyring.ErrCounterMissing) {
			t.Fatal(err)
		}
		if _, err := p.ReadCounter(counter); !errors.Is(err, keyring.ErrCounterMissing) {
			t.Fatal(err)
		}
	}
	p.Close()
	if n := loaded(t, raw(t, process)); n != 0 {
		t.Errorf("%d objects and sessions stay loaded", n)
	}
}

// A counter of a TPM that was cleared never starts below what an earlier one
// reached: an old folder never meets an equal value again.
func TestCounterNeverStartsAgain(t *testing.T) {
	process, _ := start(t)
	p := open(t, process.Device())
	counter := newCounter(t, p)
	value := read(t, p, counter).Value
	for range 5 {
		value++
		raise(t, p, counter, value)
	}
	p.Close()
	clearTPM(t, process)
	p = open(t, process.Device())
	if c := read(t, p, newCounter(t, p)); c.Value <= value {
		t.Errorf("a new counter stands at %d, the old one stood at %d", c.Value, value)
	}
}
