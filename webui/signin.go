package webui

import (
	"net"
	"net/http"

	"relais/node/fault"
	"relais/webui/locale"
	"relais/webui/page"
)

func (s *Server) signInForm(w http.ResponseWriter, r *http.Request) error {
	by, signedIn, err := s.actor(r)
	if err != nil {
		return err
	}
	if signedIn {
		return seeOther(w, r, home(by))
	}
	has, err := s.node.HasHelpers(r.Context())
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, &page.SignIn{Base: doorBase("Connexion"), FirstSteps: !has})
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request) error {
	if err := parse(r); err != nil {
		return err
	}
	p := &page.SignIn{Base: doorBase("Connexion"), Login: text(r, "login")}
	if checkSignIn(r, p); p.Failed() {
		return s.render(w, r, http.StatusUnprocessableEntity, p)
	}
	by, err := s.node.SignIn(r.Context(), p.Login, r.PostFormValue("passphrase"), digits(text(r, "code")), address(r))
	if err != nil {
		return s.refuseSignIn(w, r, p, err)
	}
	if err := s.begin(r, by); err != nil {
		return err
	}
	return seeOther(w, r, home(by))
}

// checkSignIn notes what is empty: an attempt is not counted for it.
func checkSignIn(r *http.Request, p *page.SignIn) {
	for _, name := range []string{"login", "passphrase", "code"} {
		if text(r, name) == "" {
			p.Fail(missing(name, locale.SignInMissing))
		}
	}
}

// refuseSignIn shows the form again and says when the next code begins: a code
// serves once.
func (s *Server) refuseSignIn(w http.ResponseWriter, r *http.Request, p *page.SignIn, err error) error {
	status := statusOf(err)
	if status >= http.StatusInternalServerError {
		return err
	}
	p.Fail(err)
	if p.Wait() == 0 { // else the fault says how long
		p.NextCode = s.node.NextCodeIn(s.now())
	}
	return s.render(w, r, status, p)
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := s.sessions.Destroy(r.Context()); err != nil {
		return err
	}
	s.say(r, locale.FlashOut)
	return seeOther(w, r, "/connexion")
}

// address is the network address of who asks: growing delays count by it. It is
// never written anywhere by this package.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// reformed tells whether a form should be shown again with its fault: what the
// visitor can mend. The rest has its own page.
func reformed(err error) bool {
	if err == nil {
		return false
	}
	switch fault.Of(err).Code {
	case fault.Invalid, fault.Conflict, fault.Stale, fault.Limited, fault.Forbidden:
		return statusOf(err) != http.StatusRequestEntityTooLarge
	}
	return false
}
