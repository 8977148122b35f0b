package main

import (
	"errors"
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
// draft, so that the two never part.
func (f *rootFile) sign(r *territory.Roster, do func(key territory.Root, publish func() ([]byte, error)) (versioned, error)) (versioned, error) {
	passphrase, err := readPassphrase(f.passphrase)
	if err != nil {
		return versioned{}, err
	}
	folder := territoryFolder(f.folder)
	draft, err := folder.draft()
	if err != nil {
		return versioned{}, err
	}
	switch {
	case draft.Territory != r.Territory:
		return versioned{}, fmt.Errorf("%s is of territory %q, the hub of %q", folder, draft.Territory, r.Territory)
	case draft.Version > r.Version:
		return versioned{}, fmt.Errorf("%s holds roster %d and the hub %d: install the folder's first, with relais territory install", folder, draft.Version, r.Version)
	}
	key, err := openRoot(f.folder, passphrase, f.next)
	if err != nil {
		return versioned{}, err
	}
	var signed []byte
	done, err := do(key, func() ([]byte, error) {
		var err error
		signed, err = key.Issue(r, time.Now(), territory.RosterDays)
		return signed, err
	})
	if err != nil {
		return done, err
	}
	return done, errors.Join(folder.publish(r, signed))
}
