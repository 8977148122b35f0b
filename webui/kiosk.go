package webui

import (
	"net/http"

	"relais/node/fault"
	"relais/webui/locale"
	"relais/webui/page"
)

func (s *Server) kioskHome(w http.ResponseWriter, r *http.Request) error {
	return s.render(w, r, http.StatusOK, &page.KioskHome{Base: kioskBase("Bonjour")})
}

func (s *Server) kioskRights(w http.ResponseWriter, r *http.Request) error {
	return s.render(w, r, http.StatusOK, &page.KioskRights{Base: kioskBase("Mes droits")})
}

func (s *Server) kioskCall(w http.ResponseWriter, r *http.Request) error {
	return s.render(w, r, http.StatusOK, &page.KioskCall{Base: kioskBase("J’ai besoin d’aide")})
}

// kioskStopForm asks for the code, except where no code would stop anything.
func (s *Server) kioskStopForm(w http.ResponseWriter, r *http.Request) error {
	if s.node.Outside() {
		return s.kioskUnable(w, r)
	}
	return s.render(w, r, http.StatusOK, &page.KioskStop{Base: kioskBase("Arrêter mon mandat")})
}

// kioskUnable says that this hub stops nothing, and what does: 403, never a receipt.
func (s *Server) kioskUnable(w http.ResponseWriter, r *http.Request) error {
	return s.render(w, r, http.StatusForbidden, &page.KioskUnable{Base: kioskBase("Rien n’a été arrêté ici")})
}

// kioskStop stops every mandate of the code. A wrong code is said, and after
// some the wait grows; nobody is locked out.
func (s *Server) kioskStop(w http.ResponseWriter, r *http.Request) error {
	if err := parse(r); err != nil {
		return err
	}
	p := &page.KioskStop{Base: kioskBase("Arrêter mon mandat"), Code: stopCode(r, "code")}
	if p.Code == "" {
		p.Fail(missing("code", locale.StopCodeMissing))
		return s.render(w, r, http.StatusUnprocessableEntity, p)
	}
	receipt, err := s.node.StopByCode(r.Context(), p.Code, address(r))
	if err != nil && s.node.Outside() {
		return s.kioskUnable(w, r)
	}
	if reformed(err) || fault.Is(err, fault.NotFound) {
		p.Fail(fault.Of(err).On("code"))
		return s.render(w, r, statusOf(err), p)
	}
	if err != nil {
		return err
	}
	if err := s.visits.RenewToken(r.Context()); err != nil {
		return err
	}
	s.keepReceipt(s.visits, r, receipt, false)
	return seeOther(w, r, "/kiosque/recu")
}

// kioskReceipt shows the receipt of the stop just made, again when reloaded,
// until the visit is erased or five minutes have passed.
func (s *Server) kioskReceipt(w http.ResponseWriter, r *http.Request) error {
	receipt := readReceipt(s.visits.GetString(r.Context(), keyReceipt))
	if receipt == nil {
		return seeOther(w, r, "/kiosque")
	}
	if !receipt.Published {
		view, err := s.node.Territory(r.Context())
		if err != nil {
			return err
		}
		receipt.Published = view.Waiting == 0
	}
	if !receipt.Published {
		w.Header().Set("Refresh", "2") // the same page, once it is sent; also without JavaScript
	}
	p := &page.KioskReceipt{Base: kioskBase("C’est arrêté"), Receipt: *receipt}
	if receipt.Already {
		p.Title = "C’était déjà arrêté"
	}
	return s.render(w, r, http.StatusOK, p)
}

// kioskErase ends a visit: the session here, and everything the browser kept.
func (s *Server) kioskErase(w http.ResponseWriter, r *http.Request) error {
	if err := s.visits.Destroy(r.Context()); err != nil {
		return err
	}
	w.Header().Set("Clear-Site-Data", `"cache", "cookies", "storage"`)
	return seeOther(w, r, "/kiosque")
}
