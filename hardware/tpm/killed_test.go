package tpm_test

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"

	"relais/hardware/keyring"
	"relais/hardware/keyring/recoverywork"
	"relais/hardware/tpm"
	"relais/hardware/tpm/swtpm"
	"relais/node/durable"
	"relais/node/seal"
)

// randomKills is how often TestKilledAtRandom kills the program.
var randomKills = flag.Int("kills", 8, "random kills of the program")

// How the child of a test is told what to do.
const (
	childWork   = "RELAIS_TPM_CHILD" // one of works
	childDir    = "RELAIS_TPM_DIR"
	childDevice = "RELAIS_TPM_DEVICE"
)

// works are what a hub does with its TPM. Each is a program of its own here: it is
// the keyring and the provider as they ship.
var works = map[string]func(dir string, p *tpm.Provider) error{
	"init": func(dir string, p *tpm.Provider) error {
		k, _, err := keyring.Create(dir, p)
		if err == nil {
			_, err = k.Counter(dir).Renew()
		}
		return err
	},
	"start": func(dir string, p *tpm.Provider) error {
		k, err := keyring.Open(dir, p)
		if err == nil {
			_, err = k.Counter(dir).Count()
		}
		return err
	},
	"work": func(dir string, p *tpm.Provider) error { // a record is counted, then signed
		k, err := keyring.Open(dir, p)
		if err != nil {
			return err
		}
		counter := k.Counter(dir)
		for range 2 {
			at, err := counter.Count()
			if err == nil {
				at, err = counter.Raise(at.Value + 1)
			}
			if err != nil {
				return err
			}
			fmt.Println(at.Value)
			if _, err := k.Identity().Sign(nil, make([]byte, 32), nil); err != nil {
				return err
			}
		}
		return nil
	},
	"rekey": func(dir string, p *tpm.Provider) error { // and the one row is sealed again
		k, err := keyring.Open(dir, p)
		if err == nil && len(k.Epochs()) == 1 {
			err = k.Rekey(keyring.NewRecoveryCode())
		}
		if err != nil {
			return err
		}
		name, err := readRow(dir, k)
		if err == nil {
			err = errors.Join(writeRow(dir, k, name), k.Forget())
		}
		return err
	},
}

// rowFile is a row of the hub's database, beside its folder.
func rowFile(dir string) string { return dir + ".row" }

func writeRow(dir string, k *keyring.Keyring, name []byte) error {
	sealed, err := k.Seal(seal.PurposeHelper, place, name)
	if err != nil {
		return err
	}
	return durable.Write(rowFile(dir), sealed, 0o600)
}

func readRow(dir string, k *keyring.Keyring) ([]byte, error) {
	sealed, err := os.ReadFile(rowFile(dir))
	if err != nil {
		return nil, err
	}
	return k.Open(seal.PurposeHelper, place, sealed)
}

// TestMain is also the program that TestKilled kills.
func TestMain(m *testing.M) {
	recoverywork.MemoryKiB = recoverywork.LightKiB
	work, isChild := works[os.Getenv(childWork)]
	if !isChild {
		code := m.Run()
		os.Remove(programFile)
		os.Exit(code)
	}
	p, err := tpm.New(os.Getenv(childDevice))
	if err == nil {
		err = errors.Join(work(os.Getenv(childDir), p), p.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var programFile = filepath.Join(os.TempDir(), fmt.Sprintf("relais-tpm-%d.test", os.Getpid()))

// program is this test without the race detector, whose start alone takes longer
// than what is killed.
var program = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "test", "-c", "-ldflags=-s -w", "-o", programFile, ".").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("go test -c: %w: %s", err, out)
	}
	return programFile, err
})

// An executioner kills the program at one command: before the TPM sees it, or once
// the TPM has done it and before the program knows.
type executioner struct {
	*tap
	at    int64 // 1 for the first command; 0: never
	after bool
	seen  atomic.Int64
	child atomic.Pointer[os.Process]
}

func newExecutioner(t testing.TB, process *swtpm.Process, at int, after bool) *executioner {
	t.Helper()
	x := &executioner{at: int64(at), after: after}
	x.tap = newTap(t, process, func([]byte) ([]byte, bool) {
		mine := x.seen.Add(1) == x.at && !x.after
		if mine {
			x.kill()
		}
		return nil, mine
	})
	x.onReply(func([]byte, net.Conn) {
		if x.seen.Load() == x.at && x.after {
			x.kill()
		}
	})
	return x
}

func (x *executioner) kill() {
	for x.child.Load() == nil { // it started a moment ago
		time.Sleep(time.Millisecond)
	}
	x.child.Load().Kill()
}

// run runs a program to its end, and returns what it acknowledged. Whether it was
// killed is told, any other failure ends the test.
func (x *executioner) run(t testing.TB, work, dir string) (acknowledged uint64, killed bool) {
	t.Helper()
	binary, err := program()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), childWork+"="+work, childDir+"="+dir, childDevice+"="+x.device())
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	x.child.Store(cmd.Process)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if acknowledged, err = strconv.ParseUint(lines.Text(), 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	err = cmd.Wait()
	killed = cmd.ProcessState != nil && !cmd.ProcessState.Exited()
	if err != nil && !killed {
		t.Fatalf("%s: %v: %s", work, err, stderr.String())
	}
	return acknowledged, killed
}

// A sealedFolder is a hub on a software TPM, with something sealed in it.
type sealedFolder struct {
	process *swtpm.Process
	dir     string
	value   uint64 // the counter's, as last acknowledged; 0: it may have none
}

func newSealedFolder(t testing.TB) *sealedFolder {
	t.Helper()
	process, _ := start(t)
	f := &sealedFolder{process: process, dir: filepath.Join(t.TempDir(), "hub")}
	k, _, err := keyring.Create(f.dir, open(t, process.Device()))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	at, err := k.Counter(f.dir).Renew()
	if err == nil {
		f.value = at.Value
		err = writeRow(f.dir, k, []byte("Camille"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// opens starts the hub as the next run does: it opens, reads what was sealed,
// signs, its counter stands no lower than was acknowledged, and the TPM holds what
// it holds after any start: the identity, and nothing once the hub has ended.
func (f *sealedFolder) opens(t testing.TB) {
	t.Helper()
	bus, c := newCensus(t, f.process)
	k, err := keyring.Open(f.dir, open(t, bus.device()))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := readRow(f.dir, k); f.value > 0 && (err != nil || string(got) != "Camille") {
		t.Errorf("it reads %q, %v", got, err)
	}
	sign(t, k.Identity())
	at, err := k.Counter(f.dir).Count()
	if errors.Is(err, keyring.ErrNoCounter) && f.value == 0 {
		at, err = k.Counter(f.dir).Renew() // init was killed before it was made
	}
	if err != nil || at.Value < f.value || f.value > 0 && at.Value > f.value+1 {
		t.Errorf("the counter stands at %d, acknowledged %d, %v", at.Value, f.value, err)
	}
	f.value = at.Value
	if got := c.now(); got != "1 objects, 0 sessions" {
		t.Errorf("after the start the TPM holds %s", got)
	}
	k.Close()
	f.rests(t)
}

// rests looks at a TPM that nobody uses.
func (f *sealedFolder) rests(t testing.TB) {
	t.Helper()
	conn := raw(t, f.process)
	defer conn.Close()
	if n := loaded(t, conn); n != 0 {
		t.Errorf("%d objects and sessions stay loaded", n)
	}
	if n := property(t, conn, tpm2.TPMPTLockoutCounter); n != 0 {
		t.Errorf("lockout counter %d, want 0", n)
	}
}

// leftovers is what the TPM holds right after a kill.
func (f *sealedFolder) leftovers(t testing.TB) int {
	t.Helper()
	conn := raw(t, f.process)
	defer conn.Close()
	return loaded(t, conn)
}

// TestKilled kills the program at each command that it sends to the TPM, before the
// TPM sees it or before its answer is known: while a hub is made, starts, counts and
// signs, and has its key replaced. The next start is as any other. That the kills
// do leave something loaded, which it unloads, is the twin.
func TestKilled(t *testing.T) {
	for work := range works {
		t.Run(work, func(t *testing.T) {
			t.Parallel()
			hub, left := newSealedFolder(t), 0
			commands := hub.commandsOf(t, work)
			for i := 1; i <= commands; i++ {
				for _, after := range sides(work, i) {
					left += hub.killedAt(t, work, i, after)
				}
			}
			t.Logf("killed at each of %d commands; %d handles left behind in all", commands, left)
			if left == 0 {
				t.Error("no kill left anything loaded: that nothing is in the end shows nothing")
			}
		})
	}
}

// sides are whether a command is killed at once it is done. To the TPM, once done or
// before the next is sent is the same; where a counter counts, both are tried, for what
// is acknowledged differs. TestKilledAtRandom tries both everywhere.
func sides(work string, i int) []bool {
	if work == "work" {
		return []bool{false, true}
	}
	return []bool{i%2 == 0}
}

// commandsOf counts what a work that nobody kills sends.
func (f *sealedFolder) commandsOf(t testing.TB, work string) int {
	t.Helper()
	process, dir := f.process, f.dir
	if work == "init" {
		process, _ = start(t)
		dir = filepath.Join(t.TempDir(), "hub")
	}
	x := newExecutioner(t, process, 0, false)
	acknowledged, killed := x.run(t, work, dir)
	if killed {
		t.Fatal("nobody was to kill it")
	}
	f.value = max(f.value, acknowledged)
	return int(x.seen.Load())
}

// killedAt does a work that is killed at its command i, and the start after it. It
// returns how many handles the kill left.
func (f *sealedFolder) killedAt(t testing.TB, work string, i int, after bool) (left int) {
	t.Helper()
	if work == "init" {
		return initKilledAt(t, i, after)
	}
	x := newExecutioner(t, f.process, i, after)
	acknowledged, killed := x.run(t, work, f.dir)
	if !killed {
		t.Errorf("%s was not killed at command %d", work, i)
	}
	f.value = max(f.value, acknowledged)
	left = f.leftovers(t)
	f.opens(t)
	if t.Failed() {
		t.Fatalf("%s, killed at command %d, after it: %v", work, i, after)
	}
	return left
}

// initKilledAt makes a hub on a new TPM and kills it while it is made. The folder
// holds a keyring that opens, or none, and then it can be made.
func initKilledAt(t testing.TB, i int, after bool) (left int) {
	t.Helper()
	process, _ := start(t)
	defer process.Stop()
	f := &sealedFolder{process: process, dir: filepath.Join(t.TempDir(), "hub")}
	x := newExecutioner(t, process, i, after)
	if _, killed := x.run(t, "init", f.dir); !killed {
		t.Errorf("init was not killed at command %d", i)
	}
	left = f.leftovers(t)
	if _, err := keyring.Pinned(f.dir); errors.Is(err, keyring.ErrNone) {
		f.isEmpty(t)
		f.canBeMade(t)
	} else {
		f.opens(t)
	}
	if t.Failed() {
		t.Fatalf("init, killed at command %d, after it: %v", i, after)
	}
	return left
}

// isEmpty: a keyring that is not there left no piece of it either.
func (f *sealedFolder) isEmpty(t testing.TB) {
	t.Helper()
	if held, err := os.ReadDir(f.dir); err != nil && !errors.Is(err, fs.ErrNotExist) || len(held) > 0 {
		t.Errorf("without a keyring the folder holds %v, %v", held, err)
	}
}

// canBeMade asks the TPM all that making a hub asks of it.
func (f *sealedFolder) canBeMade(t testing.TB) {
	t.Helper()
	p := open(t, f.process.Device())
	mustUnwrap(t, p, wrap(t, p))
	_, signer := newIdentity(t, p)
	sign(t, signer)
	read(t, p, newCounter(t, p))
	p.Close()
	f.rests(t)
}

// TestKilledAtRandom kills one hub again and again, at any command of any work.
func TestKilledAtRandom(t *testing.T) {
	hub := newSealedFolder(t)
	most, names := map[string]int{}, []string{"init", "start", "work", "rekey"}
	for _, work := range names {
		most[work] = hub.commandsOf(t, work)
	}
	left := 0
	for range *randomKills {
		work := names[rand.IntN(len(names))]
		left += hub.killedAt(t, work, 1+rand.IntN(most[work]), rand.IntN(2) == 0)
	}
	t.Logf("%d kills, %d handles left behind in all; the counter stands at %d", *randomKills, left, hub.value)
}
