package link

import (
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/yamux"

	"relais/node/territory"
)

// serve takes the peer's streams until the session ends, and closes it.
func (l *Link) serve(s *session, peer territory.HubID) {
	slots := make(chan struct{}, streamsAtOnce)
	for {
		stream, err := s.mux.AcceptStream()
		if err != nil {
			s.close()
			return
		}
		select {
		case slots <- struct{}{}:
		default:
			l.log.Warn("link peer has too many streams open", "peer", peer.String())
			stream.Close()
			continue
		}
		started := l.run(func() {
			defer func() { <-slots }()
			if err := l.serveStream(stream, s, peer); err != nil {
				l.log.Warn("link session closed", "peer", peer.String(), "err", err)
				s.close()
			}
		})
		if !started {
			s.close()
			return
		}
	}
}

// serveStream reads the frames of one stream. A frame that no honest peer sends
// is an error, which closes the session.
func (l *Link) serveStream(stream *yamux.Stream, s *session, peer territory.HubID) error {
	stream.SetReadDeadline(time.Now().Add(openTimeout))
	for {
		f, err := ReadFrame(stream)
		switch {
		case errors.Is(err, ErrFrameTooLarge), errors.Is(err, ErrFrameVersion):
			stream.Close()
			return err
		case err != nil: // the stream or the session ended
			stream.Close()
			return nil
		case f.Type == TypeTunnel:
			stream.SetReadDeadline(time.Time{})
			return l.serveTunnel(stream, s, peer, f)
		case f.Src != peer || f.Dst != l.self:
			stream.Close()
			return fmt.Errorf("%w: from %s to %s", ErrFrameRoute, f.Src, f.Dst)
		}
		stream.SetReadDeadline(time.Time{})
		if f.Type == TypeStream {
			if l.receiver == nil {
				return stream.Close()
			}
			l.receiver.Stream(peer, stream)
			return nil
		}
		if l.receiver != nil {
			l.receiver.Frame(peer, f.Type, f.Payload)
		}
	}
}
