package relay_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"relais/sync/link/linktest"
	"relais/sync/link/relay"
)

// echoServer answers each connection with what it says.
func echoServer(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(conn, conn)
				conn.Close()
			}()
		}
	}()
	return listener.Addr().String()
}

// say writes a line and reads it back.
func say(conn net.Conn, line string) error {
	conn.SetDeadline(time.Now().Add(2 * time.Second))
	if _, err := io.WriteString(conn, line); err != nil {
		return err
	}
	back := make([]byte, len(line))
	if _, err := io.ReadFull(conn, back); err != nil {
		return err
	}
	if string(back) != line {
		return fmt.Errorf("%q came back as %q", line, back)
	}
	return nil
}

// throughProxy opens a tunnel to the target.
func throughProxy(proxy, target string) (net.Conn, error) {
	conn, err := net.Dial("tcp", proxy)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(2 * time.Second))
	fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", target, target)
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: http.MethodConnect})
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the proxy says %s", resp.Status)
	}
	return conn, nil
}

func TestLine(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("cut and restored", func(t *testing.T) {
		target := echoServer(t)
		line := relay.New()
		defer line.Close()
		forward, err := line.Forward("127.0.0.1:0", target)
		if err != nil {
			t.Fatal(err)
		}
		proxy, err := line.Proxy("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ways := map[string]func() (net.Conn, error){
			"forward": func() (net.Conn, error) { return net.Dial("tcp", forward) },
			"proxy":   func() (net.Conn, error) { return throughProxy(proxy, target) },
		}
		for name, open := range ways {
			conn, err := open()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if err := say(conn, "before"); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			line.Cut()
			if err := say(conn, "during"); err == nil {
				t.Errorf("%s: an open connection survives the cut", name)
			}
			if conn, err := open(); err == nil && say(conn, "during") == nil {
				t.Errorf("%s: a new connection passes the cut", name)
			}
			line.Restore()
			if conn, err = open(); err != nil {
				t.Fatalf("%s after the cut: %v", name, err)
			}
			if err := say(conn, "after"); err != nil {
				t.Errorf("%s after the cut: %v", name, err)
			}
		}
		quiet, err := net.Dial("tcp", forward)
		if err != nil {
			t.Fatal(err)
		}
		line.Silence()
		io.WriteString(quiet, "in the tunnel")
		quiet.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if n, err := quiet.Read(make([]byte, 20)); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a silent line passed %d octets: %v", n, err)
		}
		line.Restore()
		back := make([]byte, len("in the tunnel"))
		quiet.SetReadDeadline(time.Now().Add(2 * time.Second))
		if _, err := io.ReadFull(quiet, back); err != nil || string(back) != "in the tunnel" {
			t.Errorf("after the silence: %q, %v", back, err)
		}
		if n := line.Octets(); n < 20 {
			t.Errorf("%d octets counted", n)
		}
		if _, err := throughProxy(proxy, "127.0.0.1:1"); err == nil || !strings.Contains(err.Error(), "502") {
			t.Errorf("nobody there: %v", err)
		}
	})
	linktest.Eventually(t, 5*time.Second, "every goroutine ends", func() bool { return runtime.NumGoroutine() <= before+1 })
}
