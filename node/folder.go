package node

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"relais/node/durable"

	"filippo.io/age"
	"golang.org/x/mod/sumdb/note"

	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/seal"
	"relais/node/territory"
)

// maxNameOctets bounds the name of a site.
const maxNameOctets = 80

// Birth is what a hub is told when its folder is made.
type Birth struct {
	Territory territory.Code
	// RootKey is the territory's root as a note verifier key ("name+hash+key").
	RootKey string
	Name    string // the site's: "Valbrume"
}

func (b Birth) validate() error {
	if err := b.Territory.Validate(); err != nil {
		return err
	}
	if _, err := note.NewVerifier(b.RootKey); err != nil {
		return fmt.Errorf("root key: %w", err)
	}
	if name := strings.TrimSpace(b.Name); name == "" || name != b.Name || len(name) > maxNameOctets {
		return fmt.Errorf("the site's name takes 1 to %d octets, without spaces around", maxNameOctets)
	}
	return nil
}

// identity is what the folder says of the hub it belongs to. It is written once,
// with the first journal entry, in one transaction: a folder without it is
// half-written.
type identity struct {
	birth   Birth
	keys    PublicKeys
	storeID seal.StoreID
	// incarnation is the log this hub writes to.
	incarnation uint16
	witness     *journal.Witness    // signs checkpoints
	recipient   *age.X25519Identity // opens dossiers sealed to this hub
}

// The keys of table meta.
const (
	metaHub         = "hub"         // 16 octets
	metaIdentity    = "identity"    // DER SubjectPublicKeyInfo
	metaTerritory   = "territory"   // code
	metaRootKey     = "root_key"    // note verifier key, pinned
	metaName        = "name"        // of the site
	metaStore       = "store"       // 16 random octets: what person keys seal is bound to it
	metaIncarnation = "incarnation" // decimal
	metaWitness     = "witness"     // Ed25519 public key
	metaWitnessKey  = "witness_key" // its seed, sealed
	metaRecipient   = "recipient"   // age1…
	metaDossierKey  = "dossier_key" // its age identity, sealed
	metaRoster      = "roster"      // the current roster, signed
	metaRekey       = "rekey"       // the key to which a rekey began that has not ended, decimal; "": none
	metaFormer      = "former"      // hub identifiers of identities that were lost, 16 octets each
	metaContinuity  = "continuity"  // JSON: see continuity
)

// metaPlace is where a sealed value of meta lives.
func metaPlace(key string) seal.Place {
	return seal.Place{Table: "meta", Row: key, Column: "value", Version: 1}
}

// Create makes the data folder of a new hub: database, witness key, age
// identity, first incarnation. It refuses a folder that already holds one
// (ErrFolderTaken), whole or half-written (ErrHalfWritten).
func Create(ctx context.Context, o Options, b Birth) (PublicKeys, error) {
	o = o.filled()
	if err := b.validate(); err != nil {
		return PublicKeys{}, fmt.Errorf("make %s: %w", o.Dir, err)
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return PublicKeys{}, err
	}
	path := filepath.Join(o.Dir, databaseFile)
	_, err := os.Lstat(path)
	fresh := errors.Is(err, os.ErrNotExist)
	db, err := store.Open(ctx, path, store.Options{Create: true, Now: o.Now, Logger: o.Logger})
	if err != nil {
		return PublicKeys{}, err
	}
	keys, err := create(ctx, db, o, b, fresh)
	if err := errors.Join(err, db.Close()); err != nil {
		return PublicKeys{}, fmt.Errorf("make %s: %w", o.Dir, err)
	}
	return keys, durable.SyncFolder(o.Dir)
}

func create(ctx context.Context, db *store.DB, o Options, b Birth, fresh bool) (PublicKeys, error) {
	if !fresh {
		var found bool
		err := db.Read(ctx, func(r *store.Reader) (err error) { _, found, err = r.Meta(metaHub); return err })
		if err != nil {
			return PublicKeys{}, err
		}
		if found {
			return PublicKeys{}, ErrFolderTaken
		}
		return PublicKeys{}, ErrHalfWritten
	}
	values, keys, err := conceive(o, b)
	if err != nil {
		return PublicKeys{}, err
	}
	return keys, db.Write(ctx, func(tx *store.Tx) error {
		for key, value := range values {
			if err := tx.PutMeta(key, value); err != nil {
				return err
			}
		}
		public, err := journal.Encode(map[string]any{"territory": string(b.Territory), "root": b.RootKey})
		if err != nil {
			return err
		}
		_, err = tx.AppendJournal(store.JournalRow{
			At: tx.Now, Kind: journal.KindHubCreate, Actor: actorMachine, Subject: keys.Hub.String(), Public: public,
		})
		return err
	})
}

// conceive makes the keys of a new hub and all that meta will hold.
func conceive(o Options, b Birth) (map[string][]byte, PublicKeys, error) {
	spki, err := x509.MarshalPKIXPublicKey(o.Signer.Public())
	if err != nil {
		return nil, PublicKeys{}, fmt.Errorf("identity key: %w", err)
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, PublicKeys{}, err
	}
	dossiers, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, PublicKeys{}, err
	}
	keys := PublicKeys{
		Hub: territory.HubIDOf(spki), Identity: spki, Witness: public, Recipient: dossiers.Recipient().String(),
	}
	var storeID seal.StoreID
	rand.Read(storeID[:]) // never fails since Go 1.24
	values := map[string][]byte{
		metaHub: keys.Hub[:], metaIdentity: spki, metaTerritory: []byte(b.Territory), metaRootKey: []byte(b.RootKey),
		metaName: []byte(b.Name), metaStore: storeID[:], metaIncarnation: []byte("1"),
		metaWitness: public, metaRecipient: []byte(keys.Recipient), metaContinuity: beginContinuity(o.Counter),
	}
	for key, secret := range map[string][]byte{
		metaWitnessKey: private.Seed(), metaDossierKey: []byte(dossiers.String()),
	} {
		if values[key], err = o.Sealer.Seal(seal.PurposeSecret, metaPlace(key), secret); err != nil {
			return nil, PublicKeys{}, err
		}
	}
	return values, keys, nil
}

// readIdentity reads what conceive wrote.
func readIdentity(r *store.Reader, sealer Sealer) (identity, error) {
	values, err := r.AllMeta()
	if err != nil {
		return identity{}, err
	}
	if values[metaHub] == nil {
		return identity{}, ErrHalfWritten
	}
	i := identity{
		birth: Birth{
			Territory: territory.Code(values[metaTerritory]),
			RootKey:   string(values[metaRootKey]),
			Name:      string(values[metaName]),
		},
		keys: PublicKeys{
			Hub: territory.HubID(values[metaHub]), Identity: values[metaIdentity],
			Witness: values[metaWitness], Recipient: string(values[metaRecipient]),
		},
		storeID: seal.StoreID(values[metaStore]),
	}
	if _, err := fmt.Sscan(string(values[metaIncarnation]), &i.incarnation); err != nil {
		return identity{}, fmt.Errorf("incarnation: %w", err)
	}
	seed, err := sealer.Open(seal.PurposeSecret, metaPlace(metaWitnessKey), values[metaWitnessKey])
	if err != nil {
		return identity{}, fmt.Errorf("open the witness key: %w", err)
	}
	i.witness, err = journal.NewWitness(journal.Origin(i.birth.Territory, i.keys.Hub), ed25519.NewKeyFromSeed(seed))
	if err != nil {
		return identity{}, err
	}
	text, err := sealer.Open(seal.PurposeSecret, metaPlace(metaDossierKey), values[metaDossierKey])
	if err != nil {
		return identity{}, fmt.Errorf("open the dossier key: %w", err)
	}
	i.recipient, err = age.ParseX25519Identity(string(text))
	return i, err
}

// checkSigner refuses to run a hub under another's identity.
func (n *Node) checkSigner() error {
	spki, err := x509.MarshalPKIXPublicKey(n.signer.Public())
	if err != nil {
		return fmt.Errorf("identity key: %w", err)
	}
	if !bytes.Equal(spki, n.keys.Identity) {
		return ErrOtherIdentity
	}
	return nil
}
