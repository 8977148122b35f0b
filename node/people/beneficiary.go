package people

import (
	"time"

	"relais/node/fault"
	"relais/node/id"
)

type beneficiaryKind struct{}

func (beneficiaryKind) Prefix() string { return "p" }

// BeneficiaryID names a person on one hub, and nowhere else.
type BeneficiaryID = id.ID[beneficiaryKind]

// Beneficiary is the person helped (personne accompagnée; mandant on paper).
// Every field but ID is sealed under her own key.
type Beneficiary struct {
	ID         BeneficiaryID
	Name       Name
	BirthDate  string // the written form of a Date: 2006-01-02
	BirthPlace string
	Contact    string // optional: a telephone number or an address, her choice
}

// emancipationAge is the age from which a minor may be emancipated (Code civil,
// art. 413-2); nobody younger can be a mandant.
const emancipationAge = 16

// The longest texts, in characters.
const (
	maxBirthPlaceRunes = 120
	maxContactRunes    = 160
)

// Parse returns the one form of what was typed, complete or not: single spaces,
// the date in its written form. It fails with Invalid on the field's name when
// something cannot be taken at all. now and its zone say which day it is.
func (b Beneficiary) Parse(now time.Time) (Beneficiary, error) {
	name, err := b.Name.Parse()
	if err != nil {
		return Beneficiary{}, err
	}
	birth, err := parseBirth(b.BirthDate, now)
	if err != nil {
		return Beneficiary{}, err
	}
	place, err := Line(b.BirthPlace, maxBirthPlaceRunes)
	if err != nil {
		return Beneficiary{}, fault.New(fault.Invalid, "Le lieu de naissance est trop long ou contient des signes qui ne s’impriment pas.", err).On("birth_place")
	}
	contact, err := Line(b.Contact, maxContactRunes)
	if err != nil {
		return Beneficiary{}, fault.New(fault.Invalid, "Le moyen de joindre la personne est trop long ou contient des signes qui ne s’impriment pas.", err).On("contact")
	}
	return Beneficiary{ID: b.ID, Name: name, BirthDate: birth, BirthPlace: place, Contact: contact}, nil
}

func parseBirth(typed string, now time.Time) (string, error) {
	if Tidy(typed) == "" {
		return "", nil
	}
	d, err := ParseDate(typed)
	if err != nil {
		return "", fault.New(fault.Invalid, "Écrivez la date de naissance ainsi\u00a0: 12/03/1948. Si le jour n’est pas connu\u00a0: 03/1948 ou 1948.", err).On("birth_date")
	}
	if d.After(now) {
		return "", fault.Errorf(fault.Invalid, "La date de naissance est dans le futur.", "birth date after today").On("birth_date")
	}
	return d.String(), nil
}

// Identified says whether b, once parsed, tells one person from another and may
// have given a mandate on the day of now: names and date of birth, 16 or older.
// It fails with Invalid on the field at fault.
func (b Beneficiary) Identified(now time.Time) error {
	switch {
	case b.Name.Given == "":
		return missing("given", "Indiquez le prénom de la personne.")
	case b.Name.Family == "":
		return missing("family", "Indiquez le nom de la personne.")
	}
	d, err := ParseDate(b.BirthDate)
	if err != nil {
		return missing("birth_date", "Indiquez la date de naissance de la personne.")
	}
	if d.AgeOn(now) < emancipationAge {
		return fault.Errorf(fault.Invalid,
			"D’après cette date de naissance, la personne a moins de 16\u00a0ans\u00a0: elle ne peut pas donner de mandat.",
			"the person is under %d", emancipationAge).On("birth_date")
	}
	return nil
}

// Ready says whether b, once parsed, is named in full, as a mandate made here
// names her: Identified, and her place of birth.
func (b Beneficiary) Ready(now time.Time) error {
	if err := b.Identified(now); err != nil {
		return err
	}
	if b.BirthPlace == "" {
		return missing("birth_place", "Indiquez le lieu de naissance de la personne.")
	}
	return nil
}

// Born is the birth as paper says it: "le 12 mars 1948 à Valbrume".
func (b Beneficiary) Born() string {
	d, err := ParseDate(b.BirthDate)
	if err != nil {
		return b.BirthPlace
	}
	if b.BirthPlace == "" {
		return d.French()
	}
	return d.French() + " à " + b.BirthPlace
}

func missing(field, message string) error {
	return fault.Errorf(fault.Invalid, message, "%s is missing", field).On(field)
}
