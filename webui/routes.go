package webui

import (
	"net/http"
	"strings"

	"github.com/gorilla/mux"

	"relais/node"
	"relais/webui/locale"
)

// anyone is a handler of a page that needs nobody signed in.
type anyone func(w http.ResponseWriter, r *http.Request) error

// helper is a handler of the desk: by is who is signed in, as she stands now.
type helper func(w http.ResponseWriter, r *http.Request, by node.Actor) error

const (
	get  = http.MethodGet
	post = http.MethodPost
)

// deskRoutes are all the addresses of the desk's host names.
func (s *Server) deskRoutes() *mux.Router {
	router := s.newRouter()
	s.open(router, get, "/", s.toDesk)
	s.open(router, get, "/connexion", s.signInForm)
	s.open(router, post, "/connexion", s.signIn)
	s.open(router, post, "/deconnexion", s.signOut)

	desk := router.PathPrefix("/bureau").Subrouter()
	s.desk(desk, get, "", s.today)
	s.desk(desk, get, "/territoire", s.territory)
	s.desk(desk, get, "/effacements", s.forgettings)
	s.desk(desk, get, "/effacements/{forgetting}", s.forgetting)
	s.desk(desk, get, "/a-faire", s.worklist)
	s.desk(desk, post, "/a-faire", s.noteWork)
	s.desk(desk, post, "/a-faire/{work}/reprendre", s.reopenWork)

	visits := desk.PathPrefix("/accompagnements").Subrouter()
	s.desk(visits, get, "/nouveau", s.accompanimentForm)
	s.desk(visits, post, "/nouveau", s.openAccompaniment)
	s.desk(visits, get, "/{visit}", s.accompaniment)
	s.desk(visits, post, "/{visit}/fin", s.closeAccompaniment)

	steps := visits.PathPrefix("/{visit}/mandat").Subrouter()
	s.desk(steps, get, "/personne", s.personStep)
	s.desk(steps, post, "/personne", s.savePerson)
	s.desk(steps, get, "/services", s.servicesStep)
	s.desk(steps, post, "/services", s.saveServices)
	s.desk(steps, get, "/duree", s.termStep)
	s.desk(steps, post, "/duree", s.saveTerm)
	s.desk(steps, get, "/relire", s.recapStep)
	s.desk(steps, post, "/relire", s.grant)

	mandates := desk.PathPrefix("/mandats").Subrouter()
	s.desk(mandates, get, "", s.mandates)
	s.desk(mandates, post, "/chercher", s.seekMandate)
	s.desk(mandates, post, "/code", s.stopByCode)
	s.desk(mandates, get, "/aidants-connect", s.mirrorsForm)
	s.desk(mandates, post, "/aidants-connect", s.enterMirrors)
	s.desk(mandates, get, "/{mandate}", s.mandate)
	s.desk(mandates, get, "/{mandate}/papier", s.paper)
	s.desk(mandates, post, "/{mandate}/papier", s.confirmPaper)
	s.desk(mandates, get, "/{mandate}/demarche", s.actForm)
	s.desk(mandates, post, "/{mandate}/demarche", s.recordAct)
	s.desk(mandates, get, "/{mandate}/arreter", s.stopForm)
	s.desk(mandates, post, "/{mandate}/arreter", s.stopAtDesk)
	s.desk(mandates, get, "/{mandate}/effacer", s.forgetForm)
	s.desk(mandates, post, "/{mandate}/effacer", s.forget)

	s.departementRoutes(router.PathPrefix("/departement").Subrouter())
	return router
}

// departementRoutes are the pages of who looks after the territory: machines and
// structures, never a person.
func (s *Server) departementRoutes(office *mux.Router) {
	s.departement(office, get, "", s.glance)
	s.departement(office, get, "/inviter", s.inviteForm)
	s.departement(office, post, "/inviter", s.invite)
	s.departement(office, get, "/invitations/{invitation}", s.invitation)
	s.departement(office, post, "/invitations/{invitation}/retirer", s.uninvite)
	s.departement(office, get, "/demandes/{hub}", s.request)
	s.departement(office, post, "/demandes/{hub}", s.approveHub)
	s.departement(office, post, "/demandes/{hub}/refuser", s.refuseHub)
	s.departement(office, get, "/relais/{hub}", s.hub)
	s.departement(office, get, "/relais/{hub}/exclure", s.expelForm)
	s.departement(office, post, "/relais/{hub}/exclure", s.expel)

	structures := office.PathPrefix("/structures").Subrouter()
	s.departement(structures, get, "", s.structures)
	s.departement(structures, get, "/nouvelle", s.structureForm)
	s.departement(structures, post, "/nouvelle", s.putStructure)
	s.departement(structures, get, "/{structure}", s.structureForm)
	s.departement(structures, post, "/{structure}", s.putStructure)

	s.departement(office, get, "/annuaire", s.directory)
	s.departement(office, post, "/annuaire", s.searchDirectory)

	registry := office.PathPrefix("/registre").Subrouter()
	s.departement(registry, get, "", s.registry)
	s.departement(registry, post, "", s.renew)
	s.departement(registry, get, "/cle", s.rotateForm)
	s.departement(registry, post, "/cle", s.rotate)
}

// kioskRoutes are all the addresses of the kiosk's host name: it serves nothing
// else, and nobody signs in there.
func (s *Server) kioskRoutes() *mux.Router {
	router := s.newRouter()
	s.open(router, get, "/", s.toKiosk)
	kiosk := router.PathPrefix("/kiosque").Subrouter()
	s.open(kiosk, get, "", s.kioskHome)
	s.open(kiosk, get, "/arreter", s.kioskStopForm)
	s.open(kiosk, post, "/arreter", s.kioskStop)
	s.open(kiosk, get, "/recu", s.kioskReceipt)
	s.open(kiosk, get, "/droits", s.kioskRights)
	s.open(kiosk, get, "/appeler", s.kioskCall)
	s.open(kiosk, post, "/effacer", s.kioskErase)
	return router
}

// newRouter returns a router whose refusals are our pages.
func (s *Server) newRouter() *mux.Router {
	router := mux.NewRouter()
	router.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if allowed := allowedMethods(router, r); len(allowed) > 0 {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			s.refuse(w, r, http.StatusMethodNotAllowed)
			return
		}
		s.refuse(w, r, http.StatusNotFound)
	})
	router.MethodNotAllowedHandler = router.NotFoundHandler
	return router
}

// allowedMethods are those that the address answers. mux itself forgets a wrong
// method once it has looked into a second subrouter.
func allowedMethods(router *mux.Router, r *http.Request) []string {
	var allowed []string
	for _, method := range []string{get, post} {
		var match mux.RouteMatch
		probe := r.Clone(r.Context())
		probe.Method = method
		if router.Match(probe, &match) && match.MatchErr == nil {
			allowed = append(allowed, method)
		}
	}
	return allowed
}

// open adds a page that anyone may ask for. A page that is read answers HEAD too.
func (s *Server) open(router *mux.Router, method, path string, h anyone) {
	methods := []string{method}
	if method == get {
		methods = append(methods, http.MethodHead)
	}
	route := router.NewRoute().Path(path).Methods(methods...)
	pattern, _ := route.GetPathTemplate() // empty for a route without one, which we never make
	route.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		noteRoute(r, pattern)
		if err := h(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

// signedInAs adds a page that asks for somebody signed in.
func (s *Server) signedInAs(router *mux.Router, method, path string, h helper) {
	s.open(router, method, path, func(w http.ResponseWriter, r *http.Request) error {
		by, signedIn, err := s.actor(r)
		if err != nil {
			return err
		}
		if !signedIn {
			if s.sessions.Exists(r.Context(), keySeen) { // not a newcomer
				s.say(r, locale.FlashIdle)
			}
			http.Redirect(w, r, "/connexion", http.StatusSeeOther)
			return nil
		}
		return h(w, withActor(r, by), by)
	})
}

func (s *Server) toDesk(w http.ResponseWriter, r *http.Request) error {
	return seeOther(w, r, "/bureau")
}

func (s *Server) toKiosk(w http.ResponseWriter, r *http.Request) error {
	return seeOther(w, r, "/kiosque")
}

// seeOther ends a change: the browser asks for the next page, and a reload
// changes nothing.
func seeOther(w http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}
