package webui

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"relais/node"
	"relais/node/fault"
	"relais/node/id"
	"relais/webui/locale"
	"relais/webui/page"
)

// keyInvited holds the last invitation made in the session: its code, from the
// form that made it to the one page that shows it, and which form that was.
const keyInvited = "invited"

// usualLife is what the form proposes, in days.
const usualLife = 7

// invited is what the session keeps.
type invited struct {
	ID   node.InvitationID
	Once string // of the form
	Code string // "" once it was shown
}

func (s *Server) inviteForm(w http.ResponseWriter, r *http.Request, _ node.Actor) error {
	return s.showInvite(w, r, http.StatusOK, &page.InvitationNew{Once: id.Random[node.InvitationID]().String(), Days: usualLife})
}

func (s *Server) showInvite(w http.ResponseWriter, r *http.Request, status int, p *page.InvitationNew) (err error) {
	faults := p.Faults
	p.Base = officeBase("Inviter un relais", "invite")
	p.Faults, p.HoldsRoot = faults, s.node.HoldsRoot(r.Context())
	if p.Open, err = s.node.Invitations(r.Context()); err != nil {
		return err
	}
	return s.render(w, r, status, p)
}

// invite makes an invitation. Its code waits in the session for the page that
// shows it: a page reloaded, or a form sent twice, makes no other.
func (s *Server) invite(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	if err := parse(r); err != nil {
		return err
	}
	p := &page.InvitationNew{Once: text(r, "once"), For: text(r, "site"), Days: lifeOf(text(r, "life"))}
	if last := s.lastInvited(r); p.Once != "" && last.Once == p.Once {
		return seeOther(w, r, "/departement/invitations/"+last.ID.String())
	}
	if checkInvite(p); p.Failed() {
		return s.showInvite(w, r, http.StatusUnprocessableEntity, p)
	}
	made, code, err := s.node.Invite(r.Context(), &by, p.For, time.Duration(p.Days)*24*time.Hour)
	if reformed(err) {
		p.Fail(err)
		return s.showInvite(w, r, statusOf(err), p)
	}
	if err != nil {
		return err
	}
	s.keepInvited(r, invited{made.ID, p.Once, code})
	return seeOther(w, r, "/departement/invitations/"+made.ID.String())
}

func checkInvite(p *page.InvitationNew) {
	if p.For == "" {
		p.Fail(missing("site", locale.SiteMissing))
	}
	if p.Days == 0 {
		p.Fail(missing("life", locale.LifeMissing))
	}
}

// lifeOf reads one of the lives offered; 0 is none.
func lifeOf(value string) int {
	for _, l := range locale.Lives {
		if value == strconv.Itoa(l.Days) {
			return l.Days
		}
	}
	return 0
}

// invitation shows the code, once; later, that it was shown.
func (s *Server) invitation(w http.ResponseWriter, r *http.Request, _ node.Actor) error {
	id, err := invitationID(r)
	if err != nil {
		return err
	}
	open, err := s.node.Invitations(r.Context())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(open, func(i node.Invited) bool { return i.ID == id })
	if i < 0 {
		return fault.Errorf(fault.NotFound, locale.InvitationGone, "no open invitation %s", id)
	}
	p := &page.InvitationShow{Base: officeBase("L’invitation est prête", "invite"), Invited: open[i], HoldsRoot: s.node.HoldsRoot(r.Context())}
	if r.Method == get { // a HEAD shows nothing
		p.Code = s.takeInvited(r, id)
	}
	if p.Code == "" {
		p.Title = "Une invitation qui attend"
	}
	return s.render(w, r, http.StatusOK, p)
}

// takeInvited returns the code kept for an invitation, once; "" for none.
func (s *Server) takeInvited(r *http.Request, shown node.InvitationID) string {
	last := s.lastInvited(r)
	if last.ID != shown || last.Code == "" {
		return ""
	}
	s.keepInvited(r, invited{last.ID, last.Once, ""})
	return last.Code
}

func (s *Server) keepInvited(r *http.Request, i invited) {
	kept, _ := json.Marshal(i) // plain fields always marshal
	s.sessions.Put(r.Context(), keyInvited, string(kept))
}

// lastInvited is the last invitation of the session; zero for none.
func (s *Server) lastInvited(r *http.Request) (last invited) {
	_ = json.Unmarshal([]byte(s.sessions.GetString(r.Context(), keyInvited)), &last) // none: zero
	return last
}

func (s *Server) uninvite(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	id, err := invitationID(r)
	if err != nil {
		return err
	}
	switch err := s.node.Uninvite(r.Context(), &by, id); {
	case fault.Is(err, fault.NotFound): // sent twice, or used meanwhile
		s.say(r, locale.InvitationGone)
	case err != nil:
		return err
	default:
		s.say(r, locale.FlashUninvited)
	}
	return seeOther(w, r, "/departement/inviter")
}
