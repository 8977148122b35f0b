package page

import "relais/node"

// InvitationNew is /departement/inviter: the form, and what waits already.
type InvitationNew struct {
	Base
	Once string // of this form: sent twice, it makes one
	For  string // the site, as typed
	Days int    // that it is good for
	Open []node.Invited
	// HoldsRoot tells whether the hub that asks can be approved here.
	HoldsRoot bool
}

// Template implements Page.
func (*InvitationNew) Template() string { return "invitation_new" }

// InvitationShow shows the code of an invitation, once, to be copied or printed.
type InvitationShow struct {
	Base
	Invited node.Invited
	Code    string // holds a secret; "" when it was shown before
	// HoldsRoot is that of InvitationNew.
	HoldsRoot bool
}

// Template implements Page.
func (*InvitationShow) Template() string { return "invitation_show" }
