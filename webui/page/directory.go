package page

import (
	"time"

	"relais/node"
)

// directoryOld is the age from which a reading of the directory is said to be old: it
// is read once a day.
const directoryOld = 48 * time.Hour

// Directory is the mirror of the public directory of Aidants Connect.
type Directory struct {
	Base
	View   node.DirectoryView
	Sought string // as typed
}

// Old tells whether the last whole reading is older than it should be.
func (p *Directory) Old() bool { return !p.View.At.IsZero() && p.Now.Sub(p.View.At) > directoryOld }

// Template implements Page.
func (*Directory) Template() string { return "directory" }
