package webui

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"relais/node"
	"relais/node/fault"
	"relais/node/id"
	"relais/node/mandate"
	"relais/node/people"
	"relais/webui/locale"
	"relais/webui/page"
)

func (s *Server) mirrorsForm(w http.ResponseWriter, r *http.Request, _ node.Actor) error {
	p := mirrorsPage()
	p.ID, p.Entries = id.Random[node.BatchID](), []page.MirrorForm{{Number: 1}}
	return s.render(w, r, http.StatusOK, p)
}

func mirrorsPage() *page.MirrorsNew {
	return &page.MirrorsNew{Base: deskBase("Inscrire des mandats Aidants Connect", "mandates")}
}

// enterMirrors does what the button says: enter, add a mandate, or remove one.
// Sent twice, it is one batch.
func (s *Server) enterMirrors(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	if err := parse(r); err != nil {
		return err
	}
	p := mirrorsPage()
	if err := p.ID.UnmarshalText([]byte(text(r, "id"))); err != nil {
		return fault.New(fault.Invalid, locale.ProblemForm, err)
	}
	p.Entries, p.Paper = readMirrors(r), ticked(r, "paper")
	switch action := text(r, "action"); {
	case action == "ajouter":
		p.Entries = renumbered(append(p.Entries, page.MirrorForm{}))
		return s.render(w, r, http.StatusOK, p)
	case strings.HasPrefix(action, "retirer-"):
		p.Entries = renumbered(without(p.Entries, strings.TrimPrefix(action, "retirer-")))
		return s.render(w, r, http.StatusOK, p)
	}
	return s.keepMirrors(w, r, by, p)
}

func (s *Server) keepMirrors(w http.ResponseWriter, r *http.Request, by node.Actor, p *page.MirrorsNew) error {
	p.Entries = renumbered(slices.DeleteFunc(p.Entries, page.MirrorForm.Empty))
	if len(p.Entries) == 0 {
		p.Entries = []page.MirrorForm{{Number: 1}}
	}
	if checkMirrors(p, s.now().In(zoneOf(s.node.Roster()))); p.Failed() {
		return s.render(w, r, http.StatusUnprocessableEntity, p)
	}
	batch := node.MirrorBatch{ID: p.ID, Paper: p.Paper, Code: digits(text(r, "code"))}
	for _, e := range p.Entries {
		batch.Mirrors = append(batch.Mirrors, e.Mirror)
	}
	made, err := s.node.EnterMirrors(r.Context(), by, batch)
	switch {
	case err == nil && len(made) == 1:
		return seeOther(w, r, "/bureau/mandats/"+made[0].String()+"/papier")
	case err == nil:
		s.say(r, locale.FlashMirrors)
		return seeOther(w, r, "/bureau/mandats?etat="+string(mandate.StateAwaitingPaper))
	case !reformed(err) && !fault.Is(err, fault.Unauthenticated):
		return err
	}
	p.Fail(err)
	if p.Wait() == 0 { // else the fault says how long
		p.NextCode = s.node.NextCodeIn(s.now())
	}
	return s.render(w, r, statusOf(err), p)
}

// readMirrors reads the entries of the form, at most twenty, in the order of their
// numbers. A number left out is an entry left out.
func readMirrors(r *http.Request) []page.MirrorForm {
	var entries []page.MirrorForm
	for n := 1; n <= node.MaxMirrors; n++ {
		e := page.MirrorForm{Number: n}
		if !r.PostForm.Has(e.Name("given")) {
			continue
		}
		e.Person.Name = people.Name{Given: text(r, e.Name("given")), Family: text(r, e.Name("family"))}
		e.Person.BirthDate, e.Made, e.Term = text(r, e.Name("birth_date")), text(r, e.Name("made")), mandate.Term(text(r, e.Name("term")))
		for _, scope := range r.PostForm[e.Name("scopes")] {
			e.Scopes = append(e.Scopes, mandate.Scope(scope))
		}
		entries = append(entries, e)
	}
	return renumbered(entries)
}

func renumbered(entries []page.MirrorForm) []page.MirrorForm {
	entries = entries[:min(len(entries), node.MaxMirrors)]
	for i := range entries {
		entries[i].Number = i + 1
	}
	return entries
}

// checkMirrors notes everything that is missing, so that it is mended at once. The
// node checks it all again.
func checkMirrors(p *page.MirrorsNew, now time.Time) {
	for i := range p.Entries {
		checkMirror(p, &p.Entries[i], now)
	}
	if !p.Paper {
		p.Fail(missing("paper", locale.MirrorPaperMissing))
	}
}

func checkMirror(p *page.MirrorsNew, e *page.MirrorForm, now time.Time) {
	faults := len(p.Faults)
	for _, c := range []struct {
		field, message string
		empty          bool
	}{
		{"given", locale.GivenMissing, e.Person.Name.Given == ""},
		{"family", locale.FamilyMissing, e.Person.Name.Family == ""},
		{"birth_date", locale.BirthDateInvalid, e.Person.BirthDate == ""},
		{"made", locale.MadeMissing, e.Made == ""},
		{"term", locale.MirrorTermMissing, !e.Term.Valid()},
		{"scopes", locale.MirrorScopeMissing, len(e.Scopes) == 0},
	} {
		if c.empty {
			p.Fail(missing(e.Name(c.field), c.message))
		}
	}
	parsed, err := e.Parse(now)
	if err == nil {
		e.Mirror = parsed
		if len(p.Faults) == faults {
			err = parsed.Ready(now)
		}
	}
	if err != nil {
		p.Fail(fault.Of(err).On(fmt.Sprintf("entry_%d_%s", e.Number, fault.Of(err).Field)))
	}
}
