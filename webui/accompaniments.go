package webui

import (
	"crypto/rand"
	"net/http"

	"relais/node"
	"relais/node/fault"
	"relais/node/mediation"
	"relais/webui/locale"
	"relais/webui/page"
)

func (s *Server) accompanimentForm(w http.ResponseWriter, r *http.Request, _ node.Actor) error {
	p := &page.AccompanimentNew{Base: deskBase("Nouvel accompagnement", "today")}
	rand.Read(p.ID[:]) // never fails since Go 1.24
	return s.render(w, r, http.StatusOK, p)
}

func (s *Server) openAccompaniment(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	if err := parse(r); err != nil {
		return err
	}
	p := &page.AccompanimentNew{Base: deskBase("Nouvel accompagnement", "today"), Posture: mediation.Posture(text(r, "posture")), Theme: text(r, "theme")}
	if err := p.ID.UnmarshalText([]byte(text(r, "id"))); err != nil {
		return fault.New(fault.Invalid, locale.ProblemForm, err)
	}
	view, err := node.AccompanimentView{}, error(nil)
	if p.Posture == "" {
		err = missing("posture", locale.PostureMissing)
	} else {
		view, err = s.node.OpenAccompaniment(r.Context(), by, node.NewAccompaniment{ID: p.ID, Posture: p.Posture, Theme: p.Theme})
	}
	if reformed(err) {
		p.Fail(err)
		return s.render(w, r, statusOf(err), p)
	}
	if err != nil {
		return err
	}
	return seeOther(w, r, "/bureau/accompagnements/"+view.ID.String())
}

func (s *Server) accompaniment(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	id, err := visitID(r)
	if err != nil {
		return err
	}
	view, err := s.node.Accompaniment(r.Context(), by, id)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, &page.AccompanimentShow{Base: deskBase("Accompagnement", "today"), Visit: view})
}

func (s *Server) closeAccompaniment(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	id, err := visitID(r)
	if err != nil {
		return err
	}
	if err := s.node.CloseAccompaniment(r.Context(), by, id); err != nil {
		return err
	}
	s.say(r, locale.FlashClosed)
	return seeOther(w, r, "/bureau")
}
