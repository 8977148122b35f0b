package webui

import (
	"net/http"
	"slices"

	"github.com/gorilla/mux"

	"relais/node"
	"relais/node/fault"
	"relais/node/territory"
	"relais/webui/locale"
	"relais/webui/page"
)

func (s *Server) structures(w http.ResponseWriter, r *http.Request, _ node.Actor) error {
	p := &page.Structures{Base: officeBase("Structures", "structures"), Signed: s.signed(r)}
	if roster := s.node.Roster(); roster != nil {
		for _, st := range roster.Structures {
			p.Rows = append(p.Rows, page.StructureRow{Structure: st, Hubs: activeNames(roster, st)})
		}
	}
	return s.render(w, r, http.StatusOK, p)
}

// activeNames are the names of the hubs that serve a structure today.
func activeNames(roster *territory.Roster, st territory.Structure) (names []string) {
	for _, h := range roster.Hubs {
		if h.State == territory.HubActive && st.ServedBy(h.ID) {
			names = append(names, h.Name)
		}
	}
	return names
}

func (s *Server) structureForm(w http.ResponseWriter, r *http.Request, _ node.Actor) error {
	p, err := s.structurePage(r)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, p)
}

// structurePage is the form for the structure in the address, or for a new one:
// open, and served by this hub.
func (s *Server) structurePage(r *http.Request) (*page.StructureForm, error) {
	p := &page.StructureForm{Base: officeBase("Nouvelle structure", "structures"), Signed: s.signed(r)}
	roster := s.node.Roster()
	if roster == nil {
		roster = &territory.Roster{}
	}
	p.Edited = territory.Structure{State: territory.StructureOpen, Serving: []territory.HubID{s.node.Self()}}
	if _, changing := mux.Vars(r)["structure"]; changing {
		id, err := structureID(r)
		if err != nil {
			return nil, err
		}
		listed, found := roster.Structure(id)
		if !found {
			return nil, fault.Errorf(fault.NotFound, locale.ProblemNotFound, "no structure %s", id)
		}
		p.Edited, p.Title, p.SIRET = listed, listed.Name, listed.SIRET
		if p.Habilitation, err = s.node.Habilitation(r.Context(), listed.SIRET); err != nil {
			return nil, err
		}
	}
	for _, h := range roster.Hubs {
		switch {
		case h.State == territory.HubActive:
			p.Hubs = append(p.Hubs, h)
		case p.Edited.ServedBy(h.ID):
			p.Former = append(p.Former, h.Name)
		}
	}
	return p, nil
}

// putStructure adds or changes a structure. Sent twice, the second time is of a
// roster that has changed, and is refused.
func (s *Server) putStructure(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	p, err := s.structurePage(r)
	if err != nil {
		return err
	}
	if err := parse(r); err != nil {
		return err
	}
	fillStructure(r, p)
	code, seen, err := signature(r, p)
	if err != nil {
		return err
	}
	if p.Failed() {
		return s.render(w, r, http.StatusUnprocessableEntity, p)
	}
	if _, err := s.node.PutStructure(r.Context(), &by, code, p.Edited, seen); err != nil {
		p.Signed = s.signed(r)
		return s.unsigned(w, r, p, err)
	}
	s.say(r, locale.FlashStructure)
	return seeOther(w, r, "/departement/structures")
}

// fillStructure reads the form. Expelled hubs stay as they were.
func fillStructure(r *http.Request, p *page.StructureForm) {
	was := p.Edited
	p.Edited.Name, p.Edited.Address, p.Edited.SIRET = text(r, "name"), text(r, "address"), text(r, "siret")
	p.Edited.State = territory.StructureState(text(r, "state"))
	p.Edited.Scopes = slices.Clone(r.PostForm["scopes"])
	if locale.StructureLabel(p.Edited.State) == string(p.Edited.State) {
		p.Fail(missing("state", locale.StructureState))
	}
	p.Edited.Serving = nil
	for _, id := range was.Serving {
		if !slices.ContainsFunc(p.Hubs, func(h territory.Hub) bool { return h.ID == id }) && !p.New() {
			p.Edited.Serving = append(p.Edited.Serving, id)
		}
	}
	for _, h := range p.Hubs {
		if slices.Contains(r.PostForm["hubs"], h.ID.String()) {
			p.Edited.Serving = append(p.Edited.Serving, h.ID)
		}
	}
}
