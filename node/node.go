package node

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"relais/node/internal/store"
	"relais/node/territory"
)

// databaseFile is the database's name in the data folder.
const databaseFile = "relais.db"

// Options are what a node needs from outside. Dir, Sealer, Signer are required.
type Options struct {
	Dir    string // the data folder
	Sealer Sealer
	// Signer is the hub's P-256 identity key. It may be slow or fail: records
	// are then published late.
	Signer crypto.Signer
	// Counter tells whether Dir is the newest there is of this hub; nil: nobody
	// does. Run asks it; Create and AdoptIdentity begin it.
	Counter Counter
	Now     func() time.Time // nil: time.Now
	Logger  *slog.Logger     // nil: discards
	// Release is when this binary was made: a clock behind it blocks grants.
	Release time.Time
	// Folder is the lock of Dir, for Open, taken before the keys were opened; nil:
	// Open takes it. It is the node's from then on, released when Open fails. For
	// AdoptIdentity too, whose caller keeps it, having keys to close before.
	Folder *Folder
	// Used, for AdoptIdentity, is that a folder had the Signer's identity before.
	Used bool
}

// filled returns o with what may be left out.
func (o Options) filled() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	return o
}

// PublicKeys are what the roster must say of this hub.
type PublicKeys struct {
	Hub       territory.HubID
	Identity  []byte // DER SubjectPublicKeyInfo
	Witness   []byte // Ed25519, 32 octets
	Recipient string // age1…
}

// Node is one hub. Its methods may be called from any goroutine.
type Node struct {
	dir     string
	db      *store.DB
	sealer  Sealer
	signer  crypto.Signer
	counter Counter // may be nil
	now     func() time.Time
	log     *slog.Logger
	release time.Time

	identity                 // what the folder says of the hub: never changes while open
	self     territory.HubID // keys.Hub

	roster   atomic.Pointer[heldRoster] // nil before the first; the writer's goroutine shows it
	kept     atomic.Pointer[heldRoster] // the newest that is on the disk
	copying  sync.Mutex                 // held while kept and its copy change
	onRoster []func(*territory.Roster)  // filled while wiring, before Run
	onForget []func()                   // likewise

	newcomers atomic.Uint32 // the roster by which askNewcomers looked; 0: it is to look

	rekeyed    chan struct{} // the key was replaced: see keepSealed
	publishing publishing
	proof      proof       // of the signer loop alone
	doubted    atomic.Bool // there is, or was a moment ago, a doubt in the database

	fresh    freshness
	beacons  beacons
	readings readings // of dossiers, entered in the journal lately
	denials  denials  // of sign-ins, likewise
}

// The ways a data folder may be refused.
var (
	// ErrNoFolder means that Dir holds no hub yet.
	ErrNoFolder = errors.New("the data folder holds no hub; make one with relais init")
	// ErrFolderTaken means that Dir holds a hub already.
	ErrFolderTaken = errors.New("the data folder already holds a hub")
	// ErrHalfWritten means that the database holds no hub. As a rule, making it was
	// interrupted: nothing was ever done with it, and nothing is lost by starting
	// again. But a database that was emptied looks the same, and only what is beside
	// it tells.
	ErrHalfWritten = errors.New("making the hub was interrupted and the data folder is half-written; " +
		"where it holds no hub.json, nothing was done with it yet: remove it and run relais init again; " +
		"where it does, erase nothing and restore relais.db from a backup")
	// ErrOtherIdentity means that the identity key is not the folder's: see
	// AdoptIdentity.
	ErrOtherIdentity = errors.New("the identity key is not this data folder's")
	// ErrUsedIdentity means that a later database than this one had the identity:
	// adopted again, it would give places of its log to other records.
	ErrUsedIdentity = errors.New("this database is older than the hub's identity: it was put back")
)

// part is a part of the node that lives in its own file: it reads what it needs
// when the node opens, may run until the node's context ends, and may have
// things that time ends. Each may be nil.
type part struct {
	open   func(context.Context) error
	run    func(context.Context) error
	expire func(*store.Tx) error // within one transaction, from a job
}

// parts lists them in the order they open.
func (n *Node) parts() []part {
	return []part{
		{open: n.openRoster},
		{open: n.openPublishing, run: n.publish},
		{open: n.openFreshness, run: n.keepFreshness},
		{expire: n.expireDesk},
		{run: n.keepSealed},
	}
}

// Open opens the folder. It fails with ErrNoFolder, ErrHalfWritten,
// ErrOtherIdentity, or when another process holds it, the schema is newer than
// the binary, or the database does not sync fully.
func Open(ctx context.Context, o Options) (*Node, error) {
	o = o.filled()
	db, err := store.Open(ctx, filepath.Join(o.Dir, databaseFile), store.Options{Now: o.Now, Logger: o.Logger, Lock: o.Folder})
	if errors.Is(err, store.ErrNoDatabase) {
		return nil, fmt.Errorf("open %s: %w", o.Dir, ErrNoFolder)
	}
	if err != nil {
		return nil, err
	}
	n := &Node{dir: o.Dir, db: db, sealer: o.Sealer, signer: o.Signer, counter: o.Counter, now: o.Now, log: o.Logger, release: o.Release}
	n.rekeyed = make(chan struct{}, 1)
	if err := n.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", o.Dir, err), db.Close())
	}
	return n, nil
}

func (n *Node) open(ctx context.Context) error {
	err := n.db.Read(ctx, func(r *store.Reader) (err error) {
		n.identity, err = readIdentity(r, n.sealer)
		return err
	})
	if err != nil {
		return err
	}
	n.self = n.keys.Hub
	if err := n.checkSigner(); err != nil {
		return err
	}
	for _, p := range n.parts() {
		if p.open == nil {
			continue
		}
		if err := p.open(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Run signs and publishes until ctx ends.
func (n *Node) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, p := range n.parts() {
		if p.run != nil {
			group.Go(func() error { return p.run(ctx) })
		}
	}
	return group.Wait()
}

// Close keeps what is kept lazily and releases the folder.
func (n *Node) Close() error {
	return errors.Join(n.saveFreshness(context.Background()), n.db.Close())
}

// Self is this hub's identifier.
func (n *Node) Self() territory.HubID { return n.self }

// Name is the site's name, before and after any roster.
func (n *Node) Name() string {
	if r := n.Roster(); r != nil {
		if hub, found := r.Hub(n.self); found {
			return hub.Name
		}
	}
	return n.birth.Name
}

// Birth is what this hub was told when its folder was made, whatever its
// configuration says since.
func (n *Node) Birth() Birth { return n.birth }

// Keys are this hub's public keys.
func (n *Node) Keys() PublicKeys { return n.keys }
