package store

import (
	"errors"

	"github.com/mattn/go-sqlite3"

	"relais/node/fault"
)

// failed is what a caller gets when the whole transaction could not be
// committed. Nothing of it was kept.
func failed(err error) error {
	var e sqlite3.Error
	if errors.As(err, &e) && e.Code == sqlite3.ErrFull {
		return fault.New(fault.Unavailable,
			"Le disque du relais est plein : rien n’a été enregistré. Prévenez le service informatique.", err)
	}
	return fault.New(fault.Unavailable,
		"Le relais n’arrive pas à écrire sur son disque : rien n’a été enregistré. Prévenez le service informatique.", err)
}

// said gives an error of one caller the words of a disk that does not follow,
// when that is what it is. Any other is the caller's own.
func said(err error) error {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case sqlite3.ErrFull, sqlite3.ErrIoErr, sqlite3.ErrReadonly, sqlite3.ErrCorrupt:
		return failed(err)
	}
	return err
}

// IsDamage tells whether err says that a file is not, or no longer, a sound
// database.
func IsDamage(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && (e.Code == sqlite3.ErrCorrupt || e.Code == sqlite3.ErrNotADB)
}
