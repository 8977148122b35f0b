package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"relais/hardware/keyring"
)

const (
	// operationTimeout bounds one operation, waiting for its turn included. It is
	// longer than a TPM command's own 30 s, whose error says more.
	operationTimeout = 40 * time.Second
	// maxConnections bounds who may wait for the device: a hub takes one, a verb
	// of the command line another.
	maxConnections = 16
)

// Server serves one provider to the users it is told of. It is made by NewServer.
type Server struct {
	provider keyring.Provider
	reasons  Reasons
	users    []uint32 // that may call
	log      *slog.Logger
	timeout  time.Duration

	// turn holds one token: the operation at the device. It is kept until the
	// device answered, even when the client was told that it did not.
	turn   chan struct{}
	kept   identity // guarded by turn
	places chan struct{}
}

// NewServer returns a server of p, for the given users beside root, who may do as
// he likes anyhow. p stays the caller's to close.
func NewServer(p keyring.Provider, reasons Reasons, users []uint32, log *slog.Logger) *Server {
	return &Server{
		provider: p, reasons: reasons.with(), users: append([]uint32{0}, users...), log: log, timeout: operationTimeout,
		turn: make(chan struct{}, 1), places: make(chan struct{}, maxConnections),
	}
}

// Serve answers on l until ctx ends, and closes it. It returns without waiting
// for a device that hangs. The error is nil for an end that was asked for.
func (s *Server) Serve(ctx context.Context, l *net.UnixListener) error {
	var serving sync.WaitGroup
	defer serving.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // before the wait
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		conn, err := l.AcceptUnix()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("seal agent: %w", err)
		}
		serving.Go(func() {
			defer conn.Close()
			hangUp := context.AfterFunc(ctx, func() { conn.Close() })
			defer hangUp()
			s.greet(ctx, conn)
		})
	}
}

// greet lets in whoever may, as long as there is room.
func (s *Server) greet(ctx context.Context, conn *net.UnixConn) {
	uid, err := callerOf(conn)
	if err == nil && !slices.Contains(s.users, uid) {
		err = fmt.Errorf("%w (you are user %d)", ErrRefused, uid)
	}
	if err != nil {
		s.log.Warn("seal agent: caller refused", "uid", uid, "err", err)
		writeFrame(conn, s.reasons.refuse(err), time.Now().Add(frameTimeout))
		return
	}
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	default:
		writeFrame(conn, s.reasons.refuse(ErrFull), time.Now().Add(frameTimeout))
		return
	}
	if writeFrame(conn, answer{Kind: s.provider.Kind()}, time.Now().Add(frameTimeout)) == nil {
		s.converse(ctx, conn, uid)
	}
}

// converse answers one request after the other until the client leaves, or says
// what is no request.
func (s *Server) converse(ctx context.Context, conn net.Conn, uid uint32) {
	for {
		var r request
		if err := awaitFrame(conn, &r); err != nil {
			if errors.Is(err, ErrMalformed) {
				s.log.Warn("seal agent: caller not understood", "uid", uid, "err", err)
				writeFrame(conn, s.reasons.refuse(err), time.Now().Add(frameTimeout))
			}
			return
		}
		a, err := s.operate(ctx, r)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.log.Warn("seal agent: failed", "verb", string(r.Verb), "uid", uid, "err", err)
			a = s.reasons.refuse(err)
		case r.Verb != verbSign && r.Verb != verbRaiseCounter: // those are many
			s.log.Info("seal agent: done", "verb", string(r.Verb), "uid", uid)
		}
		if writeFrame(conn, a, time.Now().Add(frameTimeout)) != nil || errors.Is(err, ErrMalformed) {
			return
		}
	}
}

// operate does what is asked when its turn comes, and answers in time whatever
// the device does.
func (s *Server) operate(ctx context.Context, r request) (answer, error) {
	silent := fmt.Errorf("%w (%v)", ErrSilent, s.timeout)
	timer := time.NewTimer(s.timeout)
	defer timer.Stop()
	select {
	case s.turn <- struct{}{}:
	case <-timer.C:
		return answer{}, silent
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
	type outcome struct {
		answer answer
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		defer func() { <-s.turn }()
		a, err := s.do(r)
		done <- outcome{a, err}
	}()
	select {
	case o := <-done:
		return o.answer, o.err
	case <-timer.C:
		return answer{}, silent
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
}

// do is one operation at the device.
func (s *Server) do(r request) (a answer, err error) {
	if !r.whole() {
		return a, fmt.Errorf("%w: %q with what it does not take, or without what it does", ErrMalformed, r.Verb)
	}
	switch r.Verb {
	case verbWrap:
		a.Data, err = s.provider.Wrap(r.Data)
	case verbUnwrap:
		a.Data, err = s.provider.Unwrap(r.Data)
	case verbNewIdentity:
		a.Data, err = s.provider.NewIdentity()
	case verbLoadIdentity:
		a.Data, err = s.kept.public(s.provider, r.Data)
	case verbSign:
		a.Data, err = s.kept.sign(s.provider, r.Data, r.Digest)
	case verbExamine:
		a.Data, err = examine(s.provider)
	case verbNewCounter, verbReadCounter, verbRaiseCounter:
		return count(s.provider, r)
	default:
		err = fmt.Errorf("%w: there is no verb %q", ErrMalformed, r.Verb)
	}
	return a, err
}

// callerOf asks the kernel which user is at the other end.
func callerOf(conn *net.UnixConn) (uid uint32, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	controlErr := raw.Control(func(fd uintptr) {
		var cred *unix.Ucred
		if cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			uid = cred.Uid
		}
	})
	return uid, errors.Join(controlErr, err)
}
