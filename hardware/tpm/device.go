package tpm

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"relais/hardware/keyring"
)

// DefaultDevice is the TPM behind the kernel's resource manager.
const DefaultDevice = "/dev/tpmrm0"

const unixPrefix = "unix:"

// ErrRawDevice refuses /dev/tpm0: without the kernel's resource manager, what a
// crash leaves behind fills the TPM, and other programs' commands mix with ours.
var ErrRawDevice = &keyring.Reason{
	Key: "raw-device", Text: "the raw device is not for a hub: configure device = \"" + DefaultDevice + "\"",
	Message: "La configuration désigne la puce de sécurité sans le partage que fait le noyau.",
	Remedy:  "Réglez device = \"" + DefaultDevice + "\" dans [keys], puis redémarrez le relais.",
}

// device names where a TPM answers.
type device string

// parseDevice reads the configuration: a path, "unix:" and a path, or nothing
// for DefaultDevice.
func parseDevice(name string) (device, error) {
	path, isSocket := strings.CutPrefix(name, unixPrefix)
	base := filepath.Base(path)
	switch {
	case name == "":
		return DefaultDevice, nil
	case !filepath.IsAbs(path):
		return "", fmt.Errorf("TPM device %q is neither an absolute path nor unix: and one", name)
	case !isSocket && strings.HasPrefix(base, "tpm") && !strings.HasPrefix(base, "tpmrm"):
		return "", fmt.Errorf("TPM device %s: %w", name, ErrRawDevice)
	}
	return device(name), nil
}

// socket returns the path of a software TPM's socket, and whether d is one.
func (d device) socket() (string, bool) { return strings.CutPrefix(string(d), unixPrefix) }

// conn is one connection to a TPM. Send writes one command; Receive returns its
// whole reply. Each ends by the deadline.
type conn interface {
	Send(command []byte, deadline time.Time) error
	Receive(deadline time.Time) ([]byte, error)
	Close() error
}

func (d device) open() (conn, error) {
	if path, ok := d.socket(); ok {
		c, err := net.Dial("unix", path)
		if err != nil {
			return nil, err
		}
		return &stream{c}, nil
	}
	fd, err := unix.Open(string(d), unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: string(d), Err: err}
	}
	return &character{fd}, nil
}

// stream is a software TPM's socket: replies come in any number of pieces.
type stream struct{ net.Conn }

func (s *stream) Send(command []byte, deadline time.Time) error {
	s.SetDeadline(deadline)
	_, err := s.Write(command)
	return err
}

func (s *stream) Receive(deadline time.Time) ([]byte, error) {
	s.SetDeadline(deadline)
	reply := make([]byte, headerSize, maxReply)
	if _, err := io.ReadFull(s, reply); err != nil {
		return nil, err
	}
	size, err := replySize(reply)
	if err != nil {
		return nil, err
	}
	reply = reply[:size]
	_, err = io.ReadFull(s, reply[headerSize:])
	return reply, err
}

// character is a TPM's character device: one write is a command, one read its
// reply. It is opened non-blocking, for in blocking mode the kernel holds the
// writer until the TPM answers, past any deadline. A read before the reply is
// ready returns nothing rather than EAGAIN, so poll comes first.
type character struct{ fd int }

func (c *character) Send(command []byte, deadline time.Time) error {
	for {
		n, err := unix.Write(c.fd, command)
		switch {
		case err == unix.EINTR && time.Now().Before(deadline):
			continue
		case err != nil:
			return os.NewSyscallError("write", err)
		case n != len(command):
			return io.ErrShortWrite
		}
		return nil
	}
}

func (c *character) Receive(deadline time.Time) ([]byte, error) {
	if err := c.poll(deadline); err != nil {
		return nil, err
	}
	reply := make([]byte, maxReply+1)
	for {
		n, err := unix.Read(c.fd, reply)
		if err == unix.EINTR && time.Now().Before(deadline) {
			continue
		}
		if err != nil {
			return nil, os.NewSyscallError("read", err)
		}
		return reply[:n], nil
	}
}

// poll waits until the reply is there. A signal does not end it.
func (c *character) poll(deadline time.Time) error {
	for {
		left := time.Until(deadline)
		if left <= 0 {
			return os.ErrDeadlineExceeded
		}
		fds := []unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, int(left.Milliseconds())+1)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return os.NewSyscallError("poll", err)
		case n > 0:
			return nil
		}
	}
}

// Close never waits: the kernel holds whoever closes until a hung TPM's command
// has ended.
func (c *character) Close() error {
	go unix.Close(c.fd)
	return nil
}
