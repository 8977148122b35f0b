package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// childStopTimeout is how long a child may take to end before it is killed.
const childStopTimeout = 10 * time.Second

// A child is a process that the demonstration started, and ends by its number.
type child struct {
	name string
	cmd  *exec.Cmd
	log  *os.File
	done chan struct{} // closed once it ended
	err  error         // how; good once done is closed
}

// startChild starts a program whose words go to the file at log. It is in a
// process group of its own, so that a Ctrl-C meant for the demonstration lets
// the demonstration end it in good order. Where the demonstration is killed, the
// kernel ends it.
//
// The trap: the kernel looks at the thread that started the child, not at the
// process. The goroutine that starts it keeps its thread until it ended.
func startChild(name, log, program string, args ...string) (*child, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	c := &child{name: name, cmd: exec.Command(program, args...), log: out, done: make(chan struct{})}
	c.cmd.Stdout, c.cmd.Stderr = out, out
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := c.cmd.Start()
		if started <- err; err == nil {
			c.err = c.cmd.Wait()
			out.Close()
			close(c.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), out.Close())
	}
	return c, nil
}

// stop asks the child to end, kills it when it does not, and returns how it
// ended.
func (c *child) stop() error {
	c.cmd.Process.Signal(syscall.SIGTERM) // fails when it ended by itself
	select {
	case <-c.done:
		return c.err
	case <-time.After(childStopTimeout):
		c.cmd.Process.Kill()
		<-c.done
		return fmt.Errorf("%s did not end within %v and was killed", c.name, childStopTimeout)
	}
}

// ended tells whether the child is gone, with how.
func (c *child) ended() (bool, error) {
	select {
	case <-c.done:
		return true, c.err
	default:
		return false, nil
	}
}

// capture runs a program to its end and returns its standard output. Its
// standard error is in the error; its exit status is in it too, as exitError.
func capture(ctx context.Context, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return out, &exitError{e.ExitCode(), fmt.Errorf("%s %q: %s", program, args, bytes.TrimSpace(stderr.Bytes()))}
	}
	return out, err
}

// tail returns the last octets of a file, to show why a child ended.
func tail(path string, octets int64) string {
	f, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > octets {
		f.Seek(-octets, io.SeekEnd)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(text))
}
