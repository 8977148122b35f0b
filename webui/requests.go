package webui

import (
	"net/http"
	"slices"

	"relais/node"
	"relais/node/fault"
	"relais/node/territory"
	"relais/webui/locale"
	"relais/webui/page"
)

func (s *Server) request(w http.ResponseWriter, r *http.Request, _ node.Actor) error {
	p, err := s.requestPage(r)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, p)
}

// requestPage is a hub's request as it stands, the form empty.
func (s *Server) requestPage(r *http.Request) (*page.RequestShow, error) {
	id, err := hubID(r)
	if err != nil {
		return nil, err
	}
	q, err := s.node.Request(r.Context(), id)
	if err != nil {
		return nil, err
	}
	p := &page.RequestShow{Base: officeBase("Une demande de place", "glance"), Signed: s.signed(r), Request: q}
	roster := s.node.Roster()
	if roster == nil {
		return p, nil
	}
	if q.Replaces != nil {
		if was, listed := roster.Hub(q.Replaces.Hub); listed {
			p.Replaces, p.Replace = &was, true
		}
	}
	for _, st := range roster.Structures {
		if st.State != territory.StructureClosed && !st.ServedBy(id) { // an approval takes none away
			p.Structures = append(p.Structures, st)
		}
	}
	if len(p.Structures) == 1 && q.Known == nil && q.Replaces == nil {
		p.Serves = []territory.StructureID{p.Structures[0].ID} // it would have no helper otherwise
	}
	return p, nil
}

// approveHub gives a hub its place when the site read the fingerprint of this
// very request. Sent twice, it is one approval.
func (s *Server) approveHub(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	p, err := s.requestPage(r)
	if fault.Is(err, fault.NotFound) {
		return s.settled(w, r)
	}
	if err != nil {
		return err
	}
	if err := parse(r); err != nil {
		return err
	}
	p.Typed, p.Replace, p.Serves = text(r, "fingerprint"), ticked(r, "replace"), chosenStructures(r)
	code := digits(text(r, "code"))
	if checkApproval(p, code); p.Failed() {
		return s.render(w, r, http.StatusUnprocessableEntity, p)
	}
	hub := p.Request.Hub.ID
	err = s.node.ApproveHub(r.Context(), &by, hub, node.HubApproval{Fingerprint: p.Typed, Code: code, Replace: p.Replace, Structures: p.Serves})
	if err != nil {
		if _, waiting := s.node.Request(r.Context(), hub); fault.Is(waiting, fault.NotFound) {
			return s.settled(w, r) // answered in another window meanwhile
		}
		return s.unsigned(w, r, p, err)
	}
	s.say(r, locale.FlashApproved)
	return seeOther(w, r, "/departement/relais/"+hub.String())
}

func checkApproval(p *page.RequestShow, code string) {
	if p.Typed == "" {
		p.Fail(missing("fingerprint", locale.FingerprintMissing))
	}
	if code == "" {
		p.Fail(missing("code", locale.CodeMissing))
	}
}

// chosenStructures reads the boxes ticked; what names none is left out.
func chosenStructures(r *http.Request) (list []territory.StructureID) {
	for _, v := range r.PostForm["structures"] {
		var id territory.StructureID
		if id.UnmarshalText([]byte(v)) == nil && !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	return list
}

func (s *Server) refuseHub(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	hub, err := hubID(r)
	if err != nil {
		return err
	}
	err = s.node.RefuseHub(r.Context(), &by, hub)
	if fault.Is(err, fault.NotFound) {
		return s.settled(w, r)
	}
	if err != nil {
		return err
	}
	s.say(r, locale.FlashRefused)
	return seeOther(w, r, "/departement")
}

// settled ends an answer to what was answered already: on the page of the hub
// where it has its place.
func (s *Server) settled(w http.ResponseWriter, r *http.Request) error {
	hub, err := hubID(r)
	if err != nil {
		return err
	}
	s.say(r, locale.RequestSettled)
	if roster := s.node.Roster(); roster != nil {
		if _, listed := roster.Hub(hub); listed {
			return seeOther(w, r, "/departement/relais/"+hub.String())
		}
	}
	return seeOther(w, r, "/departement")
}
