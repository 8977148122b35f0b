package page

import (
	"relais/node"
)

// MandatePaper is the two copies, to be printed and signed.
type MandatePaper struct {
	Base
	Mandate node.MandateView
	Address string // of the structure
	Copies  []Copy
	// Code is the stop code in its shown form; empty once handed over.
	Code string
}

// Copy is one of the two sheets. Only the person's carries the stop code.
type Copy struct {
	Person bool
	Code   string // "" on the structure's copy
	QR     QR
}

// QR is a code to be drawn: Path is an SVG path over a square of Size modules.
type QR struct {
	Size int
	Path string
}

// Template implements Page.
func (*MandatePaper) Template() string { return "mandate_paper" }
