package webui

import (
	"crypto/rand"
	"net/http"
	"strconv"

	"relais/node"
	"relais/node/fault"
	"relais/node/mandate"
	"relais/webui/locale"
	"relais/webui/page"
)

func (s *Server) actForm(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	p, err := s.actPage(r, by)
	if err != nil {
		return err
	}
	rand.Read(p.ID[:]) // never fails since Go 1.24
	return s.render(w, r, http.StatusOK, p)
}

func (s *Server) actPage(r *http.Request, by node.Actor) (*page.ActNew, error) {
	id, err := mandateID(r)
	if err != nil {
		return nil, err
	}
	view, err := s.node.Mandate(r.Context(), by, id)
	if err != nil {
		return nil, err
	}
	p := &page.ActNew{Base: deskBase("Noter une démarche", "mandates"), Mandate: view}
	if len(view.Lines) == 1 {
		p.Line = view.Lines[0].Number
	}
	return p, nil
}

// recordAct notes a use of a line. The identifier in the form makes a double
// submit one act.
func (s *Server) recordAct(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	p, err := s.actPage(r, by)
	if err != nil {
		return err
	}
	if err := parse(r); err != nil {
		return err
	}
	if err := p.ID.UnmarshalText([]byte(text(r, "id"))); err != nil {
		return fault.New(fault.Invalid, locale.ProblemForm, err)
	}
	line, _ := strconv.ParseUint(text(r, "line"), 10, 8) // 0 names no line
	p.Line, p.Channel, p.Present = uint8(line), mandate.ActChannel(text(r, "channel")), yesNo(r, "present")
	p.SignsIn, p.Pays, p.Note = ticked(r, "signs_in"), ticked(r, "pays"), text(r, "note")
	if checkAct(p); p.Failed() {
		return s.render(w, r, http.StatusUnprocessableEntity, p)
	}
	_, err = s.node.RecordAct(r.Context(), by, node.NewAct{
		ID: p.ID, Mandate: p.Mandate.ID, Line: p.Line, Channel: p.Channel,
		Present: p.Present == "oui", SignsIn: p.SignsIn, Pays: p.Pays, Note: p.Note,
	})
	if reformed(err) {
		p.Fail(err)
		return s.render(w, r, statusOf(err), p)
	}
	if err != nil {
		return err
	}
	s.say(r, locale.FlashAct)
	return seeOther(w, r, "/bureau/mandats/"+p.Mandate.ID.String())
}

func checkAct(p *page.ActNew) {
	if p.Line == 0 {
		p.Fail(missing("line", locale.LineMissing))
	}
	if p.Channel == "" {
		p.Fail(missing("channel", locale.ChannelMissing))
	}
	if p.Present == "" {
		p.Fail(missing("present", locale.PresentMissing))
	}
}
