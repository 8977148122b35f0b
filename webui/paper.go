package webui

import (
	"net"
	"net/http"

	"relais/node"
	"relais/node/territory"
	"relais/webui/locale"
	"relais/webui/page"
)

// paper shows both copies, or of a mirror the person's paper to stop it, and notes
// that they were printed: from here the helper prints, signs and hands over.
func (s *Server) paper(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	id, err := mandateID(r)
	if err != nil {
		return err
	}
	if err := s.node.MarkPrinted(r.Context(), by, id); err != nil {
		return err
	}
	view, err := s.node.Mandate(r.Context(), by, id)
	if err != nil {
		return err
	}
	p, err := s.paperPage(r, view)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, p)
}

func (s *Server) paperPage(r *http.Request, view node.MandateView) (*page.MandatePaper, error) {
	p := &page.MandatePaper{Mandate: view}
	p.Title, p.Audience = "Papier du mandat", page.Paper
	person := page.Copy{Person: true}
	if view.StopCode != nil {
		p.Code = view.StopCode.String()
		qr, err := qrOf(s.stopAddress(r, p.Code))
		if err != nil {
			return nil, err
		}
		person.Code, person.QR = p.Code, qr
	}
	p.Copies = []page.Copy{person}
	if !view.IsMirror() { // of a mirror, the structure has the mandate itself
		p.Copies = append(p.Copies, page.Copy{})
	}
	if roster := s.node.Roster(); roster != nil {
		structure, _ := roster.Structure(view.Structure)
		p.Address = structure.Address
	}
	return p, nil
}

// stopAddress is what the QR holds: the stop page of a kiosk, with the code in
// the fragment, which no server sees. Without any kiosk it holds the code alone.
func (s *Server) stopAddress(r *http.Request, code string) string {
	host := s.kioskName
	if host == "" {
		host = anyKiosk(s.node.Roster())
	}
	if host == "" {
		return code
	}
	if _, port, err := net.SplitHostPort(r.Host); err == nil && port != "443" && host == s.kioskName {
		host = net.JoinHostPort(host, port)
	}
	return "https://" + host + "/kiosque/arreter#" + code
}

func anyKiosk(roster *territory.Roster) string {
	if roster == nil {
		return ""
	}
	for _, hub := range roster.Hubs {
		if hub.State == territory.HubActive && hub.KioskName != "" {
			return hub.KioskName
		}
	}
	return ""
}

// confirmPaper notes that both copies are signed and one was handed over: the
// first act may begin, and the code is forgotten here.
func (s *Server) confirmPaper(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	id, err := mandateID(r)
	if err != nil {
		return err
	}
	if err := parse(r); err != nil {
		return err
	}
	signed, handed := ticked(r, "signed"), ticked(r, "handed")
	switch {
	case !signed:
		err = missing("signed", locale.SignedMissing)
	case !handed:
		err = missing("handed", locale.HandedMissing)
	default:
		err = s.node.ConfirmPaper(r.Context(), by, id, signed, handed)
	}
	if err == nil {
		s.say(r, locale.FlashPaper)
		return seeOther(w, r, "/bureau/mandats/"+id.String())
	}
	if !reformed(err) {
		return err
	}
	return s.paperAgain(w, r, by, err)
}

func (s *Server) paperAgain(w http.ResponseWriter, r *http.Request, by node.Actor, refused error) error {
	id, err := mandateID(r)
	if err != nil {
		return err
	}
	view, err := s.node.Mandate(r.Context(), by, id)
	if err != nil {
		return refused
	}
	p, err := s.paperPage(r, view)
	if err != nil {
		return err
	}
	p.Fail(refused)
	return s.render(w, r, statusOf(refused), p)
}
