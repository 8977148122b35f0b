package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
)

// databaseFile is where the node keeps everything.
const databaseFile = "relais.db"

// errDatabaseLost means that a folder was a whole hub's and has no database any
// more. Nothing says so but what else is there: it must not be told to be begun
// again.
var errDatabaseLost = errors.New("the database relais.db of this hub is gone, or was emptied: erase nothing, restore it from a backup")

// holds tells whether a folder has one of the files.
func holds(dir string, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	})
}

// wasWhole tells whether a folder without a sound beginning of a database held a
// whole hub: init writes hub.json last, a roster is taken and ca.pem is written
// later. A counter is no sign: init makes it before the database.
func wasWhole(dir string) bool { return holds(dir, requestFile, rosterFile, authorityFile) }
