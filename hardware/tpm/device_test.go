package tpm_test

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/signal"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"relais/hardware/tpm"
)

// character returns both ends of what behaves as a TPM's character device: a
// write is a command, a read is a reply.
func character(t testing.TB) (ours, theirs int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetNonblock(fds[0], true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fds[1]) })
	return fds[0], fds[1]
}

// relay carries messages from a character device to a software TPM.
func relay(t testing.TB, theirs int, socket string) {
	t.Helper()
	bus, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bus.Close() })
	go func() {
		command := make([]byte, 4096)
		for {
			n, err := unix.Read(theirs, command)
			if err == unix.EINTR {
				continue
			}
			if n <= 0 {
				return
			}
			reply, err := ask(bus, command[:n])
			if err != nil {
				return
			}
			unix.Write(theirs, reply)
		}
	}()
}

func TestCharacterDevice(t *testing.T) {
	process, _ := start(t)
	ours, theirs := character(t)
	relay(t, theirs, process.Socket())
	p := tpm.NewOnFile(t, ours, 5*time.Second)
	mustUnwrap(t, p, wrap(t, p))
	_, signer := newIdentity(t, p)
	sign(t, signer)
}

func TestCharacterDeviceErrSilent(t *testing.T) {
	ours, _ := character(t)
	p := tpm.NewOnFile(t, ours, 100*time.Millisecond)
	began := time.Now()
	if _, err := p.Wrap(kek); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Wrap = %v, want that it stays silent", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v to give up", took)
	}
}

func TestCharacterDeviceErrReply(t *testing.T) {
	for name, reply := range map[string][]byte{
		"ErrShort":     {0x80, 0x01, 0, 0, 0},
		"ErrCut":       {0x80, 0x01, 0, 0, 0, 12, 0, 0, 0, 0, 0},
		"ErrTrailing":  {0x80, 0x01, 0, 0, 0, 10, 0, 0, 0, 0, 0},
		"ErrOversized": make([]byte, 5000),
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := character(t)
			unix.Write(theirs, reply)
			if _, err := tpm.NewOnFile(t, ours, time.Second).Wrap(kek); err == nil {
				t.Error("it was taken")
			}
		})
	}
}

// A signal while waiting does not lose the reply; the twin shows that the signal
// does end a bare poll.
func TestSignalsWhileWaiting(t *testing.T) {
	caught := make(chan os.Signal, 100)
	signal.Notify(caught, unix.SIGUSR1)
	defer signal.Stop(caught)
	want := []byte{0x80, 0x01, 0, 0, 0, 10, 0, 0, 0, 0}

	ours, theirs := character(t)
	var got []byte
	interrupted(t, func() (err error) {
		got, err = tpm.Receive(ours, 10*time.Second)
		return err
	}, func() { unix.Write(theirs, want) }, nil)
	if !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}

	interrupted(t, func() error {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(ours), Events: unix.POLLIN}}, 10_000)
		return err
	}, func() {}, unix.EINTR)
}

// interrupted runs wait on a thread of its own and signals that thread, then
// lets the wait end.
func interrupted(t *testing.T, wait func() error, finish func(), want error) {
	t.Helper()
	thread, done := make(chan int), make(chan error)
	go func() {
		runtime.LockOSThread()
		thread <- unix.Gettid()
		done <- wait()
	}()
	tid := <-thread
	for range 10 {
		time.Sleep(5 * time.Millisecond)
		unix.Tgkill(os.Getpid(), tid, unix.SIGUSR1)
	}
	finish()
	if err := <-done; !errors.Is(err, want) {
		t.Errorf("the wait ended with %v, want %v", err, want)
	}
}
