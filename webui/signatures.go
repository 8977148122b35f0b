package webui

import (
	"net/http"
	"strconv"

	"relais/node"
	"relais/node/fault"
	"relais/webui/locale"
	"relais/webui/page"
)

// signing is a page with a form by which the territory's root signs.
type signing interface {
	page.Page
	Signing() *page.Signed
}

// signed begins what such a page says of the roster and of who signs it.
func (s *Server) signed(r *http.Request) page.Signed {
	p := page.Signed{HoldsRoot: s.node.HoldsRoot(r.Context())}
	if roster := s.node.Roster(); roster != nil {
		p.Version = roster.Version
	}
	return p
}

// signature reads what every such form sends: the fresh code, and the version of
// the roster that was on the screen. An empty code is noted on the page and not
// counted as an attempt.
func signature(r *http.Request, p signing) (code string, seen node.Condition, err error) {
	version, err := strconv.ParseUint(r.PostFormValue("version"), 10, 32)
	if err != nil {
		return "", nil, fault.New(fault.Invalid, locale.ProblemForm, err)
	}
	if code = digits(text(r, "code")); code == "" {
		p.Common().Fail(missing("code", locale.CodeMissing))
	}
	return code, node.IfVersion(uint32(version)), nil
}

// unsigned shows the form again with what refused it, as the roster stands now:
// sending it once more is then a choice.
func (s *Server) unsigned(w http.ResponseWriter, r *http.Request, p signing, refused error) error {
	if !reformed(refused) && !fault.Is(refused, fault.Unauthenticated) {
		return refused
	}
	p.Common().Fail(refused)
	if fault.Is(refused, fault.Unauthenticated) && p.Common().Wait() == 0 { // else the fault says how long
		p.Signing().NextCode = s.node.NextCodeIn(s.now())
	}
	return s.render(w, r, statusOf(refused), p)
}
