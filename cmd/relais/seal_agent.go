package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"

	"relais/hardware/agent"
	"relais/hardware/tpm"
	"relais/systemd"
)

// agentSocketMode lets the socket's owner and its group connect. Whom the agent
// serves among them, the kernel's word on the caller decides.
const agentSocketMode = 0o660

// runSealAgent holds the TPM for a hub that must not. It listens on the socket
// that the service manager passes or, without one, on its own.
func runSealAgent(ctx context.Context, std stdio, args []string) error {
	f := flags(std, "seal-agent [--config FILE] [--listen PATH]")
	config := f.String("config", defaultConfig, "configuration `file`: keys.device and keys.agent_user")
	listen := f.String("listen", "", "unix socket to make, as a `path`; keys.agent unless told, or the service manager's")
	if err := parse(f, args, 0, 0); err != nil {
		return err
	}
	c, err := loadConfig(*config)
	if err != nil {
		return err
	}
	users, err := agentUsers(c.Keys)
	if err != nil {
		return err
	}
	device, err := tpm.New(c.Keys.Device)
	if err != nil {
		return err
	}
	l, err := listenAgent(*listen, c.Keys)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(std.err, nil))
	log.Info("seal agent serves", "socket", l.Addr().String(), "users", users, "version", version)
	if _, err := systemd.Ready("guards the keys on " + c.Keys.Device); err != nil {
		log.Warn("service manager not told", "err", err)
	}
	err = agent.NewServer(device, tpm.Reasons(), users, log).Serve(ctx, l)
	if stopErr := systemd.Stopping(); stopErr != nil {
		log.Warn("service manager not told", "err", stopErr)
	}
	return errors.Join(err, closeBounded(device))
}

// closeBounded lets go of a device that may hang: the kernel does the rest when
// the process ends.
func closeBounded(device *tpm.Provider) error {
	closed := make(chan error, 1)
	go func() { closed <- device.Close() }()
	select {
	case err := <-closed:
		return err
	case <-time.After(shutdownTimeout):
		return fmt.Errorf("the TPM did not let go within %v", shutdownTimeout)
	}
}

// agentUsers are who may call, beside root: the agent's own user and the
// configured one.
func agentUsers(k KeysConfig) ([]uint32, error) {
	users := []uint32{uint32(os.Geteuid())}
	if k.AgentUser == "" {
		return users, nil
	}
	number := k.AgentUser
	if u, err := user.Lookup(number); err == nil {
		number = u.Uid
	}
	uid, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("keys.agent_user: there is no user %q on this machine", k.AgentUser)
	}
	return append(users, uint32(uid)), nil
}

// listenAgent takes the service manager's socket, or makes one. It never serves a
// network.
func listenAgent(path string, k KeysConfig) (*net.UnixListener, error) {
	passed, err := systemd.Socket()
	if err != nil {
		return nil, err
	}
	if passed != nil {
		l, ok := passed.(*net.UnixListener)
		if ok && path == "" {
			return l, nil
		}
		err := failWith(exitUsage, "--listen, and a socket of the service manager: one or the other")
		if !ok {
			err = failWith(exitUsage, "the service manager passed %s %s: the seal agent serves no network, only a unix socket", passed.Addr().Network(), passed.Addr())
		}
		return nil, errors.Join(err, passed.Close())
	}
	if path == "" {
		path = k.Agent
	}
	if path == "" {
		return nil, failWith(exitUsage, "where to listen? Give keys.agent in the configuration, or --listen PATH")
	}
	if err := socketPath(path); err != nil {
		return nil, failWith(exitUsage, "--listen: %w", err)
	}
	return makeAgentSocket(path)
}

// makeAgentSocket makes the socket anew, in the place of one that an agent that
// was killed left behind. It is made under another name, and has its mode when
// it takes its own.
func makeAgentSocket(path string) (*net.UnixListener, error) {
	if c, err := net.Dial("unix", path); err == nil {
		return nil, errors.Join(fmt.Errorf("another seal agent serves %s", path), c.Close())
	}
	made := path + ".new"
	if err := os.Remove(made); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("seal agent: %w", err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("seal agent: %w", err)
	}
	l.SetUnlinkOnClose(false) // its name is another by then; the next start replaces it
	if err := errors.Join(os.Chmod(made, agentSocketMode), os.Rename(made, path)); err != nil {
		return nil, errors.Join(fmt.Errorf("seal agent: %w", err), l.Close())
	}
	return l, nil
}

// maxSocketPath is what the kernel takes in a unix address, less its NUL, and
// less what makeAgentSocket adds, in octets.
const maxSocketPath = 107 - len(".new")

// socketPath refuses what is no path of a unix socket: the agent is no server of
// a network.
func socketPath(path string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("%q is not the absolute path of a unix socket", path)
	}
	if len(path) > maxSocketPath {
		return fmt.Errorf("%q is longer than %d octets, too long for a unix socket", path, maxSocketPath)
	}
	return nil
}
