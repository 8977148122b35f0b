package mandate

import (
	"time"

	"relais/node/fault"
	"relais/node/label"
)

// RecapText is the text that the helper reads aloud before the grant: the
// mandate's own, without the instants that the grant decides.
func (p Presented) RecapText() string {
	p.Start, p.End = time.Time{}, time.Time{}
	return p.Text()
}

// RecapHash binds the approval to the recap: SHA-256(label ‖ recap text). Any
// change of the draft, of the structure's entry or of the wording changes it.
func (p Presented) RecapHash() [32]byte { return label.Recap.Sum([]byte(p.RecapText())) }

// Ready says whether all that a mandate needs is there, in the order of the
// form's steps. now, in the territory's zone, says which day it is. It fails with
// Invalid; the field names the first thing missing: "person", "declarations",
// "evidence", "lines" or "term".
func (p Presented) Ready(now time.Time) error {
	if err := p.Beneficiary.Ready(now); err != nil {
		return fault.Of(err).On("person")
	}
	switch {
	case !p.Declarations.Adult:
		return fault.Errorf(fault.Invalid, "Un mandat ne peut être donné que par une personne majeure ou mineure émancipée.", "declaration: not of age").On("declarations")
	case !p.Declarations.Unprotected:
		return fault.Errorf(fault.Invalid, "Une personne sous sauvegarde de justice, curatelle ou tutelle ne peut pas donner ce mandat. Orientez-la vers la personne qui la protège.", "declaration: protected").On("declarations")
	case !p.Declarations.Willing:
		return fault.Errorf(fault.Invalid, "La personne doit avoir compris le mandat et le demander librement. Sinon, accompagnez-la sans mandat.", "declaration: not willing").On("declarations")
	case !p.Evidence.Valid():
		return fault.Errorf(fault.Invalid, "Indiquez comment vous connaissez l’identité de la personne.", "no evidence level").On("evidence")
	}
	if err := linesReady(p.Lines); err != nil {
		return err
	}
	if !p.Term.Valid() {
		return fault.Errorf(fault.Invalid, "Choisissez la durée du mandat.", "no term").On("term")
	}
	return nil
}
