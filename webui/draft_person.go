package webui

import (
	"net/http"
	"time"

	"relais/node"
	"relais/node/mandate"
	"relais/node/people"
	"relais/webui/locale"
	"relais/webui/page"
)

func (s *Server) personStep(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	d, err := s.draft(r, by)
	if err != nil {
		return err
	}
	p := &page.DraftPerson{Draft: draftPage(d, page.StepPerson, s.now()), Person: d.Person, Evidence: d.Evidence}
	p.Adult, p.Willing = answered(d.Declarations.Adult, "oui"), answered(d.Declarations.Willing, "oui")
	p.Protected = answered(d.Declarations.Unprotected, "non")
	return s.render(w, r, http.StatusOK, p)
}

// answered fills a question of a form: a draft keeps only the answer that allows
// a mandate.
func answered(allows bool, answer string) string {
	if allows {
		return answer
	}
	return ""
}

func (s *Server) savePerson(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	d, err := s.draft(r, by)
	if err != nil {
		return err
	}
	if err := parse(r); err != nil {
		return err
	}
	p := readPerson(r, d, s.now())
	if r.PostForm.Has("version") {
		if d.Version, err = version(r); err != nil {
			return err
		}
	}
	p.Version = d.Version
	s.checkPerson(p)
	if !p.Failed() {
		d.Person, d.Evidence = p.Person, p.Evidence
		d.Declarations = mandate.Declarations{Adult: p.Adult == "oui", Unprotected: p.Protected == "non", Willing: p.Willing == "oui"}
		err := s.save(w, r, by, d, page.StepServices)
		if !reformed(err) {
			return err
		}
		p.Version = s.current(r, by, d, err)
		p.Fail(err)
		return s.render(w, r, statusOf(err), p)
	}
	return s.render(w, r, http.StatusUnprocessableEntity, p)
}

func readPerson(r *http.Request, d node.Draft, now time.Time) *page.DraftPerson {
	return &page.DraftPerson{
		Draft: draftPage(d, page.StepPerson, now),
		Person: people.Beneficiary{
			ID:        d.Person.ID,
			Name:      people.Name{Given: text(r, "given"), Family: text(r, "family")},
			BirthDate: text(r, "birth_date"), BirthPlace: text(r, "birth_place"), Contact: text(r, "contact"),
		},
		Evidence: mandate.Evidence(text(r, "evidence")),
		Adult:    yesNo(r, "adult"), Protected: yesNo(r, "protected"), Willing: yesNo(r, "willing"),
	}
}

// checkPerson notes everything that is missing, so that it is mended at once.
// The node checks it all again before a mandate.
func (s *Server) checkPerson(p *page.DraftPerson) {
	now := s.now().In(zoneOf(s.node.Roster()))
	for _, field := range []struct{ name, value, message string }{
		{"given", p.Person.Name.Given, locale.GivenMissing},
		{"family", p.Person.Name.Family, locale.FamilyMissing},
		{"birth_date", p.Person.BirthDate, locale.BirthDateInvalid},
		{"birth_place", p.Person.BirthPlace, locale.BirthPlaceMissing},
	} {
		if field.value == "" {
			p.Fail(missing(field.name, field.message))
		}
	}
	if parsed, err := p.Person.Parse(now); err != nil {
		p.Fail(err)
	} else {
		p.Person = parsed
		if err := parsed.Ready(now); err != nil && !p.Failed() {
			p.Fail(err)
		}
	}
	if !p.Evidence.Valid() {
		p.Fail(missing("evidence", locale.EvidenceMissing))
	}
	for _, q := range []struct{ name, answer, allows, otherwise string }{
		{"adult", p.Adult, "oui", locale.AdultNo},
		{"protected", p.Protected, "non", locale.ProtectedYes},
		{"willing", p.Willing, "oui", locale.WillingNo},
	} {
		switch q.answer {
		case "":
			p.Fail(missing(q.name, locale.AnswerMissing))
		case q.allows:
		default:
			p.Fail(missing(q.name, q.otherwise))
		}
	}
}
