package webui

import (
	"net/http"

	"relais/node"
	"relais/webui/page"
)

func (s *Server) directory(w http.ResponseWriter, r *http.Request, _ node.Actor) error {
	return s.directoryPage(w, r, "")
}

// searchDirectory takes what is sought in a body: nothing typed is in an address.
func (s *Server) searchDirectory(w http.ResponseWriter, r *http.Request, _ node.Actor) error {
	if err := parse(r); err != nil {
		return err
	}
	return s.directoryPage(w, r, text(r, "sought"))
}

func (s *Server) directoryPage(w http.ResponseWriter, r *http.Request, sought string) error {
	p := &page.Directory{Base: officeBase("L’annuaire d’Aidants Connect", "structures"), Sought: sought}
	var err error
	if p.View, err = s.node.Directory(r.Context(), sought); err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, p)
}
