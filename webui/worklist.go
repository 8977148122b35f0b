package webui

import (
	"net/http"

	"github.com/gorilla/mux"

	"relais/node"
	"relais/node/fault"
	"relais/webui/locale"
	"relais/webui/page"
)

const worklistPath = "/bureau/a-faire"

func (s *Server) worklist(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	p, err := s.worklistPage(r, by)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, p)
}

func (s *Server) worklistPage(r *http.Request, by node.Actor) (*page.Worklist, error) {
	p := &page.Worklist{Base: deskBase("À faire dans Aidants Connect", "today")}
	p.Day = locale.CivilForm(s.now().In(zoneOf(s.node.Roster())).Format("2006-01-02"))
	var err error
	p.List, err = s.node.Worklist(r.Context(), by)
	return p, err
}

// noteWork notes what a helper did there, on her word. Sent twice, it is one note.
func (s *Server) noteWork(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	if err := parse(r); err != nil {
		return err
	}
	var items []node.WorkID
	for _, v := range r.PostForm["items"] {
		var item node.WorkID
		if err := item.UnmarshalText([]byte(v)); err != nil {
			return fault.New(fault.Invalid, locale.ProblemForm, err)
		}
		items = append(items, item)
	}
	return s.workNoted(w, r, by, locale.FlashWorkDone, s.node.NoteWorkDone(r.Context(), by, items, text(r, "done")))
}

// reopenWork takes a note back.
func (s *Server) reopenWork(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	var item node.WorkID
	if err := known(item.UnmarshalText([]byte(mux.Vars(r)["work"]))); err != nil {
		return err
	}
	return s.workNoted(w, r, by, locale.FlashWorkReopen, s.node.ReopenWork(r.Context(), by, item))
}

// workNoted leads back to the list, or shows it again with what is wrong.
func (s *Server) workNoted(w http.ResponseWriter, r *http.Request, by node.Actor, flash string, refused error) error {
	if refused == nil {
		s.say(r, flash)
		return seeOther(w, r, worklistPath)
	}
	if !reformed(refused) {
		return refused
	}
	p, err := s.worklistPage(r, by)
	if err != nil {
		return err
	}
	if day := text(r, "done"); day != "" {
		p.Day = day
	}
	p.Fail(refused)
	return s.render(w, r, statusOf(refused), p)
}
