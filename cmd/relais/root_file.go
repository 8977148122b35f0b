package main

import (
	"flag"
	"fmt"
	"time"

	"relais/node/territory"
)

// rootFile is where the root is when it is not on the hub.
type rootFile struct {
	folder, passphrase, next string
}

// rootFlags adds the flags that say so.
func rootFlags(f *flag.FlagSet) *rootFile {
	r := &rootFile{}
	f.StringVar(&r.folder, "root", "", "sign with the root in this territory `folder`; empty: the hub keeps the root")
	f.StringVar(&r.passphrase, "passphrase-file", "", "`file` whose first line opens that root")
	return r
}

// sign opens the root and lets do change the roster r, which is the hub's, and
// publish it: sign it as the next version. The folder then holds it too, as its
// draft, so that the two never part. Where the folder knows more than the hub,
// nothing is signed: one version would be given twice.
func (f *rootFile) sign(r *territory.Roster, do func(key territory.Root, publish func() ([]byte, error)) (versioned, error)) (versioned, error) {
	key, folder, _, err := f.open(r)
	if err != nil {
		return versioned{}, err
	}
	return publishing(folder, r, key, do)
}

// publishing lets do publish the roster, and keeps what was signed in the folder.
func publishing(folder territoryFolder, r *territory.Roster, key territory.Root, do func(key territory.Root, publish func() ([]byte, error)) (versioned, error)) (versioned, error) {
	var signed []byte
	done, err := do(key, func() (note []byte, err error) {
		signed, err = key.Issue(r, time.Now(), territory.RosterDays)
		return signed, err
	})
	if err != nil {
		return done, err
	}
	return done, folder.publish(r, signed)
}

// open opens the root, for a folder whose draft is not ahead of the hub's roster.
func (f *rootFile) open(r *territory.Roster) (key territory.Root, folder territoryFolder, passphrase string, err error) {
	folder = territoryFolder(f.folder)
	if passphrase, err = readPassphrase(f.passphrase); err != nil {
		return key, folder, "", err
	}
	draft, err := folder.draft()
	if err != nil {
		return key, folder, "", err
	}
	switch {
	case draft.Territory != r.Territory:
		err = fmt.Errorf("%s is of territory %q, the hub of %q", folder, draft.Territory, r.Territory)
	case draft.Version > r.Version:
		err = fmt.Errorf("%s holds roster %d and the hub %d: install the folder's first, with relais territory install", folder, draft.Version, r.Version)
	default:
		key, err = openRoot(f.folder, passphrase, f.next)
	}
	return key, folder, passphrase, err
}
