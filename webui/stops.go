package webui

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/alexedwards/scs/v2"

	"relais/node"
	"relais/node/mandate"
	"relais/node/record"
	"relais/webui/locale"
	"relais/webui/page"
)

func (s *Server) stopForm(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	p, err := s.stopPage(r, by)
	if err != nil {
		return err
	}
	for _, l := range p.Lines {
		p.Chosen = append(p.Chosen, l.Number)
	}
	return s.render(w, r, http.StatusOK, p)
}

// stopPage says what may be stopped: lines where the dossier is here, else the
// whole mandate.
func (s *Server) stopPage(r *http.Request, by node.Actor) (*page.StopNew, error) {
	id, err := mandateID(r)
	if err != nil {
		return nil, err
	}
	p := &page.StopNew{Base: deskBase("Arrêter ce mandat", "mandates"), Mandate: id}
	view, err := s.node.Mandate(r.Context(), by, id)
	if err == nil {
		p.State, p.Stops, p.Lines = view.State, view.Stops, standing(view)
		return p, nil
	}
	if !elsewhere(err) {
		return nil, err
	}
	notice, err := s.node.Notice(r.Context(), id)
	if err != nil {
		return nil, err
	}
	p.State, p.Stops, p.Foreign, p.StructureName = notice.State, notice.Stops, true, s.structureName(notice.Structure)
	return p, nil
}

// standing are the lines that are not stopped yet.
func standing(view node.MandateView) []mandate.Line {
	var lines []mandate.Line
	for i, l := range view.Lines {
		if i >= len(view.LineVerdicts) || view.LineVerdicts[i].Why != mandate.WhyStopped {
			lines = append(lines, l)
		}
	}
	return lines
}

// stopAtDesk stops a mandate, or lines of it. Sent twice, it is one stop.
func (s *Server) stopAtDesk(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	p, err := s.stopPage(r, by)
	if err != nil {
		return err
	}
	if err := parse(r); err != nil {
		return err
	}
	p.Chosen, p.Reason = chosenLines(r), reasonOf(text(r, "reason"))
	if checkStop(r, p); p.Failed() {
		return s.render(w, r, http.StatusUnprocessableEntity, p)
	}
	stop := node.DeskStop{Mandate: p.Mandate, Lines: p.Chosen, Reason: p.Reason}
	if p.Foreign || len(p.Chosen) >= len(p.Lines) {
		stop.Lines = nil
	}
	receipt, err := s.node.StopAtDesk(r.Context(), by, stop)
	if reformed(err) {
		p.Fail(err)
		return s.render(w, r, statusOf(err), p)
	}
	if err != nil {
		return err
	}
	s.keepReceipt(s.sessions, r, receipt, len(stop.Lines) > 0)
	return seeOther(w, r, "/bureau/mandats/"+p.Mandate.String())
}

func checkStop(r *http.Request, p *page.StopNew) {
	// Our form sends "choice": without a line it asks for nothing. A client that
	// names no line at all asks for the whole mandate.
	if r.PostForm.Has("choice") && !p.Foreign && len(p.Chosen) == 0 && len(p.Lines) > 0 {
		p.Fail(missing("lines", locale.StopLinesMissing))
	}
	if p.Reason == 0 {
		p.Fail(missing("reason", locale.ReasonMissing))
	}
}

// chosenLines reads the boxes ticked; what is no line is left out.
func chosenLines(r *http.Request) []uint8 {
	var lines []uint8
	for _, v := range r.PostForm["lines"] {
		if n, err := strconv.ParseUint(v, 10, 8); err == nil && n >= 1 && n <= mandate.MaxLines {
			lines = append(lines, uint8(n))
		}
	}
	return lines
}

// reasonOf reads a reason by its word or by its number; 0 is none.
func reasonOf(value string) record.Reason {
	for _, w := range locale.Reasons {
		if value == w.Value || value == strconv.Itoa(int(w.Key)) {
			return w.Key
		}
	}
	return 0
}

// keepReceipt holds a receipt in the session until the page that shows it: it
// is in no address.
func (s *Server) keepReceipt(m *scs.SessionManager, r *http.Request, from node.Receipt, partly bool) {
	kept := page.Receipt{
		Number: from.Number, Place: from.Place, At: from.At, Count: len(from.Mandates),
		Partly: partly, Already: from.Already, Published: from.Published,
	}
	for i := range from.StillActive {
		kept.StillActive = append(kept.StillActive, &from.StillActive[i])
	}
	b, _ := json.Marshal(kept) // plain fields always marshal
	m.Put(r.Context(), keyReceipt, string(b))
}

// takeReceipt returns the receipt kept for this page, once; nil for none.
func (s *Server) takeReceipt(m *scs.SessionManager, r *http.Request) *page.Receipt {
	return readReceipt(m.PopString(r.Context(), keyReceipt))
}

func readReceipt(text string) *page.Receipt {
	var receipt page.Receipt
	if text == "" || json.Unmarshal([]byte(text), &receipt) != nil {
		return nil
	}
	return &receipt
}
