// Package swtpm runs a software TPM as a process of its own, for machines that
// have none: the demonstration and the tests. It speaks the TPM's protocol in
// full and guards nothing: its state is a plain file.
//
//	tpm, err := swtpm.Start(ctx, dir)
//	defer tpm.Stop()
//	provider, err := tpm.New(tpm.Device())
//
// The TPM's state stays in dir, so that starting again on the same folder is
// the same TPM after a reboot, and Kill is a power cut.
package swtpm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

const (
	startTimeout = 10 * time.Second
	stopTimeout  = 5 * time.Second
	// maxSocketPath is what the kernel takes in a unix address, less its NUL.
	maxSocketPath = 107
)

// ErrMissing means that swtpm is not installed; its text says how to.
var ErrMissing = errors.New("swtpm is not installed: apt-get install swtpm")

// Process is one running software TPM.
type Process struct {
	socket string
	cmd    *exec.Cmd
	log    bytes.Buffer // written by the process, read once done is closed
	done   chan struct{}
}

// Start runs a software TPM whose state is kept in dir, made if missing, and
// returns once it answers. It ends with ctx, Stop or Kill. The errors are
// ErrMissing and those of a process that would not start, with its last words.
func Start(ctx context.Context, dir string) (*Process, error) {
	binary, err := exec.LookPath("swtpm")
	if err != nil {
		return nil, ErrMissing
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, fmt.Errorf("start swtpm: %w", err)
	}
	socket := socketPath(dir)
	for _, folder := range []string{dir, filepath.Dir(socket)} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, fmt.Errorf("start swtpm: %w", err)
		}
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("start swtpm: %w", err)
	}
	p := &Process{socket: socket, done: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, binary, "socket", "--tpm2", "--tpmstate", "dir="+dir,
		"--server", "type=unixio,path="+socket, "--flags", "startup-clear")
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:   true,            // a Ctrl-C is for whoever started it
		Pdeathsig: syscall.SIGTERM, // and it does not outlive them
	}
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = stopTimeout
	if err := p.start(); err != nil {
		return nil, fmt.Errorf("start swtpm: %w", err)
	}
	if err := p.ready(ctx); err != nil {
		p.Kill()
		return nil, fmt.Errorf("start swtpm in %s: %w: %s", dir, err, bytes.TrimSpace(p.log.Bytes()))
	}
	return p, nil
}

// start starts the process from a goroutine that keeps its thread until the
// process ended: Pdeathsig comes when the thread that started it ends.
func (p *Process) start() error {
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		if started <- err; err == nil {
			p.cmd.Wait()
			close(p.done)
		}
	}()
	return <-started
}

// socketPath is always the same for a folder. A folder too deep for a unix
// address has its socket in the temporary folder.
func socketPath(dir string) string {
	if path := filepath.Join(dir, "tpm.sock"); len(path) <= maxSocketPath {
		return path
	}
	sum := sha256.Sum256([]byte(dir))
	return filepath.Join(os.TempDir(), "swtpm-"+hex.EncodeToString(sum[:8]), "tpm.sock")
}

// ready waits until the socket takes a connection.
func (p *Process) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		if conn, err := net.Dial("unix", p.socket); err == nil {
			return conn.Close()
		}
		select {
		case <-p.done:
			return errors.New("it ended at once")
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// Device is how a configuration names this TPM: "unix:" and its socket.
func (p *Process) Device() string { return "unix:" + p.socket }

// Socket is the path of its unix socket, which serves one connection at a time.
func (p *Process) Socket() string { return p.socket }

// Hang makes the TPM silent, as one whose firmware is stuck, until Resume.
func (p *Process) Hang() { p.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume lets a TPM that hangs go on where it was.
func (p *Process) Resume() { p.cmd.Process.Signal(syscall.SIGCONT) }

// Stop asks the process to end and waits until it has.
func (p *Process) Stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(stopTimeout):
		p.Kill()
	}
}

// Kill ends the process at once, as a power cut would, and waits until it has.
func (p *Process) Kill() {
	p.cmd.Process.Kill()
	<-p.done
}
