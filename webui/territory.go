package webui

import (
	"net/http"

	"relais/node"
	"relais/webui/page"
)

func (s *Server) territory(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	view, err := s.node.Territory(r.Context())
	if err != nil {
		return err
	}
	p := &page.Territory{Base: deskBase("État du territoire", "territory"), View: view}
	if p.Pass, p.HasPass, err = s.node.LastNationalPass(r.Context()); err != nil {
		return err
	}
	if view.Roster != nil {
		p.Own, _ = view.Roster.Structure(by.Structure)
	}
	if p.Habilitation, err = s.node.Habilitation(r.Context(), p.Own.SIRET); err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, p)
}
