package webui

import (
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/gorilla/mux"

	"relais/node"
	"relais/node/fault"
	"relais/webui/locale"
	"relais/webui/page"
)

func (s *Server) forgettings(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	list, err := s.node.Forgettings(r.Context(), by)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, &page.Forgettings{Base: deskBase("Effacements", "mandates"), List: list})
}

func (s *Server) forgetting(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	var id node.ForgettingID
	if err := known(id.UnmarshalText([]byte(mux.Vars(r)["forgetting"]))); err != nil {
		return err
	}
	f, err := s.node.Forgetting(r.Context(), by, id)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, &page.ForgettingShow{Base: deskBase("Effacement", "mandates"), Forgetting: f})
}

func (s *Server) forgetForm(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	p, err := s.forgetPage(r, by)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, p)
}

func (s *Server) forgetPage(r *http.Request, by node.Actor) (*page.ForgetNew, error) {
	id, err := mandateID(r)
	if err != nil {
		return nil, err
	}
	p := &page.ForgetNew{Base: deskBase("Effacer cette personne", "mandates"), Mandate: id}
	p.File, err = s.node.PersonFile(r.Context(), by, id)
	return p, err
}

// forget forgets a person once her name is typed. Sent twice, it is one forgetting.
func (s *Server) forget(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	p, err := s.forgetPage(r, by)
	if fault.Is(err, fault.NotFound) { // sent twice, perhaps
		return s.forgetNow(w, r, by, p, node.Forget{})
	}
	if err != nil {
		return err
	}
	if err := parse(r); err != nil {
		return err
	}
	var f node.Forget
	if n, err := hex.Decode(f.Seen[:], []byte(text(r, "seen"))); n != len(f.Seen) || err != nil {
		return fault.Errorf(fault.Invalid, locale.ProblemForm, "no hash of what was on the screen")
	}
	p.Typed = text(r, "name")
	checkPerson(p)
	if f.Code = digits(text(r, "code")); f.Code == "" {
		p.Fail(missing("code", locale.CodeMissing))
	}
	if p.Failed() {
		return s.render(w, r, http.StatusUnprocessableEntity, p)
	}
	return s.forgetNow(w, r, by, p, f)
}

// forgetNow ends with the page that says who confirmed, or shows the form again.
func (s *Server) forgetNow(w http.ResponseWriter, r *http.Request, by node.Actor, p *page.ForgetNew, f node.Forget) error {
	var err error
	if f.Mandate, err = mandateID(r); err != nil {
		return err
	}
	made, err := s.node.ForgetPerson(r.Context(), by, f)
	if err == nil {
		return seeOther(w, r, "/bureau/effacements/"+made.String())
	}
	if !reformed(err) && !fault.Is(err, fault.Unauthenticated) {
		return err
	}
	p.Fail(err)
	if fault.Is(err, fault.Unauthenticated) && p.Wait() == 0 { // else the fault says how long
		p.NextCode = s.node.NextCodeIn(s.now())
	}
	return s.render(w, r, statusOf(err), p)
}

func checkPerson(p *page.ForgetNew) {
	switch {
	case p.Typed == "":
		p.Fail(missing("name", locale.PersonNameMissing))
	case !strings.EqualFold(plainName(p.Typed), plainName(p.File.Person.Name.Full())):
		p.Fail(fault.Errorf(fault.Invalid, locale.PersonNameDiffers, "another name was typed").On("name"))
	}
}
