package people

import "relais/node/id"

type beneficiaryKind struct{}

func (beneficiaryKind) Prefix() string { return "p" }

// BeneficiaryID names a person on one hub, and nowhere else.
type BeneficiaryID = id.ID[beneficiaryKind]

// Beneficiary is the person helped (personne accompagnée; mandant on paper).
// Every field but ID is sealed under her own key.
type Beneficiary struct {
	ID         BeneficiaryID
	Name       Name
	BirthDate  string // civil date, 2006-01-02
	BirthPlace string
	Contact    string // optional: a telephone number or an address, her choice
}
