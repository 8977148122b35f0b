package webui

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"relais/node"
	"relais/node/mandate"
	"relais/webui/locale"
	"relais/webui/page"
)

func (s *Server) servicesStep(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	d, err := s.draft(r, by)
	if err != nil {
		return err
	}
	p := s.servicesPage(d, by)
	for _, l := range d.Lines {
		p.Lines = append(p.Lines, page.LineForm{Number: len(p.Lines) + 1, Scope: l.Scope, Service: l.Service, Acts: strings.Join(l.Acts, "\n")})
	}
	if len(p.Lines) == 0 {
		p.Lines = []page.LineForm{{Number: 1}}
	}
	return s.render(w, r, http.StatusOK, p)
}

func (s *Server) servicesPage(d node.Draft, by node.Actor) *page.DraftServices {
	p := &page.DraftServices{Draft: draftPage(d, page.StepServices, s.now())}
	if roster := s.node.Roster(); roster != nil {
		structure, _ := roster.Structure(by.Structure)
		p.Allowed = slices.Clone(structure.Scopes)
	}
	// A line of before keeps its choice shown, even where it is no longer open.
	for _, l := range d.Lines {
		if l.Scope != "" && !slices.Contains(p.Allowed, string(l.Scope)) {
			p.Allowed = append(p.Allowed, string(l.Scope))
		}
	}
	return p
}

// saveServices keeps the lines and does what the button says: continue, add a
// line, or remove one. All three work without JavaScript.
func (s *Server) saveServices(w http.ResponseWriter, r *http.Request, by node.Actor) error {
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
	p := s.servicesPage(d, by)
	p.Version = d.Version
	p.Lines = readLines(r)
	switch action := text(r, "action"); {
	case action == "ajouter":
		p.Lines = renumber(append(p.Lines, page.LineForm{}))
		return s.render(w, r, http.StatusOK, p)
	case strings.HasPrefix(action, "retirer-"):
		p.Lines = renumber(without(p.Lines, strings.TrimPrefix(action, "retirer-")))
		return s.render(w, r, http.StatusOK, p)
	}
	return s.keepLines(w, r, by, d, p)
}

func (s *Server) keepLines(w http.ResponseWriter, r *http.Request, by node.Actor, d node.Draft, p *page.DraftServices) error {
	p.Lines = filled(p.Lines)
	checkLines(p)
	if p.Failed() {
		return s.render(w, r, http.StatusUnprocessableEntity, p)
	}
	d.Lines = nil
	for _, l := range p.Lines {
		d.Lines = append(d.Lines, mandate.Line{Number: uint8(l.Number), Scope: l.Scope, Service: l.Service, Acts: acts(l.Acts)})
	}
	err := s.save(w, r, by, d, page.StepTerm)
	if !reformed(err) {
		return err
	}
	p.Version = s.current(r, by, d, err)
	p.Fail(err)
	return s.render(w, r, statusOf(err), p)
}

// readLines reads the lines of the form, at most 32, in the order of their
// numbers. A number left out is a line left out.
func readLines(r *http.Request) []page.LineForm {
	var lines []page.LineForm
	for n := 1; n <= mandate.MaxLines; n++ {
		name := fmt.Sprintf("line_%d_", n)
		if !r.PostForm.Has(name+"scope") && !r.PostForm.Has(name+"service") && !r.PostForm.Has(name+"acts") {
			continue
		}
		lines = append(lines, page.LineForm{Number: n, Scope: mandate.Scope(text(r, name+"scope")), Service: text(r, name+"service"), Acts: text(r, name+"acts")})
	}
	return renumber(lines)
}

func renumber(lines []page.LineForm) []page.LineForm {
	lines = lines[:min(len(lines), mandate.MaxLines)]
	for i := range lines {
		lines[i].Number = i + 1
	}
	return lines
}

// without leaves out the row of a form that has this number, from 1, unless it is
// the only one.
func without[T any](rows []T, number string) []T {
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > len(rows) || len(rows) == 1 {
		return rows
	}
	return slices.Delete(rows, n-1, n)
}

// filled leaves out the lines that hold nothing, but keeps one to be filled.
func filled(lines []page.LineForm) []page.LineForm {
	kept := slices.DeleteFunc(lines, func(l page.LineForm) bool { return l.Scope == "" && l.Service == "" && l.Acts == "" })
	if len(kept) == 0 {
		return []page.LineForm{{Number: 1}}
	}
	return renumber(kept)
}

// acts splits what was typed: an act a line of text.
func acts(typed string) []string {
	var all []string
	for act := range strings.SplitSeq(typed, "\n") {
		if act = strings.TrimSpace(act); act != "" {
			all = append(all, act)
		}
	}
	return all
}

func checkLines(p *page.DraftServices) {
	for _, l := range p.Lines {
		name := fmt.Sprintf("line_%d_", l.Number)
		if l.Scope == "" {
			p.Fail(missing(name+"scope", locale.LineScopeMissing))
		}
		if l.Service == "" {
			p.Fail(missing(name+"service", locale.LineServiceMissing))
		}
		if len(acts(l.Acts)) == 0 {
			p.Fail(missing(name+"acts", locale.LineActsMissing))
		}
	}
}
