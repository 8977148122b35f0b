package link_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"relais/sync/link"
	"relais/sync/link/linktest"
)

// TestSlowStranger: a body that does not come is not waited for.
func TestSlowStranger(t *testing.T) {
	host, newcomer := linktest.NewHub(t), linktest.NewHub(t)
	var whole atomic.Int32
	l, err := link.New(link.Options{
		Self: host.ID, Identity: host.Identity, Roster: linktest.NewTerritory().Roster, Listen: "127.0.0.1:0",
		Inviting: func() bool { return true },
		Join: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if _, err := io.ReadAll(r.Body); err == nil {
				whole.Add(1)
			}
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	l.HurryStrangers()
	linktest.Run(t, l)
	credentials, err := link.NewCredentials(newcomer.ID, newcomer.Identity, nil)
	if err != nil {
		t.Fatal(err)
	}
	config := credentials.ClientTLS(nil, newcomer.ID, link.ALPNJoin)
	config.VerifyConnection = func(tls.ConnectionState) error { return nil }
	conn, err := tls.Dial("tcp", l.Addr().String(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	begun := time.Now()
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: join\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	another := link.NewCaller(credentials, nil).Client(l.Addr().String(), nil, host.ID)
	defer another.CloseIdleConnections()
	if resp, err := another.Get("https://join/"); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("another is not heard meanwhile: %v", err)
	}
	conn.SetReadDeadline(begun.Add(20 * time.Second))
	_, err = io.Copy(io.Discard, conn)
	if errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begun) < time.Second {
		t.Errorf("after %v: %v", time.Since(begun), err)
	}
	if n := whole.Load(); n != 1 {
		t.Errorf("%d requests came whole, want that of the other", n)
	}
}
