package webui

import (
	"net/http"
	"strconv"

	"relais/node"
	"relais/node/fault"
	"relais/node/territory"
	"relais/webui/locale"
	"relais/webui/page"
)

// editionsShown is how much of the roster's history a page holds.
const editionsShown = 30

func (s *Server) registry(w http.ResponseWriter, r *http.Request, _ node.Actor) error {
	p, err := s.registryPage(r)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, p)
}

func (s *Server) registryPage(r *http.Request) (*page.Registry, error) {
	p := &page.Registry{
		Base: officeBase("Le registre du territoire", "registry"), Signed: s.signed(r),
		Roster: s.node.Roster(), Root: territory.RootFingerprint(s.node.RootKey()), Days: strconv.Itoa(territory.RosterDays),
	}
	var err error
	p.History, err = s.node.RosterHistory(r.Context(), editionsShown)
	return p, err
}

// renew signs the roster for another period. Sent twice, it is one edition.
func (s *Server) renew(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	if err := parse(r); err != nil {
		return err
	}
	p, err := s.registryPage(r)
	if err != nil {
		return err
	}
	p.Days = text(r, "days")
	days, err := strconv.Atoi(digits(p.Days))
	if err != nil || days < 1 || days > territory.MaxRosterDays {
		p.Fail(fault.Errorf(fault.Invalid, locale.DaysInvalid, "days out of range").On("days"))
	}
	code, seen, err := signature(r, p)
	if err != nil {
		return err
	}
	if p.Failed() {
		return s.render(w, r, http.StatusUnprocessableEntity, p)
	}
	if err := s.node.RenewRoster(r.Context(), &by, code, days, seen); err != nil {
		return s.unsigned(w, r, p, err)
	}
	s.say(r, locale.FlashRenewed)
	return seeOther(w, r, "/departement/registre")
}

func (s *Server) rotateForm(w http.ResponseWriter, r *http.Request, _ node.Actor) error {
	return s.render(w, r, http.StatusOK, s.rotatePage(r))
}

func (s *Server) rotatePage(r *http.Request) *page.RootRotate {
	return &page.RootRotate{Base: officeBase("Changer la clé du territoire", "registry"), Signed: s.signed(r), Root: territory.RootFingerprint(s.node.RootKey())}
}

// rotate lets the key that was announced sign from now on. Sent twice, the second
// time is of a roster that has changed, and is refused.
func (s *Server) rotate(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	if err := parse(r); err != nil {
		return err
	}
	p := s.rotatePage(r)
	code, seen, err := signature(r, p)
	if err != nil {
		return err
	}
	if p.Failed() {
		return s.render(w, r, http.StatusUnprocessableEntity, p)
	}
	if err := s.node.RotateRoot(r.Context(), &by, code, seen); err != nil {
		return s.unsigned(w, r, p, err)
	}
	s.say(r, locale.FlashRotated)
	return seeOther(w, r, "/departement/registre")
}
