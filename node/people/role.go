package people

import "slices"

// Verb is something an account may be allowed to do.
type Verb string

// The verbs of the desk. A verb that is not in the policy is allowed to nobody.
const (
	VerbAccompany    Verb = "accompany"     // open and close a visit, see today's
	VerbDrawUp       Verb = "draw_up"       // fill in a draft and grant a mandate
	VerbSeeMandates  Verb = "see_mandates"  // lists, mandate page, printed copies
	VerbAct          Verb = "act"           // record a démarche
	VerbStop         Verb = "stop"          // stop a mandate at a desk
	VerbForget       Verb = "forget"        // erase what the structure keeps of a person
	VerbEnrol        Verb = "enrol"         // open a helper's account
	VerbSeeTerritory Verb = "see_territory" // the page État du territoire
	VerbAdminister   Verb = "administer"    // the département's own work
)

// policy is the whole table of who may do what. The département looks after
// machines and structures and never sees a person: that is why its role stands
// alone and not above the others.
var policy = map[Verb][]Role{
	VerbAccompany:    {RoleHelper, RoleReferent},
	VerbDrawUp:       {RoleHelper, RoleReferent},
	VerbSeeMandates:  {RoleHelper, RoleReferent},
	VerbAct:          {RoleHelper, RoleReferent},
	VerbStop:         {RoleHelper, RoleReferent},
	VerbForget:       {RoleReferent},
	VerbEnrol:        {RoleReferent, RoleAdministrator},
	VerbSeeTerritory: {RoleHelper, RoleReferent, RoleAdministrator},
	VerbAdminister:   {RoleAdministrator},
}

// Roles are all the roles, in the order screens list them.
func Roles() []Role { return []Role{RoleHelper, RoleReferent, RoleAdministrator} }

// Valid tells whether r is one of the roles.
func (r Role) Valid() bool { return slices.Contains(Roles(), r) }

// May tells whether the role is allowed the verb. An unknown role or verb is
// allowed nothing.
func (r Role) May(v Verb) bool { return slices.Contains(policy[v], r) }

// Label is the role as screens name it, in French; empty for an unknown one.
func (r Role) Label() string {
	switch r {
	case RoleHelper:
		return "Aidant professionnel"
	case RoleReferent:
		return "Référent de la structure"
	case RoleAdministrator:
		return "Département"
	}
	return ""
}
