package link_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"relais/sync/link/linktest"
)

// proxyThat answers every request with the same octets, and notes what was asked.
func proxyThat(t *testing.T, answer string) (*url.URL, <-chan *http.Request) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	asked := make(chan *http.Request, 16)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if req, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				asked <- req
				io.WriteString(conn, answer)
			}
			conn.Close()
		}
	}()
	return &url.URL{Scheme: "http", Host: listener.Addr().String(), User: url.UserPassword("relais", "secret")}, asked
}

func TestProxyThat(t *testing.T) {
	for name, c := range map[string]struct{ answer, want string }{
		"refuses":         {"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "the proxy refuses"},
		"is none":         {"220 mail.example.org ESMTP\r\n", "ask the proxy"},
		"hangs up":        {"", "ask the proxy"},
		"speaks too soon": {"HTTP/1.1 200 OK\r\n\r\nhello", "octets of its own"},
	} {
		t.Run(name, func(t *testing.T) {
			terr := linktest.NewTerritory()
			b := start(t, terr, linktest.Options{})
			proxy, asked := proxyThat(t, c.answer)
			a := start(t, terr, linktest.Options{Proxy: proxy})
			if err := a.link.Connect(t.Context(), b.ID); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			} else if strings.Contains(err.Error(), "secret") {
				t.Error("the error shows the proxy's password")
			}
			select {
			case req := <-asked:
				if req.Method != http.MethodConnect || req.Host != b.link.Addr().String() || req.Header.Get("Proxy-Authorization") == "" {
					t.Errorf("asked %s %s", req.Method, req.Host)
				}
			case <-time.After(time.Second):
				t.Error("the proxy was not asked: the call went around it")
			}
		})
	}
}
