package exchange_test

import (
	"context"
	"crypto/tls"
	"io"
	"strings"
	"testing"
	"time"

	"relais/node"
	"relais/node/territory"
	"relais/sync/enrolment"
	"relais/sync/exchange"
	"relais/sync/link"
	"relais/sync/link/linktest"
)

// member is a hub with signed rosters, whose link shows strangers what the
// product's does.
type member struct {
	linktest.Hub
	*rooted
	link   *link.Link
	client *exchange.Client
}

func (m *member) RootKey() string { m.mu.Lock(); defer m.mu.Unlock(); return m.root }

func (m *member) TakeRequest(context.Context, territory.InviteSecret, []byte) (node.Enrolled, error) {
	return node.Enrolled{State: node.RequestWaiting}, nil
}

func newMember(t *testing.T, root string) *member {
	t.Helper()
	m := &member{Hub: linktest.NewHub(t), rooted: &rooted{memory: newMemory(1), root: root}}
	l, err := link.New(link.Options{
		Self: m.ID, Identity: m.Identity, Roster: m.Roster, Listen: "127.0.0.1:0",
		HTTP: exchange.NewHandler(exchange.HandlerOptions{Records: m, Rosters: m}),
		Join: enrolment.NewHandler(m, nil), Inviting: func() bool { return false },
	})
	if err != nil {
		t.Fatal(err)
	}
	m.link, m.client = l, exchange.NewClient(m, l.HTTPClient(), nil)
	linktest.Run(t, l)
	return m
}

func (m *member) entry(t *testing.T, index uint16) territory.Hub {
	return territory.Hub{
		Index: index, ID: m.ID, Name: "Un relais", Identity: linktest.SPKI(t, m.Identity), Witness: make([]byte, 32), Recipient: "age1example",
		Addresses: []string{m.link.Addr().String()}, Assurance: territory.AssuranceSoftware, State: territory.HubActive,
	}
}

// pair is a hub, and another that it will expel.
type pair struct {
	root      territory.Root
	roster    *territory.Roster
	keeps, is *member
}

func newPair(t *testing.T) *pair {
	t.Helper()
	root, err := territory.NewRoot("test", "Essai", time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{root: root, keeps: newMember(t, root.Public()), is: newMember(t, root.Public())}
	p.roster = &territory.Roster{Territory: "test", Name: "Essai", Zone: "Europe/Paris", Hubs: []territory.Hub{p.keeps.entry(t, 1), p.is.entry(t, 2)}}
	p.issue(t, p.keeps, p.is)
	p.keeps.turns = [][]byte{p.keeps.note}
	return p
}

func (p *pair) issue(t *testing.T, to ...*member) {
	t.Helper()
	signed, err := p.root.Issue(p.roster, time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC), 400)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range to {
		if err := m.InstallRoster(t.Context(), signed); err != nil {
			t.Fatal(err)
		}
	}
}

func (p *pair) expel(t *testing.T) {
	t.Helper()
	next, err := p.roster.Clone()
	if err != nil {
		t.Fatal(err)
	}
	if err := next.Expel(p.is.ID, nil); err != nil {
		t.Fatal(err)
	}
	p.roster = next
	p.issue(t, p.keeps)
	p.keeps.link.Refresh()
}

// TestExpelledLearns: a hub that every other refuses learns from one of them that
// it was expelled, be it under a root that turned meanwhile; while one hears it,
// it asks nobody, and once it knows, nobody any more.
func TestExpelledLearns(t *testing.T) {
	for name, turned := range map[string]bool{"one root": false, "a root that turned": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t)
			if err := p.is.link.Connect(t.Context(), p.keeps.ID); err != nil {
				t.Fatal(err)
			}
			if learned, err := p.is.client.LearnExpulsion(t.Context()); learned || err != nil {
				t.Fatalf("a hub that is heard: %v, %v", learned, err)
			}
			if turned {
				next, err := p.root.Turn()
				if err != nil {
					t.Fatal(err)
				}
				p.root = next
				p.issue(t, p.keeps)
				p.keeps.turns = append(p.keeps.turns, p.keeps.note)
			}
			p.expel(t)
			linktest.Eventually(t, 30*time.Second, "the expelled hub learns it", func() bool {
				p.is.link.Connect(t.Context(), p.keeps.ID)
				learned, err := p.is.client.LearnExpulsion(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				return learned
			})
			if h, _ := p.is.Roster().Hub(p.is.ID); h.State != territory.HubExpelled || p.is.RootKey() != p.root.Public() {
				t.Errorf("it holds %+v", h)
			}
			if learned, err := p.is.client.LearnExpulsion(t.Context()); learned || err != nil {
				t.Errorf("it asks on: %v, %v", learned, err)
			}
		})
	}
}

// TestOnlyTheExpelledRead: what is opened to the expelled is closed to strangers
// and to members, and holds the roster alone.
func TestOnlyTheExpelledRead(t *testing.T) {
	p := newPair(t)
	active := newMember(t, p.root.Public())
	p.roster.Hubs = append(p.roster.Hubs, active.entry(t, 3))
	p.issue(t, p.keeps, p.is)
	p.expel(t)
	forger := linktest.NewHub(t)
	say := func(id territory.HubID, h linktest.Hub, alpn, request string) string {
		credentials, err := link.NewCredentials(id, h.Identity, nil)
		if err != nil {
			t.Fatal(err)
		}
		config := credentials.ClientTLS(nil, p.keeps.ID, alpn)
		config.VerifyConnection = func(tls.ConnectionState) error { return nil }
		conn, err := tls.Dial("tcp", p.keeps.link.Addr().String(), config)
		if err != nil {
			return ""
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		io.WriteString(conn, request+" HTTP/1.1\r\nHost: join\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		answer, _ := io.ReadAll(conn)
		return string(answer)
	}
	const read = "GET /relais/v1/territory"
	if got := say(p.is.ID, p.is.Hub, link.ALPNExpelled, read); !strings.HasPrefix(got, "HTTP/1.1 200") || !strings.Contains(got, "Essai") {
		t.Fatalf("the expelled hub reads %q", got)
	}
	stranger := linktest.NewHub(t)
	for name, got := range map[string]string{
		"a stranger":              say(stranger.ID, stranger, link.ALPNExpelled, read),
		"a stranger who joins":    say(stranger.ID, stranger, link.ALPNJoin, read),
		"under the expelled name": say(p.is.ID, forger, link.ALPNExpelled, read),
		"an active member":        say(active.ID, active.Hub, link.ALPNExpelled, read),
		"expelled, joining":       say(p.is.ID, p.is.Hub, link.ALPNJoin, read),
		"expelled, as a hub":      say(p.is.ID, p.is.Hub, link.ALPNHTTP, read),
		"expelled, in a session":  say(p.is.ID, p.is.Hub, link.ALPNSession, read),
	} {
		if got != "" {
			t.Errorf("%s reads %q", name, got)
		}
	}
	for _, request := range []string{"POST /relais/v1/join", "GET /relais/v1/join", "GET /relais/v1/roster", "POST /relais/v1/records/missing"} {
		if got := say(p.is.ID, p.is.Hub, link.ALPNExpelled, request); strings.HasPrefix(got, "HTTP/1.1 2") || got == "" {
			t.Errorf("%s: %q", request, got)
		}
	}
	resp, err := active.link.HTTPClient().Get(link.SchemeExpelled + "://" + p.keeps.ID.String() + "/relais/v1/territory")
	if err == nil {
		resp.Body.Close()
		t.Error("a member that nobody refuses asks")
	}
}
