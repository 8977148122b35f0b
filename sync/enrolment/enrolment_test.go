package enrolment_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"relais/node"
	"relais/node/fault"
	"relais/node/territory"
	"relais/sync/enrolment"
	"relais/sync/link"
	"relais/sync/link/linktest"
)

func TestJoin(t *testing.T) {
	h, bus := newHost(t, nil), newNewcomer(t)
	i := h.invitation("127.0.0.1:1", h.link.Addr().String()) // the first answers nobody
	seen, err := bus.Look(t.Context(), i)
	check(t, err)
	if seen.RootKey != h.root.Public() || !bytes.Equal(seen.Note, h.note) || seen.Roster.Version != 1 {
		t.Errorf("%+v", seen)
	}
	if h.asked() != 0 {
		t.Error("looking told something")
	}
	done, err := bus.Ask(t.Context(), i, seen, bus.request(t))
	if err != nil || done.State != node.RequestWaiting || done.Fingerprint != h.answer.Fingerprint || h.secrets[0] != i.Secret {
		t.Fatalf("%+v, %v", done, err)
	}
	h.answer = node.Enrolled{State: node.RequestApproved, Roster: h.note, Certificate: []byte{1, 2}}
	done, err = bus.Ask(t.Context(), i, seen, bus.request(t))
	if err != nil || done.State != node.RequestApproved || !bytes.Equal(done.Roster, h.note) || !bytes.Equal(done.Certificate, []byte{1, 2}) {
		t.Errorf("%+v, %v", done, err)
	}
}

func TestErrLook(t *testing.T) {
	h, bus := newHost(t, nil), newNewcomer(t)
	for _, c := range []struct {
		name   string
		change func(*territory.Invitation)
		want   error
	}{
		{"ErrOtherRoot", func(i *territory.Invitation) { i.Root[0]++ }, enrolment.ErrOtherRoot},
		{"ErrOtherRoot, another territory", func(i *territory.Invitation) { i.Territory = "974" }, enrolment.ErrOtherRoot},
		{"ErrOldRoster", func(i *territory.Invitation) { i.MinVersion = 2 }, enrolment.ErrOldRoster},
		{"ErrUnreachable", func(i *territory.Invitation) { i.Addresses = []string{"127.0.0.1:1"} }, enrolment.ErrUnreachable},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := h.invitation()
			c.change(&i)
			if _, err := bus.Look(t.Context(), i); !errors.Is(err, c.want) {
				t.Error(err)
			}
		})
	}
	t.Run("ErrForged", func(t *testing.T) {
		note := h.note
		defer func() { h.note = note }()
		h.note = bytes.Replace(note, []byte("Valbrume"), []byte("Valbrune"), 1)
		if _, err := bus.Look(t.Context(), h.invitation()); !errors.Is(err, territory.ErrForged) {
			t.Error(err)
		}
	})
	t.Run("ErrNotInviting", func(t *testing.T) {
		h.inviting.Store(false)
		if _, err := bus.Look(t.Context(), h.invitation()); !errors.Is(err, link.ErrNotInviting) {
			t.Error(err)
		}
	})
	if h.asked() != 0 {
		t.Error("a secret left")
	}
}

// TestImpostor: whoever answers in the place of the hub that invites, with a
// genuine root and roster, hears no secret; relaying does not help.
func TestImpostor(t *testing.T) {
	h, bus := newHost(t, nil), newNewcomer(t)
	outsider := newNewcomer(t)
	var heard bytes.Buffer
	relay := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "https", Host: "join"})
			if r.In.Method == http.MethodPost {
				io.Copy(&heard, r.In.Body)
			}
		},
		Transport: outsider.caller.Client(h.link.Addr().String(), nil, h.ID).Transport,
	}
	for name, listed := range map[string]bool{"a stranger": false, "another hub of the territory": true} {
		t.Run(name, func(t *testing.T) {
			middle := newHost(t, relay)
			if listed {
				r, err := h.Roster().Clone()
				check(t, err)
				r.Hubs = append(r.Hubs, h.entry(t, middle.Hub, 2))
				h.sign(t, r)
			}
			i := h.invitation(middle.link.Addr().String())
			seen, err := bus.Look(t.Context(), i)
			check(t, err) // what it relays is genuine
			want := link.ErrUnknownPeer
			if listed {
				want = link.ErrWrongPeer
			}
			if _, err := bus.Ask(t.Context(), i, seen, bus.request(t)); !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
			if heard.Len() > 0 || h.asked() > 0 || middle.asked() > 0 {
				t.Error("a secret was sent")
			}
		})
	}
	t.Run("no word of it is shown", func(t *testing.T) {
		liar := newHost(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, `{"code":"forbidden","message":"Appelez le 08 99 00 00 00.","detail":"call 0899"}`)
		}))
		_, err := bus.Look(t.Context(), h.invitation(liar.link.Addr().String()))
		if !errors.Is(err, enrolment.ErrUnreachable) || strings.Contains(err.Error()+fault.Of(err).Message, "08") {
			t.Errorf("%v", err)
		}
	})
}

func TestErrAsk(t *testing.T) {
	h, bus := newHost(t, nil), newNewcomer(t)
	i := h.invitation()
	seen, err := bus.Look(t.Context(), i)
	check(t, err)
	t.Run("what the host says comes through", func(t *testing.T) {
		h.err = fmt.Errorf("request: %w", fault.Errorf(fault.Forbidden, "Cette invitation n’est plus valable.", "the invitation ended"))
		defer func() { h.err = nil }()
		_, err := bus.Ask(t.Context(), i, seen, bus.request(t))
		if f := fault.Of(err); f.Code != fault.Forbidden || f.Message != "Cette invitation n’est plus valable." || f.Error() != "the invitation ended" {
			t.Errorf("%+v", f)
		}
	})
	t.Run("what is ours does not", func(t *testing.T) {
		h.err = errors.New("disk on fire at /var/lib/relais")
		defer func() { h.err = nil }()
		if _, err := bus.Ask(t.Context(), i, seen, bus.request(t)); fault.Of(err).Code != fault.Internal || strings.Contains(err.Error(), "/var") {
			t.Errorf("%v", err)
		}
	})
	before := h.asked()
	t.Run("ErrNotProved", func(t *testing.T) {
		if _, err := bus.Ask(t.Context(), i, seen, newNewcomer(t).request(t)); !fault.Is(err, fault.Forbidden) {
			t.Error(err)
		}
	})
	t.Run("ErrTwoIdentities", func(t *testing.T) { // one for the proof, one for the roster
		theirs, ours := string(newNewcomer(t).request(t)), string(bus.request(t))
		_, hub, _ := strings.Cut(ours, `"hub":`)
		hub, _, _ = strings.Cut(hub, `,"authority"`)
		for _, text := range []string{strings.TrimSuffix(theirs, "}") + `,"Hub":` + hub + `,"hub":null}`, strings.Replace(theirs, `"hub":`, `"hub":`+hub+`,"hub":`, 1)} {
			if _, err := bus.Ask(t.Context(), i, seen, []byte(text)); err == nil {
				t.Error("taken")
			}
		}
	})
	t.Run("ErrTooLong", func(t *testing.T) {
		if _, err := bus.Ask(t.Context(), i, seen, append(bus.request(t), bytes.Repeat([]byte(" "), 30<<10)...)); !fault.Is(err, fault.Invalid) {
			t.Error(err)
		}
	})
	t.Run("ErrNoSecret", func(t *testing.T) {
		client := bus.caller.Client(i.Addresses[0], seen.Roster, h.ID)
		for _, body := range []string{"", "{", `{"secret":"AA==","request":"{}"}`, `{"request":"{}"}`, `{"x":1}`} {
			resp, err := client.Post("https://join/relais/v1/join", "application/json", strings.NewReader(body))
			check(t, err)
			resp.Body.Close()
			if resp.StatusCode != http.StatusUnprocessableEntity {
				t.Errorf("%s: %s", body, resp.Status)
			}
		}
	})
	if h.asked() != before {
		t.Error("the host was asked")
	}
	t.Run("ErrExpelled", func(t *testing.T) { // the roster it saw names the host; the host is out since
		r, err := seen.Roster.Clone()
		check(t, err)
		r.Hubs[0].State = territory.HubExpelled
		seen := seen
		seen.Roster = r
		if _, err := bus.Ask(t.Context(), i, seen, bus.request(t)); !errors.Is(err, link.ErrExpelledPeer) {
			t.Error(err)
		}
	})
}

// knock opens a connection as a stranger does, and sends what it is told.
func (n *newcomer) knock(t testing.TB, address string) *tls.Conn {
	t.Helper()
	credentials, err := link.NewCredentials(n.ID, n.Identity, nil)
	check(t, err)
	config := credentials.ClientTLS(nil, n.ID, link.ALPNJoin)
	config.VerifyConnection = func(tls.ConnectionState) error { return nil }
	conn, err := tls.Dial("tcp", address, config)
	check(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

// TestManyStrangers: strangers who say nothing hold a few connections and no
// more; hubs come and go meanwhile, and a newcomer does once they are gone.
func TestManyStrangers(t *testing.T) {
	h := newHost(t, nil)
	friend := linktest.NewHub(t)
	r, err := h.Roster().Clone()
	check(t, err)
	r.Hubs = append(r.Hubs, h.entry(t, friend, 2))
	h.sign(t, r)
	theirs, err := link.New(link.Options{Self: friend.ID, Identity: friend.Identity, Roster: h.Roster, Listen: "127.0.0.1:0"})
	check(t, err)
	linktest.Run(t, theirs)
	stranger := newNewcomer(t)
	var crowd []*tls.Conn
	for range 60 {
		crowd = append(crowd, stranger.knock(t, h.link.Addr().String()))
	}
	open := func() (n int) {
		for _, conn := range crowd {
			conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			_, err := conn.Read(make([]byte, 1))
			var timeout interface{ Timeout() bool }
			if errors.As(err, &timeout) && timeout.Timeout() {
				n++
			}
		}
		return n
	}
	if n := open(); n > 32 || n < 8 {
		t.Errorf("%d strangers are kept", n)
	}
	resp, err := theirs.HTTPClient().Get("https://" + h.ID.String() + "/")
	if err != nil || resp.StatusCode != http.StatusNoContent {
		t.Errorf("a hub is kept out: %v", err)
	}
	for _, conn := range crowd {
		conn.Close()
	}
	linktest.Eventually(t, 10*time.Second, "a newcomer is heard again", func() bool {
		_, err := stranger.Look(t.Context(), h.invitation())
		return err == nil
	})
}
