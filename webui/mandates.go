package webui

import (
	"net/http"
	"slices"
	"strconv"

	"relais/node"
	"relais/node/fault"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/territory"
	"relais/webui/locale"
	"relais/webui/page"
)

// mandatesShown is how many a list shows at a time.
const mandatesShown = 50

func (s *Server) mandates(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	query := r.URL.Query() // states and identifiers only: nothing of a person
	if query.Get("fin") == strconv.Itoa(endingWithin) {
		rows, err := s.ending(r.Context(), by)
		if err != nil {
			return err
		}
		return s.render(w, r, http.StatusOK, &page.Mandates{Base: deskBase("Mandats", "mandates"), Rows: rows, Ending: true, MayForget: by.Role.May(people.VerbForget)})
	}
	f := node.MandateFilter{State: mandate.State(query.Get("etat")), Limit: mandatesShown}
	if f.State != "" && !slices.Contains(locale.States, f.State) {
		return fault.Errorf(fault.NotFound, locale.ProblemNotFound, "unknown state in a filter")
	}
	if after := query.Get("apres"); after != "" {
		if err := f.After.UnmarshalText([]byte(after)); err != nil {
			return fault.New(fault.NotFound, locale.ProblemNotFound, err)
		}
	}
	p, err := s.mandatesPage(r, by, f)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, p)
}

func (s *Server) mandatesPage(r *http.Request, by node.Actor, f node.MandateFilter) (*page.Mandates, error) {
	rows, err := s.node.Mandates(r.Context(), by, f)
	if err != nil {
		return nil, err
	}
	p := &page.Mandates{Base: deskBase("Mandats", "mandates"), Rows: rows, State: f.State, MayForget: by.Role.May(people.VerbForget)}
	if len(rows) == mandatesShown {
		p.Next = rows[len(rows)-1].ID
	}
	return p, nil
}

// mandate shows a mandate of the structure; any other, at the same address, by
// what its notice says.
func (s *Server) mandate(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	id, err := mandateID(r)
	if err != nil {
		return err
	}
	view, err := s.node.Mandate(r.Context(), by, id)
	if elsewhere(err) {
		return s.notice(w, r, id)
	}
	if err != nil {
		return err
	}
	p := &page.MandateShow{Base: deskBase("Mandat", "mandates"), Mandate: view, MayForget: by.Role.May(people.VerbForget)}
	p.Receipt = s.takeReceipt(s.sessions, r)
	return s.render(w, r, http.StatusOK, p)
}

// elsewhere tells whether a mandate is not this structure's, or its dossier not
// here.
func elsewhere(err error) bool {
	return fault.Is(err, fault.NotFound) || fault.Is(err, fault.Forbidden)
}

func (s *Server) notice(w http.ResponseWriter, r *http.Request, id mandate.ID) error {
	view, err := s.node.Notice(r.Context(), id)
	if err != nil {
		return err
	}
	p := &page.NoticeShow{Base: deskBase("Mandat", "mandates"), Notice: view, StructureName: s.structureName(view.Structure)}
	p.Receipt = s.takeReceipt(s.sessions, r)
	return s.render(w, r, http.StatusOK, p)
}

func (s *Server) structureName(id territory.StructureID) string {
	roster := s.node.Roster()
	if roster == nil {
		return ""
	}
	structure, _ := roster.Structure(id)
	return structure.Name
}
