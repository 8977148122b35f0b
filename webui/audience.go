package webui

import (
	"net/http"

	"github.com/gorilla/mux"

	"relais/node"
	"relais/node/fault"
	"relais/node/people"
	"relais/webui/locale"
)

// home is where an account begins: the département's own page, or the desk.
func home(by node.Actor) string {
	if by.Role.May(people.VerbAdminister) {
		return "/departement"
	}
	return "/bureau"
}

// desk adds a page for who works with people. The département does not, and is
// sent to its own page from the desk's first.
func (s *Server) desk(router *mux.Router, method, path string, h helper) {
	s.signedInAs(router, method, path, func(w http.ResponseWriter, r *http.Request, by node.Actor) error {
		switch {
		case by.Role.May(people.VerbAccompany):
			return h(w, r, by)
		case method == get && r.URL.Path == "/bureau":
			return seeOther(w, r, home(by))
		}
		return fault.Errorf(fault.Forbidden, locale.NotDesk, "role %q at the desk", by.Role)
	})
}

// departement adds a page for who looks after the territory.
func (s *Server) departement(router *mux.Router, method, path string, h helper) {
	s.signedInAs(router, method, path, func(w http.ResponseWriter, r *http.Request, by node.Actor) error {
		if !by.Role.May(people.VerbAdminister) {
			return fault.Errorf(fault.Forbidden, locale.NotDepartement, "role %q on a page of the département", by.Role)
		}
		return h(w, r, by)
	})
}
