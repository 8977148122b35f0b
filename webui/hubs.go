package webui

import (
	"net/http"
	"strings"

	"relais/node"
	"relais/node/fault"
	"relais/node/territory"
	"relais/webui/locale"
	"relais/webui/page"
)

func (s *Server) hub(w http.ResponseWriter, r *http.Request, _ node.Actor) error {
	view, err := s.hubView(r)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, &page.HubShow{Base: officeBase(view.Hub.Name, "glance"), Hub: view})
}

// hubView reads the hub in the address.
func (s *Server) hubView(r *http.Request) (node.HubView, error) {
	id, err := hubID(r)
	if err != nil {
		return node.HubView{}, err
	}
	return s.node.Hub(r.Context(), id)
}

func (s *Server) expelForm(w http.ResponseWriter, r *http.Request, _ node.Actor) error {
	p, err := s.expelPage(r)
	if err != nil {
		return err
	}
	if p.Hub.Hub.State == territory.HubExpelled {
		return seeOther(w, r, "/departement/relais/"+p.Hub.Hub.ID.String())
	}
	return s.render(w, r, http.StatusOK, p)
}

func (s *Server) expelPage(r *http.Request) (*page.HubExpel, error) {
	view, err := s.hubView(r)
	if err != nil {
		return nil, err
	}
	return &page.HubExpel{Base: officeBase("Exclure ce relais", "glance"), Signed: s.signed(r), Hub: view}, nil
}

// expel puts a hub out of the territory once its name is typed. Sent twice, it is
// one expulsion.
func (s *Server) expel(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	p, err := s.expelPage(r)
	if err != nil {
		return err
	}
	if err := parse(r); err != nil {
		return err
	}
	hub := p.Hub.Hub
	if hub.State == territory.HubExpelled {
		s.say(r, locale.FlashExpelledOnce)
		return seeOther(w, r, "/departement/relais/"+hub.ID.String())
	}
	p.Typed = text(r, "name")
	checkName(p)
	code, seen, err := signature(r, p)
	if err != nil {
		return err
	}
	if p.Failed() {
		return s.render(w, r, http.StatusUnprocessableEntity, p)
	}
	if err := s.node.Expel(r.Context(), &by, code, hub.ID, seen); err != nil {
		return s.unexpelled(w, r, p, err)
	}
	s.say(r, locale.FlashExpelled)
	return seeOther(w, r, "/departement/relais/"+hub.ID.String())
}

// unexpelled shows the form again, unless the hub was put out meanwhile.
func (s *Server) unexpelled(w http.ResponseWriter, r *http.Request, p *page.HubExpel, refused error) error {
	now, err := s.hubView(r)
	if err != nil {
		return err
	}
	if now.Hub.State == territory.HubExpelled {
		s.say(r, locale.FlashExpelledOnce)
		return seeOther(w, r, "/departement/relais/"+now.Hub.ID.String())
	}
	p.Signed, p.Hub = s.signed(r), now
	return s.unsigned(w, r, p, refused)
}

func checkName(p *page.HubExpel) {
	switch {
	case p.Typed == "":
		p.Fail(missing("name", locale.HubNameMissing))
	case !strings.EqualFold(plainName(p.Typed), plainName(p.Hub.Hub.Name)):
		p.Fail(fault.Errorf(fault.Invalid, locale.HubNameDiffers, "another name was typed").On("name"))
	}
}

// plainName is a name as it is compared: one space between words, one apostrophe.
func plainName(name string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(name), " "), "’", "'")
}
