package page

import (
	"time"

	"relais/node"
)

// KioskHome is /kiosque.
type KioskHome struct{ Base }

// Template implements Page.
func (*KioskHome) Template() string { return "kiosk_home" }

// KioskStop is /kiosque/arreter.
type KioskStop struct {
	Base
	Code string // as typed
}

// Template implements Page.
func (*KioskStop) Template() string { return "kiosk_stop" }

// KioskUnable is /kiosque/arreter at a hub that stops nothing: it says so before
// anything is typed, and what does stop a mandate.
type KioskUnable struct{ Base }

// Template implements Page.
func (*KioskUnable) Template() string { return "kiosk_unable" }

// Receipt is what a person takes away after a stop: nothing of who or what for.
type Receipt struct {
	Number  string
	Place   string // the site's name
	At      time.Time
	Count   int  // mandates stopped
	Partly  bool // lines only
	Already bool // it was stopped before: Place and At are then those
	// Published is false until the record is signed: effective here, being sent.
	Published bool
	// StillActive is what is not stopped in Aidants Connect.
	StillActive []*node.StillActive
}

// KioskReceipt is /kiosque/recu.
type KioskReceipt struct {
	Base
	Receipt Receipt
}

// Template implements Page.
func (*KioskReceipt) Template() string { return "kiosk_receipt" }

// KioskRights is /kiosque/droits.
type KioskRights struct{ Base }

// Template implements Page.
func (*KioskRights) Template() string { return "kiosk_rights" }

// KioskCall is /kiosque/appeler: a screen that can be seen from afar.
type KioskCall struct{ Base }

// Template implements Page.
func (*KioskCall) Template() string { return "kiosk_call" }
