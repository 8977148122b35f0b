package national_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"relais/node/journal"
	"relais/node/territory"
	"relais/sync/link"
	"relais/sync/link/relay"
	"relais/sync/national"
	"relais/sync/national/contracttest"
)

// bench is one hub, one stand-in for the service behind real TLS, and the
// adapter between them.
type bench struct {
	*ground
	t            testing.TB
	hub, service *ledger
	options      national.Options
	listener     *cutter

	mu         sync.Mutex
	requests   []string // method and path, as they came
	checkpoint int64    // entries of the hub's journal that the service saw
	rewritten  bool     // it does not recognise them
	list       roll
	mute       bool           // it takes checkpoints, and says nothing of them
	loose      bool           // what the service answers is not as the contract says
	notNow     map[string]int // paths that answer once with this status
	listBody   string         // answered in its place
	held       national.Held  // what the hub last said that it has
	late       int64          // what it saw once the counts were given; 0: the same
}

func newBench(t testing.TB, hubs int) *bench {
	t.Helper()
	g := newGround(t, hubs)
	b := &bench{ground: g, t: t}
	b.hub = newLedger(t, g, g.roster.Hubs[0].ID)
	b.service = newLedger(t, g, g.roster.National.ID)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.listener = &cutter{Listener: inner}
	server := &http.Server{Handler: b.handler(), TLSConfig: b.credentials(t, b.service.self).ServerTLS(b.service.Roster, "h2")}
	server.ErrorLog = log.New(io.Discard, "", 0) // what net/http says of refused handshakes
	go server.ServeTLS(b.listener, "", "")
	t.Cleanup(func() { server.Close() })
	b.options = national.Options{
		Hub: b.hub, Credentials: b.credentials(t, b.hub.self),
		URL: "https://" + inner.Addr().String(), Now: func() time.Time { return start },
	}
	return b
}

func (b *bench) credentials(t testing.TB, self territory.HubID) *link.Credentials {
	t.Helper()
	c, err := link.NewCredentials(self, b.keys[self], nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (b *bench) pass(t testing.TB) (national.Report, error) {
	t.Helper()
	b.mu.Lock()
	b.requests = nil
	b.mu.Unlock()
	return national.Pass(t.Context(), national.New(b.options), b.options.Now)
}

func (b *bench) mustPass(t testing.TB) national.Report {
	t.Helper()
	r, err := b.pass(t)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// handler is the service's side of the contract, as small as it can be.
func (b *bench) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", b.service.exchange())
	mux.HandleFunc("PUT "+national.PathRoster, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := b.service.InstallRoster(r.Context(), body); err != nil {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST "+national.PathAddCheckpoint, b.addCheckpoint)
	mux.HandleFunc("GET "+national.PathStructures, b.structures)
	mux.HandleFunc("GET "+national.PathCounts, func(w http.ResponseWriter, r *http.Request) {
		c, _ := b.service.RecordCounts(r.Context())
		w.Header().Set("Content-Type", national.TypeCounts)
		b.held, _ = national.ParseHeld(r.Header.Get(national.HeaderCounts))
		json.NewEncoder(w).Encode(national.Counts{
			Records: c.Records, Notices: c.Notices, Revocations: c.Revocations, Checkpoint: b.checkpoint, StructuresHead: b.list.head(),
		})
		b.checkpoint = max(b.checkpoint, b.late)
	})
	checked := contracttest.Server(b.t, mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		b.requests = append(b.requests, r.Method+" "+r.URL.Path)
		b.mu.Unlock()
		if status, found := b.notNow[r.URL.Path]; found {
			delete(b.notNow, r.URL.Path)
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(status)
			return
		}
		if b.loose {
			mux.ServeHTTP(w, r)
			return
		}
		checked.ServeHTTP(w, r)
	})
}

func (b *bench) structures(w http.ResponseWriter, r *http.Request) {
	if b.listBody != "" {
		w.Header().Set("Content-Type", national.TypeStructures)
		io.WriteString(w, b.listBody)
		return
	}
	b.list.serve(w, r)
}

const sampleLine = "— national AAAA\n"

// addCheckpoint takes what continues what was seen.
func (b *bench) addCheckpoint(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s, err := journal.ParseSubmission(body)
	var size int64
	if _, scanErr := fmt.Sscanf(string(s.Checkpoint), "demo\n%d\n", &size); err != nil || scanErr != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	switch {
	case s.Old != b.checkpoint:
		w.Header().Set("Content-Type", national.TypeSize)
		w.WriteHeader(http.StatusConflict)
		fmt.Fprintf(w, "%d\n", b.checkpoint)
	case b.rewritten:
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusUnprocessableEntity)
		io.WriteString(w, `{"title":"Unprocessable Entity","status":422}`)
	case b.mute:
		b.checkpoint = size
		w.WriteHeader(http.StatusNoContent)
	default:
		b.checkpoint = size
		w.Header().Set("Content-Type", national.TypeCosignatures)
		io.WriteString(w, sampleLine)
	}
}

// cutter is a line that breaks once a number of octets went up it.
type cutter struct {
	net.Listener
	left atomic.Int64 // 0: never breaks
}

func (c *cutter) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	return &cutConn{conn, c}, err
}

type cutConn struct {
	net.Conn
	c *cutter
}

var errCut = errors.New("the line is cut")

func (c *cutConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.c.left.Load() > 0 && c.c.left.Add(-int64(n)) <= 0 {
		c.c.left.Store(1) // and stays cut
		c.Conn.Close()
		return 0, errCut
	}
	return n, err
}

func TestPass(t *testing.T) {
	b := newBench(t, 3)
	b.hub.trust(t, b.write(t, b.roster.Hubs[0].ID, 20)...)
	b.service.trust(t, b.write(t, b.roster.Hubs[1].ID, 8)...)
	b.service.trust(t, b.write(t, b.roster.National.ID, 1)...)

	first := b.mustPass(t)
	want := national.Report{
		Adapter: "relais", At: start, Age: time.Hour,
		Up: 20, Down: 9, Created: 29,
	}
	if diff := cmp.Diff(want, first, cmpopts.IgnoreFields(national.Report{}, "Wire")); diff != "" {
		t.Errorf("first pass (-want +got):\n%s", diff)
	}

	t.Run("a second pass moves the fixed cost", func(t *testing.T) {
		second := b.mustPass(t)
		want := national.Report{Adapter: "relais", At: start, Age: time.Hour}
		if diff := cmp.Diff(want, second, cmpopts.IgnoreFields(national.Report{}, "Wire")); diff != "" {
			t.Errorf("second pass (-want +got):\n%s", diff)
		}
		if total := second.OctetsIn + second.OctetsOut; second.Requests > 2 || total > 4000 {
			t.Errorf("second pass: %d requests, %d octets", second.Requests, total)
		}
		t.Logf("second pass: %+v", second.Wire)
	})
	t.Run("it counts as a comparison", func(t *testing.T) {
		if b.hub.compared != 2 {
			t.Errorf("compared %d times", b.hub.compared)
		}
	})
	t.Run("a checkpoint goes up once", func(t *testing.T) {
		b.hub.journal = 1
		if r := b.mustPass(t); r.Updated != 1 || b.hub.lines != sampleLine {
			t.Errorf("%+v", r)
		}
		if r := b.mustPass(t); r.Updated != 0 || r.Requests != 2 {
			t.Errorf("%+v", r)
		}
	})
}

// TestJournalRefused: whatever the service says against our journal is noted, and
// ends no pass; what is merely late is sent again.
func TestJournalRefused(t *testing.T) {
	t.Run("its past was changed", func(t *testing.T) {
		b := newBench(t, 1)
		b.hub.journal, b.checkpoint, b.rewritten = 9, 5, true
		b.hub.trust(t, b.write(t, b.roster.Hubs[0].ID, 3)...)
		if r := b.mustPass(t); !r.JournalRefused || b.hub.refusedAt != 5 || r.Up != 3 || b.checkpoint != 5 {
			t.Errorf("%+v, refused at %d", r, b.hub.refusedAt)
		}
	})
	t.Run("it is shorter", func(t *testing.T) {
		b := newBench(t, 1)
		b.hub.journal, b.checkpoint = 3, 5
		if r := b.mustPass(t); !r.JournalRefused || b.hub.refusedAt != 5 || !slices.Contains(b.requests, "POST "+national.PathAddCheckpoint) {
			t.Errorf("%+v, refused at %d; the service was asked %v", r, b.hub.refusedAt, b.requests)
		}
	})
	t.Run("another pass came between", func(t *testing.T) {
		b := newBench(t, 1)
		b.hub.journal, b.checkpoint = 9, 5
		b.late = 7
		if r := b.mustPass(t); r.JournalRefused || b.hub.cosigned != 9 || r.Requests != 4 {
			t.Errorf("%+v, cosigned %d", r, b.hub.cosigned)
		}
	})
	t.Run("another pass came between, of a journal that is ahead of ours", func(t *testing.T) {
		b := newBench(t, 1)
		b.hub.journal, b.checkpoint = 9, 5
		b.late = 12
		if r := b.mustPass(t); !r.JournalRefused || b.hub.refusedAt != 12 {
			t.Errorf("%+v, refused at %d", r, b.hub.refusedAt)
		}
	})
	t.Run("it is taken, and not cosigned", func(t *testing.T) {
		b := newBench(t, 1)
		b.hub.journal, b.mute = 5, true
		for range 2 { // and asked again each time
			if r := b.mustPass(t); r.JournalRefused || r.Requests != 3 || b.checkpoint != 5 {
				t.Errorf("%+v, the service saw %d", r, b.checkpoint)
			}
		}
		b.mute = false
		if b.mustPass(t); b.hub.lines != sampleLine {
			t.Error("the word is not kept once it comes")
		}
	})
	t.Run("the answer was lost, and is asked for again", func(t *testing.T) {
		b := newBench(t, 1)
		b.hub.journal, b.checkpoint = 5, 5
		if r := b.mustPass(t); r.JournalRefused || b.hub.cosigned != 5 || b.hub.lines != sampleLine {
			t.Errorf("%+v, cosigned %d", r, b.hub.cosigned)
		}
	})
}

// TestNotNow: a service that says "not now" to a checkpoint or a page of the list is
// asked again within the pass; one that says nothing more ends it, and the next pass
// goes on.
func TestNotNow(t *testing.T) {
	b := newBench(t, 1)
	b.hub.journal, b.list = 4, roll{name: "a", items: []string{item(1, ""), item(2, ""), item(3, "")}}
	b.notNow = map[string]int{national.PathStructures: http.StatusTooManyRequests, national.PathAddCheckpoint: http.StatusServiceUnavailable}
	if r := b.mustPass(t); r.Requests != 2+1+2+1+1 || len(b.hub.listed) != 3 || b.hub.cosigned != 4 {
		t.Errorf("%+v, %d structures, cosigned %d", r, len(b.hub.listed), b.hub.cosigned)
	}
	b.hub.journal = 9
	b.notNow = map[string]int{national.PathAddCheckpoint: http.StatusInternalServerError}
	if r, err := b.pass(t); err == nil || b.hub.cosigned != 4 || r.JournalRefused {
		t.Errorf("%+v, cosigned %d, %v", r, b.hub.cosigned, err)
	}
	if r := b.mustPass(t); b.hub.cosigned != 9 || r.Updated != 1 {
		t.Errorf("%+v, cosigned %d", r, b.hub.cosigned)
	}
}

func TestOctetsAreFlat(t *testing.T) {
	second := func(records int) int64 {
		b := newBench(t, 1)
		b.hub.trust(t, b.write(t, b.roster.Hubs[0].ID, records)...)
		b.mustPass(t)
		r := b.mustPass(t)
		return r.OctetsIn + r.OctetsOut
	}
	few, many := second(10), second(2000)
	// How frames fall into TLS records varies with the load, by 22 octets each.
	if d := many - few; d > 200 || d < -200 {
		t.Errorf("second pass: %d octets with 10 records, %d with 2,000", few, many)
	}
	t.Logf("second pass: %d octets with 10 records, %d with 2,000", few, many)
}

func TestResume(t *testing.T) {
	t.Run("cut in the middle of a page up", func(t *testing.T) {
		b := newBench(t, 1)
		b.hub.trust(t, b.write(t, b.roster.Hubs[0].ID, 3000)...)
		b.listener.left.Store(400_000) // in the second page
		cut, err := b.pass(t)
		if err == nil {
			t.Fatal("the pass did not notice")
		}
		if cut.Up == 0 || cut.Up >= 3000 || cut.OctetsOut < 256<<10 {
			t.Fatalf("cut after %+v", cut)
		}
		b.listener.left.Store(0)
		rest := b.mustPass(t)
		if rest.Up != 3000-cut.Up || rest.Drift != 0 {
			t.Errorf("%d before the cut, %d after, drift %d", cut.Up, rest.Up, rest.Drift)
		}
	})
	t.Run("this hub fails between two pages down", func(t *testing.T) {
		b := newBench(t, 2)
		b.service.trust(t, b.write(t, b.roster.Hubs[1].ID, 100)...)
		b.hub.down = errors.New("disk full")
		if r, err := b.pass(t); !errors.Is(err, b.hub.down) || r.Down != 0 || r.Requests == 0 {
			t.Fatalf("%+v, %v", r, err)
		}
		b.hub.down = nil
		if r := b.mustPass(t); r.Down != 100 || r.Drift != 0 {
			t.Errorf("%+v", r)
		}
	})
}

func TestRefused(t *testing.T) {
	t.Run("an altered record is counted and shows as drift", func(t *testing.T) {
		b := newBench(t, 1)
		wires := b.write(t, b.roster.Hubs[0].ID, 4)
		wires[3][40] ^= 1
		b.hub.trust(t, wires[:3]...)
		altered := b.write(t, b.roster.Hubs[0].ID, 4)[3]
		altered[len(altered)-64] ^= 1 // r of its signature
		b.hub.trust(t, altered)
		r := b.mustPass(t)
		if r.Up != 3 || r.RefusedThere == 0 || r.Drift != 1 {
			t.Errorf("%+v", r)
		}
	})
	t.Run("ErrExpelledPeer at the handshake", func(t *testing.T) {
		b := newBench(t, 2)
		b.service.roster, b.service.note = b.next(t, func(r *territory.Roster) { r.Hubs[0].State = territory.HubExpelled })
		r, err := b.pass(t)
		if err == nil || r.Requests != 1 || len(b.requests) != 0 {
			t.Errorf("%d requests reached the service, %v", len(b.requests), err)
		}
	})
	t.Run("ErrWrongPeer when a hub answers", func(t *testing.T) {
		b := newBench(t, 2)
		roster, _ := b.next(t, nil)
		roster.National.ID = roster.Hubs[1].ID
		b.hub.roster = roster
		if _, err := b.pass(t); err == nil || len(b.requests) != 0 {
			t.Errorf("%d requests reached the service, %v", len(b.requests), err)
		}
	})
	t.Run("ErrNoNational", func(t *testing.T) {
		b := newBench(t, 1)
		b.hub.roster, _ = b.next(t, func(r *territory.Roster) { r.National = nil })
		if _, err := b.pass(t); !errors.Is(err, national.ErrNoNational) {
			t.Error(err)
		}
	})
	t.Run("ErrNoRoster", func(t *testing.T) {
		b := newBench(t, 1)
		b.hub.roster = nil
		if _, err := b.pass(t); !errors.Is(err, national.ErrNoRoster) {
			t.Error(err)
		}
	})
	t.Run("nobody there", func(t *testing.T) {
		b := newBench(t, 1)
		b.options.URL = "https://127.0.0.1:1"
		r, err := b.pass(t)
		if err == nil || r.Outcome(err).Err == "" {
			t.Error("no error")
		}
	})
}

func TestRosters(t *testing.T) {
	t.Run("ours is newer", func(t *testing.T) {
		b := newBench(t, 1)
		b.hub.roster, b.hub.note = b.next(t, func(r *territory.Roster) { r.Name = "Autre nom" })
		if r := b.mustPass(t); r.Updated != 1 || b.service.roster.Version != 2 {
			t.Errorf("%+v, the service has version %d", r, b.service.roster.Version)
		}
	})
	t.Run("theirs is newer, and names an author we did not know", func(t *testing.T) {
		b := newBench(t, 1)
		b.service.roster, b.service.note = b.next(t, func(r *territory.Roster) {
			id, spki := b.newKey(t)
			r.Hubs = append(r.Hubs, territory.Hub{
				Index: 1, ID: id, Name: "new", Identity: spki, Witness: make([]byte, 32),
				Recipient: "age1test", Assurance: territory.AssuranceTPM, State: territory.HubActive,
			})
		})
		b.service.trust(t, b.write(t, b.roster.Hubs[1].ID, 5)...)
		r := b.mustPass(t)
		if r.Updated != 1 || r.Down != 5 || r.Refused != 0 || b.hub.roster.Version != 2 {
			t.Errorf("%+v, the hub has version %d", r, b.hub.roster.Version)
		}
	})
}

func TestProxy(t *testing.T) {
	b := newBench(t, 1)
	b.hub.trust(t, b.write(t, b.roster.Hubs[0].ID, 5)...)
	line := relay.New()
	t.Cleanup(func() { line.Close() })
	proxy, err := line.Proxy("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.options.Proxy = &url.URL{Scheme: "http", Host: proxy}
	r := b.mustPass(t)
	// The line counts what it carried; we count the proxy's greeting too.
	if greeting := r.OctetsIn + r.OctetsOut - line.Octets(); r.Up != 5 || line.Octets() == 0 || greeting <= 0 || greeting > 300 {
		t.Errorf("%+v; the line carried %d octets", r, line.Octets())
	}
	line.Cut()
	if r, err := b.pass(t); err == nil {
		t.Errorf("through a cut line: %+v", r)
	}
}

// The client asks for nothing that the contract does not name.
func TestContractNamesWhatIsAsked(t *testing.T) {
	contract, err := national.Operations()
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, 2)
	b.hub.trust(t, b.write(t, b.roster.Hubs[0].ID, 1)...)
	b.service.trust(t, b.write(t, b.roster.Hubs[1].ID, 1)...)
	b.hub.journal, b.list = 1, roll{name: "a", items: []string{item(1, "")}}
	b.hub.roster, b.hub.note = b.next(t, func(r *territory.Roster) { r.Name = "Autre nom" })
	b.mustPass(t)
	asked := slices.Clone(b.requests)
	b.service.roster, b.service.note = b.next(t, func(r *territory.Roster) { r.Name = "Encore un nom" })
	b.mustPass(t)
	asked = append(asked, b.requests...)
	slices.Sort(asked)
	if diff := cmp.Diff(contract, slices.Compact(asked)); diff != "" {
		t.Errorf("in the contract (-) and asked for (+):\n%s", diff)
	}
}
