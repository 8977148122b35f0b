package webui

import (
	"net/http"
	"strings"

	"relais/node"
	"relais/node/fault"
	"relais/node/mandate"
	"relais/node/record"
	"relais/webui/locale"
	"relais/webui/page"
)

// seekMandate takes what stands on a paper: a stop code leads to a page that
// asks to confirm, a number to the page of its mandate. It is sent in a body,
// because an address is written down.
func (s *Server) seekMandate(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	if err := parse(r); err != nil {
		return err
	}
	typed := stopCode(r, "sought")
	if typed == "" {
		return s.notFoundByPaper(w, r, by, missing("sought", locale.SoughtMissing))
	}
	if id, isNumber := mandateNumber(typed); isNumber {
		if _, err := s.node.Notice(r.Context(), id); err != nil {
			return s.notFoundByPaper(w, r, by, numberFault(err))
		}
		return seeOther(w, r, "/bureau/mandats/"+id.String())
	}
	found, err := s.node.NoticesByCode(r.Context(), by, typed, deskKey(by))
	if err != nil {
		return s.notFoundByPaper(w, r, by, codeFault(err))
	}
	p := &page.StopCode{Base: deskBase("Arrêter avec ce code", "mandates"), Code: typed}
	if code, err := record.ParseStopCode(typed); err == nil {
		p.Code = code.String() // as the paper shows it
	}
	for _, notice := range found {
		p.Notices = append(p.Notices, page.CodeNotice{NoticeView: notice, StructureName: s.structureName(notice.Structure)})
	}
	if !p.CanStop() { // its page says when and where it ended
		return seeOther(w, r, "/bureau/mandats/"+found[0].Mandate.String())
	}
	return s.render(w, r, http.StatusOK, p)
}

// stopByCode stops at the desk what a code stops, as a kiosk does: whoever holds
// the code may. Sent twice, it is one stop.
func (s *Server) stopByCode(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	if err := parse(r); err != nil {
		return err
	}
	receipt, err := s.node.StopByCode(r.Context(), stopCode(r, "code"), deskKey(by))
	if err != nil {
		return s.notFoundByPaper(w, r, by, codeFault(err))
	}
	s.keepReceipt(s.sessions, r, receipt, false)
	return seeOther(w, r, "/bureau/mandats/"+receipt.Mandates[0].String())
}

// deskKey is what growing delays count a helper's wrong codes by.
func deskKey(by node.Actor) string { return "bureau " + by.Helper.String() }

// mandateNumber reads the number of a paper; false for what is none, such as a
// stop code.
func mandateNumber(typed string) (id mandate.ID, isNumber bool) {
	if len(typed) < 2 {
		return id, false
	}
	typed = strings.ToLower(typed[:2]) + strings.Join(strings.Fields(typed[2:]), "")
	return id, id.UnmarshalText([]byte(typed)) == nil
}

// numberFault and codeFault put a refusal beside the field, in the helper's words:
// the node's speak to a person at a kiosk.
func numberFault(err error) error {
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	return fault.New(fault.NotFound, locale.NumberUnknown, err).On("sought")
}

func codeFault(err error) error {
	switch {
	case fault.Is(err, fault.NotFound):
		return fault.New(fault.NotFound, locale.CodeUnknown, err).On("sought")
	case fault.Is(err, fault.Invalid):
		return fault.New(fault.Invalid, locale.SoughtInvalid, err).On("sought")
	case fault.Is(err, fault.Limited):
		return fault.Of(err).On("sought")
	}
	return err
}

// notFoundByPaper shows the list again, with the field as it was filled.
func (s *Server) notFoundByPaper(w http.ResponseWriter, r *http.Request, by node.Actor, refused error) error {
	if !reformed(refused) && !fault.Is(refused, fault.NotFound) {
		return refused
	}
	p, err := s.mandatesPage(r, by, node.MandateFilter{Limit: mandatesShown})
	if err != nil {
		return err
	}
	p.Sought = stopCode(r, "sought")
	if p.Sought == "" {
		p.Sought = stopCode(r, "code")
	}
	p.Fail(refused)
	return s.render(w, r, statusOf(refused), p)
}
