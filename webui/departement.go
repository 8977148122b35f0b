package webui

import (
	"net/http"

	"relais/node"
	"relais/webui/page"
)

// glance is the territory at a glance.
func (s *Server) glance(w http.ResponseWriter, r *http.Request, _ node.Actor) (err error) {
	p := &page.Departement{Base: officeBase("Le territoire", "glance")}
	if p.View, err = s.node.Territory(r.Context()); err != nil {
		return err
	}
	if p.Requests, err = s.node.Requests(r.Context()); err != nil {
		return err
	}
	if p.Invitations, err = s.node.Invitations(r.Context()); err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, p)
}
