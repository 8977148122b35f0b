package agent_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"relais/hardware/agent"
	"relais/hardware/keyring"
	"relais/hardware/soft"
	"relais/hardware/tpm"
)

func frame(text string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...)
}

// rawDial connects to an agent and hears its greeting.
func rawDial(t testing.TB, path string) net.Conn {
	t.Helper()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := agent.ReadAnswer(conn, nil); err != nil {
		t.Fatal(err)
	}
	return conn
}

// What is not a request is answered as such, the connection ends, and the agent
// goes on for others.
func TestServerRefuses(t *testing.T) {
	a := onFile(t)
	c := a.dial()
	blob := wrap(t, c)
	for name, octets := range map[string][]byte{
		"ErrOversized":   binary.BigEndian.AppendUint32(nil, agent.MaxFrame+1),
		"ErrEndless":     {0xff, 0xff, 0xff, 0xff},
		"ErrEmpty":       {0, 0, 0, 0},
		"ErrHTTP":        []byte("GET / HTTP/1.1\r\nHost: seal\r\n\r\n"),
		"ErrNoJSON":      frame("unwrap"),
		"ErrNoObject":    frame("[]"),
		"ErrNull":        frame("null"),
		"ErrTwo":         frame(`{"verb":"new-identity"}{"verb":"new-identity"}`),
		"ErrUnknownVerb": frame(`{"verb":"export","data":"AAAA"}`),
		"ErrNoVerb":      frame(`{"data":"AAAA"}`),
		"ErrMember":      frame(`{"verb":"new-identity","device":"/dev/tpm0"}`),
		"ErrNoData":      frame(`{"verb":"unwrap"}`),
		"ErrTooMuchData": frame(`{"verb":"new-identity","data":"AAAA"}`),
		"ErrStrayDigest": frame(`{"verb":"unwrap","data":"AAAA","digest":"AAAA"}`),
		"ErrShortDigest": frame(`{"verb":"sign","data":"AAAA","digest":"AAAA"}`),
		"ErrNoDigest":    frame(`{"verb":"sign","data":"AAAA"}`),
		"ErrNoBase64":    frame(`{"verb":"wrap","data":"clé"}`),
		"ErrNoTo":        frame(`{"verb":"raise-counter","data":"AAAA"}`),
		"ErrNegativeTo":  frame(`{"verb":"raise-counter","data":"AAAA","to":-1}`),
		"ErrHugeTo":      frame(`{"verb":"raise-counter","data":"AAAA","to":18446744073709551616}`),
		"ErrStrayTo":     frame(`{"verb":"read-counter","data":"AAAA","to":7}`),
		"ErrStrayData":   frame(`{"verb":"new-counter","data":"AAAA"}`),
	} {
		t.Run(name, func(t *testing.T) {
			conn := rawDial(t, a.path)
			if _, err := conn.Write(octets); err != nil {
				t.Fatal(err)
			}
			if _, err := agent.ReadAnswer(conn, nil); !errors.Is(err, agent.ErrMalformed) {
				t.Errorf("answered %v, want ErrMalformed", err)
			}
			if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil {
				t.Error("the connection goes on")
			}
			mustUnwrap(t, c, blob)
		})
	}
}

// A client that leaves in the middle of a message, or says nothing, takes nothing
// with it.
func TestServerCutShort(t *testing.T) {
	a := onFile(t)
	c := a.dial()
	blob := wrap(t, c)
	whole := frame(`{"verb":"new-identity"}`)
	for n := range whole {
		conn := rawDial(t, a.path)
		if _, err := conn.Write(whole[:n]); err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	rawDial(t, a.path) // and stays
	mustUnwrap(t, c, blob)
}

// A client may be idle for as long as it likes. One that stops in the middle of a
// message does not keep its place.
func TestServerErrStalled(t *testing.T) {
	s := serverOf(soft.New(t.TempDir()))
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			s.Converse(theirs)
		}()
		time.Sleep(24 * time.Hour)
		if _, err := ours.Write(frame(`{"verb":"new-identity"}`)[:9]); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if _, err := ours.Read(make([]byte, 1)); !errors.Is(err, io.EOF) || time.Since(begun) != agent.FrameTimeout {
			t.Errorf("after %v: %v, want the connection closed after %v", time.Since(begun), err, agent.FrameTimeout)
		}
	})
}

func TestServerErrFull(t *testing.T) {
	a := onFile(t)
	var taken []net.Conn
	for range agent.MaxConnections {
		taken = append(taken, rawDial(t, a.path))
	}
	if _, err := agent.Dial(a.path, nil); !errors.Is(err, agent.ErrFull) {
		t.Errorf("Dial = %v, want ErrFull", err)
	}
	taken[0].Close()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		if c, err := agent.Dial(a.path, nil); err == nil {
			c.Close()
			return
		} else if time.Now().After(deadline) {
			t.Fatalf("a place was left, and Dial = %v", err)
		}
	}
}

// impostor answers every connection with the given octets.
func impostor(t testing.TB, octets []byte) string {
	t.Helper()
	path := filepath.Join(shortDir(t), "seal.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Write(octets)
			go func() {
				io.Copy(io.Discard, conn)
				conn.Close()
			}()
		}
	}()
	return path
}

// Whatever answers in the agent's place, the client has an error and no key.
func TestClientRefuses(t *testing.T) {
	greeting := frame(`{"kind":"tpm"}`)
	for name, c := range map[string]struct {
		octets []byte
		want   error
	}{
		"ErrNoGreeting":      {frame(`{}`), agent.ErrMalformed},
		"ErrOversized":       {append(greeting[:len(greeting):len(greeting)], 0xff, 0xff, 0xff, 0xff), agent.ErrMalformed},
		"ErrNoJSON":          {append(greeting[:len(greeting):len(greeting)], frame("KEK")...), agent.ErrMalformed},
		"ErrEmptyAnswer":     {append(greeting[:len(greeting):len(greeting)], frame("{}")...), agent.ErrMalformed},
		"ErrReplacedAnswer":  {append(greeting[:len(greeting):len(greeting)], frame(`{"error":"x","reasons":["replaced"]}`)...), tpm.ErrReplaced},
		"ErrHTTP":            {[]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), agent.ErrMalformed},
		"ErrRefusedGreeting": {frame(`{"error":"no","reasons":["agent-refused"]}`), agent.ErrRefused},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := agent.Dial(impostor(t, c.octets), tpm.Reasons())
			if err == nil {
				_, err = p.Unwrap([]byte("blob"))
			}
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
	t.Run("ErrNoKey", func(t *testing.T) {
		p, err := agent.Dial(impostor(t, append(greeting[:len(greeting):len(greeting)], frame(`{"data":"AAAA"}`)...)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if signer, err := p.LoadIdentity([]byte("blob")); err == nil || signer != nil {
			t.Errorf("LoadIdentity = %v, %v", signer, err)
		}
	})
}

// A signature of another digest is never handed out.
func TestClientErrWrongSignature(t *testing.T) {
	p := &liar{Provider: onFile(t).dial()}
	signer := newIdentity(t, serve(t, p).dial())
	p.lies = true
	if err := signed(signer, "one"); err == nil || !strings.Contains(err.Error(), "does not verify") {
		t.Errorf("Sign = %v", err)
	}
	p.lies = false
	mustSign(t, signer)
}

func TestClientErrUnreachable(t *testing.T) {
	_, err := agent.Dial(filepath.Join(shortDir(t), "seal.sock"), nil)
	if !errors.Is(err, agent.ErrUnreachable) || !strings.Contains(err.Error(), "relais-seal.socket") {
		t.Errorf("Dial = %v, want ErrUnreachable and the remedy", err)
	}
}

func TestClientErrClosed(t *testing.T) {
	c := onFile(t).dial()
	signer := newIdentity(t, c)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := signed(signer, "late"); !errors.Is(err, agent.ErrClosed) {
		t.Errorf("Sign = %v, want ErrClosed", err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}

// FuzzRequest: whatever a caller sends, reading it ends, takes no more than a
// frame, and what is refused is refused by name.
func FuzzRequest(f *testing.F) {
	f.Add(frame(`{"verb":"sign","data":"AAAA","digest":"AAAA"}`))
	f.Add(frame(`{"verb":"new-identity"}`))
	f.Add(frame(`{"verb":"raise-counter","data":"AAAA","to":18446744073709551615}`))
	f.Add(frame(`null`))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, '{'})
	f.Fuzz(func(t *testing.T, octets []byte) {
		r := bytes.NewReader(octets)
		_, data, digest, err := agent.ReadRequest(r)
		if taken := len(octets) - r.Len(); taken > 4+agent.MaxFrame {
			t.Errorf("it took %d octets", taken)
		}
		if err != nil && (len(octets) == 0) != errors.Is(err, io.EOF) && !errors.Is(err, agent.ErrMalformed) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("an error of no kind: %v", err)
		}
		if len(data)+len(digest) > agent.MaxFrame {
			t.Errorf("%d octets of data", len(data)+len(digest))
		}
	})
}

// FuzzAnswer: whatever is in the agent's place, its answer is read or refused,
// and an error of ours is only what was named.
func FuzzAnswer(f *testing.F) {
	f.Add(frame(`{"kind":"tpm"}`))
	f.Add(frame(`{"error":"TPM: unseal","reasons":["cleared","keyring-locked"]}`))
	f.Add(frame(`{"reasons":[]}`))
	f.Add(frame(`{"count":{"value":7,"place":"AAAA","at":"2026-11-24T00:00:00Z"}}`))
	f.Fuzz(func(t *testing.T, octets []byte) {
		_, err := agent.ReadAnswer(bytes.NewReader(octets), tpm.Reasons())
		if errors.Is(err, keyring.ErrLocked) && !bytes.Contains(octets, []byte("keyring-locked")) && !bytes.Contains(octets, []byte(`\u`)) {
			t.Errorf("locked, unsaid: %v", err)
		}
	})
}
