package webui

import (
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"relais/node"
	"relais/node/fault"
	"relais/node/mandate"
	"relais/node/mediation"
	"relais/webui/locale"
	"relais/webui/page"
)

// stepPaths are the addresses of the four steps.
var stepPaths = map[page.Step]string{
	page.StepPerson: "personne", page.StepServices: "services", page.StepTerm: "duree", page.StepRecap: "relire",
}

func stepPath(id mediation.AccompanimentID, step page.Step) string {
	return "/bureau/accompagnements/" + id.String() + "/mandat/" + stepPaths[step]
}

// draft reads the draft of the visit in the address.
func (s *Server) draft(r *http.Request, by node.Actor) (node.Draft, error) {
	id, err := visitID(r)
	if err != nil {
		return node.Draft{}, err
	}
	return s.node.Draft(r.Context(), by, id)
}

// draftPage begins the page of a step.
func draftPage(d node.Draft, step page.Step, now time.Time) page.Draft {
	return page.Draft{Base: deskBase("Créer un mandat", ""), ID: d.Accompaniment, Step: step, Reached: max(step, reached(d, now)), Version: d.Version}
}

// reached is the furthest step whose predecessors are filled.
func reached(d node.Draft, now time.Time) page.Step {
	switch {
	case d.Person.Ready(now) != nil || !d.Declarations.Complete() || !d.Evidence.Valid():
		return page.StepPerson
	case len(d.Lines) == 0:
		return page.StepServices
	case !d.Term.Valid():
		return page.StepTerm
	}
	return page.StepRecap
}

// current is the version to fill a refused form on: after a warning that the
// draft moved on, sending the form again is a choice.
func (s *Server) current(r *http.Request, by node.Actor, d node.Draft, refused error) int64 {
	if !fault.Is(refused, fault.Stale) {
		return d.Version
	}
	latest, err := s.node.Draft(r.Context(), by, d.Accompaniment)
	if err != nil {
		return d.Version
	}
	return latest.Version
}

// save keeps the draft and goes to the next step.
func (s *Server) save(w http.ResponseWriter, r *http.Request, by node.Actor, d node.Draft, next page.Step) error {
	if _, err := s.node.SaveDraft(r.Context(), by, d); err != nil {
		return err
	}
	return seeOther(w, r, stepPath(d.Accompaniment, next))
}

func (s *Server) termStep(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	d, err := s.draft(r, by)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, s.termPage(d))
}

func (s *Server) termPage(d node.Draft) *page.DraftTerm {
	p := &page.DraftTerm{Draft: draftPage(d, page.StepTerm, s.now()), Term: d.Term, Ends: make(map[mandate.Term]time.Time)}
	for _, term := range mandate.Terms() {
		p.Ends[term] = term.End(s.now())
	}
	return p
}

func (s *Server) saveTerm(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	d, err := s.draft(r, by)
	if err != nil {
		return err
	}
	if err := parse(r); err != nil {
		return err
	}
	if r.PostForm.Has("version") {
		if d.Version, err = version(r); err != nil {
			return err
		}
	}
	d.Term = mandate.Term(text(r, "term"))
	if !d.Term.Valid() {
		err = missing("term", locale.TermMissing)
	} else {
		err = s.save(w, r, by, d, page.StepRecap)
	}
	if reformed(err) {
		p := s.termPage(d)
		p.Version = s.current(r, by, d, err)
		p.Fail(err)
		return s.render(w, r, statusOf(err), p)
	}
	return err
}

func (s *Server) recapStep(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	id, err := visitID(r)
	if err != nil {
		return err
	}
	recap, err := s.node.Recap(r.Context(), by, id)
	if step, incomplete := stepOf(err); incomplete {
		s.say(r, fault.Of(err).Message)
		return seeOther(w, r, stepPath(id, step))
	}
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, recapPage(id, recap))
}

func recapPage(id mediation.AccompanimentID, recap node.Recap) *page.DraftRecap {
	p := &page.DraftRecap{Recap: recap, Hash: hex.EncodeToString(recap.Hash[:])}
	p.Draft = page.Draft{Base: deskBase("Créer un mandat", ""), ID: id, Step: page.StepRecap, Reached: page.StepRecap, Version: recap.Draft.Version}
	return p
}

// stepOf tells which step mends a draft that is not complete.
func stepOf(err error) (page.Step, bool) {
	if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Forbidden) {
		return 0, false
	}
	switch field := fault.Of(err).Field; {
	case field == "term":
		return page.StepTerm, true
	case strings.HasPrefix(field, "line"):
		return page.StepServices, true
	case field != "" && field != "code" && field != "recap":
		return page.StepPerson, true
	}
	return 0, false
}

// grant turns the draft into a mandate when the helper's code approves the recap
// she read. Sent twice, it is one mandate.
func (s *Server) grant(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	id, err := visitID(r)
	if err != nil {
		return err
	}
	if err := parse(r); err != nil {
		return err
	}
	approval := node.Approval{Code: digits(text(r, "code"))}
	sum, err := hex.DecodeString(text(r, "recap"))
	if err != nil || len(sum) != len(approval.Recap) {
		return fault.New(fault.Invalid, locale.ProblemForm, err)
	}
	copy(approval.Recap[:], sum)
	granted, err := s.node.Grant(r.Context(), by, id, approval)
	if err != nil {
		return s.refuseGrant(w, r, by, id, err)
	}
	return seeOther(w, r, "/bureau/mandats/"+granted.String()+"/papier")
}

// refuseGrant shows the recap again, as it stands now, with what is wrong.
func (s *Server) refuseGrant(w http.ResponseWriter, r *http.Request, by node.Actor, id mediation.AccompanimentID, refused error) error {
	if step, incomplete := stepOf(refused); incomplete {
		s.say(r, fault.Of(refused).Message)
		return seeOther(w, r, stepPath(id, step))
	}
	if !reformed(refused) && !fault.Is(refused, fault.Unauthenticated) {
		return refused
	}
	recap, err := s.node.Recap(r.Context(), by, id)
	if err != nil {
		return refused
	}
	p := recapPage(id, recap)
	p.Fail(refused)
	if p.Wait() == 0 { // else the fault says how long
		p.NextCode = s.node.NextCodeIn(s.now())
	}
	return s.render(w, r, statusOf(refused), p)
}
