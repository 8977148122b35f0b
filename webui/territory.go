package webui

import (
	"net/http"

	"relais/node"
	"relais/webui/page"
)

func (s *Server) territory(w http.ResponseWriter, r *http.Request, _ node.Actor) error {
	view, err := s.node.Territory(r.Context())
	if err != nil {
		return err
	}
	p := &page.Territory{Base: deskBase("État du territoire", "territory"), View: view}
	if p.Pass, p.HasPass, err = s.node.LastNationalPass(r.Context()); err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, p)
}
