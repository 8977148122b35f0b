package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"relais/cmd/national/internal/service"
	"relais/cmd/national/internal/store/storetest"
	"relais/hardware/keyring"
	"relais/hardware/keyring/recoverywork"
	"relais/hardware/soft"
	"relais/node"
	"relais/node/record"
	"relais/node/territory"
	"relais/sync/link"
	"relais/sync/national"
)

func init() { recoverywork.MemoryKiB = recoverywork.LightKiB }

func TestMain(m *testing.M) { storetest.Main(m) }

// demo is a territory of real parts: hubs with their folders, and the national
// service driven by its own command line.
type demo struct {
	dir     string
	dsnFile string // "" of SQLite
	root    note.Signer
	rootKey string
	roster  *territory.Roster
	hubs    []*hub
	author  *pen   // a third hub that is not running: others bring its records
	service string // where it listens
	stop    func()
}

// hub is one running node.
type hub struct {
	*node.Node
	credentials *link.Credentials
	demo        *demo
	made        chan []byte // records made here, once signed
	proxy       *url.URL    // nil: none
	options     node.Options
	stop        func()
}

// newDemo makes a territory of n running hubs and a running national service.
func newDemo(t testing.TB, database storetest.Database, n int) *demo {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, "demo")
	check(t, err)
	root, err := note.NewSigner(secret)
	check(t, err)
	d := &demo{dir: t.TempDir(), root: root, rootKey: public}
	if database.DSN != "" {
		d.dsnFile = filepath.Join(d.dir, "dsn")
		check(t, os.WriteFile(d.dsnFile, []byte(database.DSN+"\n"), 0o600))
	}
	entry := d.command(t, exitOK, "init", "--data", d.data(), "--url", "https://127.0.0.1:7444")
	d.roster = &territory.Roster{
		Territory: "demo", Name: "Territoire de démonstration", Zone: "Europe/Paris",
		Version: 1, IssuedAt: time.Now().UTC(), ExpiresAt: time.Now().UTC().AddDate(1, 0, 0),
		National: new(territory.National),
	}
	check(t, json.Unmarshal([]byte(entry), d.roster.National))
	for i := range n {
		d.hubs = append(d.hubs, d.newHub(t, uint16(i)))
	}
	d.author = newPen(t, d)
	signed := d.next(t, nil)
	for _, h := range d.hubs {
		check(t, h.InstallRoster(t.Context(), signed))
	}
	d.install(t, exitOK, signed, "--root", d.rootKey)
	d.stop = d.serve(t)
	return d
}

// with adds to a verb where the database is.
func (d *demo) with(args ...string) []string {
	if d.dsnFile == "" {
		return args
	}
	return slices.Insert(args, 1, "--dsn-file", d.dsnFile)
}

func (d *demo) data() string { return filepath.Join(d.dir, "national") }

// command runs one verb to its end and returns its standard output.
func (d *demo) command(t testing.TB, code int, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if got := run(t.Context(), d.with(args...), &stdout, &stderr); got != code {
		t.Fatalf("national %s: exit code %d, want %d: %s", strings.Join(args, " "), got, code, &stderr)
	}
	return stdout.String()
}

func (d *demo) install(t testing.TB, code int, signed []byte, flags ...string) {
	t.Helper()
	path := filepath.Join(d.dir, "roster.note")
	check(t, os.WriteFile(path, signed, 0o600))
	args := append([]string{"install-roster", "--data", d.data()}, flags...)
	d.command(t, code, append(args, path)...)
}

// serve runs the verb until stop is called, or else the test ends.
func (d *demo) serve(t testing.TB) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	said, stdout := io.Pipe()
	ended := make(chan struct{})
	var code int
	var stderr bytes.Buffer
	go func() {
		defer close(ended)
		code = run(ctx, d.with("serve", "--data", d.data(), "--listen", "127.0.0.1:0"), stdout, &stderr)
		stdout.Close()
	}()
	stop = func() {
		cancel()
		if <-ended; code != exitOK {
			t.Errorf("national serve: exit code %d: %s", code, &stderr)
		}
	}
	t.Cleanup(stop)
	line, err := bufio.NewReader(said).ReadString('\n')
	address, found := strings.CutPrefix(strings.TrimSpace(line), "READY ")
	if err != nil || !found {
		t.Fatalf("national serve said %q, %v", line, err)
	}
	d.service = "https://" + address
	return stop
}

func (d *demo) status(t testing.TB) (s service.Status) {
	t.Helper()
	check(t, json.Unmarshal([]byte(d.command(t, exitOK, "status", "--data", d.data(), "--json")), &s))
	return s
}

// next signs the roster, or the next version of it when edit is not nil.
func (d *demo) next(t testing.TB, edit func(*territory.Roster)) []byte {
	t.Helper()
	r := *d.roster
	r.Hubs = slices.Clone(r.Hubs)
	if edit != nil {
		r.Version++
		edit(&r)
	}
	signed, err := r.Sign(d.root)
	check(t, err)
	d.roster = &r
	return signed
}

func (d *demo) newHub(t testing.TB, index uint16) *hub {
	t.Helper()
	dir := t.TempDir()
	keys, _, err := keyring.Create(dir, soft.New(dir))
	check(t, err)
	t.Cleanup(func() { keys.Close() })
	o := node.Options{Dir: dir, Sealer: keys, Signer: keys.Identity()}
	public, err := node.Create(t.Context(), o, node.Birth{Territory: "demo", RootKey: d.rootKey, Name: "hub"})
	check(t, err)
	d.roster.Hubs = append(d.roster.Hubs, territory.Hub{
		Index: index, ID: public.Hub, Name: "hub", Identity: public.Identity, Witness: public.Witness,
		Recipient: public.Recipient, Assurance: keys.Assurance(), State: territory.HubActive,
	})
	credentials, err := link.NewCredentials(public.Hub, keys.Identity(), nil)
	check(t, err)
	h := &hub{credentials: credentials, demo: d, made: make(chan []byte, 16), options: o}
	h.open(t)
	t.Cleanup(func() { h.stop() })
	return h
}

// open opens the hub's folder, and runs it until stop is called.
func (h *hub) open(t testing.TB) {
	t.Helper()
	n, err := node.Open(t.Context(), h.options)
	check(t, err)
	n.OnRecord(func(wire []byte, from territory.HubID) {
		if from.IsZero() {
			h.made <- wire
		}
	})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); n.Run(ctx) }()
	h.Node = n
	h.stop = sync.OnceFunc(func() { stop(); <-ended; n.Close() })
}

// pass runs one pass and keeps its outcome, as the hub's job does.
func (h *hub) pass(t testing.TB) (national.Report, error) {
	t.Helper()
	a := national.New(national.Options{Hub: h.Node, Credentials: h.credentials, URL: h.demo.service, Proxy: h.proxy})
	r, err := national.Pass(t.Context(), a, nil)
	check(t, h.RecordNationalPass(t.Context(), r.Outcome(err)))
	return r, err
}

func (h *hub) mustPass(t testing.TB) national.Report {
	t.Helper()
	r, err := h.pass(t)
	check(t, err)
	return r
}

// take applies records as if another hub had handed them over.
func (h *hub) take(t testing.TB, wires [][]byte) {
	t.Helper()
	done, err := h.Apply(t.Context(), wires, h.demo.author.hub)
	check(t, err)
	if done.New != len(wires) {
		t.Fatalf("applied %+v of %d", done, len(wires))
	}
}

// pen writes the log of a hub that is not running.
type pen struct {
	key  *ecdsa.PrivateKey
	hub  territory.HubID
	seq  uint32
	prev record.Hash
	line byte   // tells two histories apart
	last []byte // the last record written
}

func newPen(t testing.TB, d *demo) *pen {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	check(t, err)
	p := &pen{key: key, hub: territory.HubIDOf(spki)}
	d.roster.Hubs = append(d.roster.Hubs, territory.Hub{
		Index: 100, ID: p.hub, Name: "asleep", Identity: spki, Witness: make([]byte, 32),
		Recipient: d.roster.Hubs[0].Recipient, Assurance: territory.AssuranceSoftware, State: territory.HubActive,
	})
	structure := territory.Structure{ID: structureID, Name: "CCAS", State: territory.StructureOpen, Serving: []territory.HubID{p.hub}}
	d.roster.Structures = append(d.roster.Structures, structure)
	return p
}

var structureID = territory.StructureID{1, 2, 3}

// mandateAt is the mandate that the notice at a place states.
func mandateAt(seq uint32) record.MandateID {
	return record.MandateID{7, byte(seq >> 16), byte(seq >> 8), byte(seq)}
}

// write signs the next n records: every fourth stops the mandate before it.
func (p *pen) write(t testing.TB, n int) [][]byte {
	t.Helper()
	wires := make([][]byte, n)
	now := time.Now().UTC().Truncate(time.Millisecond)
	for i := range wires {
		p.seq++
		r := record.Record{
			Territory: "demo", Place: record.Place{LogID: record.LogID{Hub: p.hub, Incarnation: 1}, Seq: p.seq},
			Prev: [16]byte(p.prev[:16]), Time: now,
		}
		if p.seq%4 == 0 {
			r.Kind = record.KindRevocation
			r.Body = &record.Revocation{Mandate: mandateAt(p.seq - 1), Reason: record.ReasonPerson, Channel: record.ChannelDesk, Claimed: now, Lines: uint32(p.line)}
		} else {
			r.Kind = record.KindNotice
			r.Body = &record.Notice{
				Mandate: mandateAt(p.seq), Structure: structureID, Lines: 2 + p.line, Regime: record.Local,
				Start: now, End: now.Add(31 * 24 * time.Hour), Stop: record.Commitment{1, byte(p.seq >> 8), byte(p.seq)},
			}
		}
		payload, err := r.Encode()
		check(t, err)
		signature, err := record.Sign(p.key, "demo", p.hub, payload)
		check(t, err)
		p.prev = record.ChainHash(p.hub, payload)
		wires[i] = record.Assemble(p.hub, payload, signature)
		p.last = wires[i]
	}
	return wires
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
