package webui

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"relais/node"
	"relais/node/fault"
	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/territory"
	"relais/webui/locale"
)

// parse reads the body of a form. A GET has none, and nothing typed is ever read
// from an address.
func parse(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return fault.New(fault.Invalid, locale.ProblemForm, err)
	}
	return nil
}

// text returns what was typed, without the spaces around it.
func text(r *http.Request, name string) string { return strings.TrimSpace(r.PostFormValue(name)) }

// stopCode returns a code as it was typed or read by a scanner, whose text is the
// whole address of the QR: what counts follows the last #.
func stopCode(r *http.Request, name string) string {
	typed := text(r, name)
	return strings.TrimSpace(typed[strings.LastIndexByte(typed, '#')+1:])
}

// ticked tells whether a box was.
func ticked(r *http.Request, name string) bool {
	switch r.PostFormValue(name) {
	case "oui", "on", "1", "true":
		return true
	}
	return false
}

// yesNo returns "oui", "non" or "".
func yesNo(r *http.Request, name string) string {
	switch v := r.PostFormValue(name); v {
	case "oui", "non":
		return v
	}
	return ""
}

// digits keeps the digits of a code that people type as 123 456.
func digits(typed string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '\u00a0' || r == '-' {
			return -1
		}
		return r
	}, typed)
}

// version reads the row's version that a form was filled on.
func version(r *http.Request) (int64, error) {
	v, err := strconv.ParseInt(r.PostFormValue("version"), 10, 64)
	if err != nil || v < 0 {
		return 0, fault.New(fault.Invalid, locale.ProblemForm, err)
	}
	return v, nil
}

// missing is the fault of a control left empty.
func missing(field, message string) error {
	return fault.Errorf(fault.Invalid, message, "%s is missing", field).On(field)
}

// visitID and its like read the identifier in an address. Another kind, or what
// is none, is a page that does not exist.
func visitID(r *http.Request) (v mediation.AccompanimentID, err error) {
	err = known(v.UnmarshalText([]byte(mux.Vars(r)["visit"])))
	return v, err
}

func mandateID(r *http.Request) (m mandate.ID, err error) {
	err = known(m.UnmarshalText([]byte(mux.Vars(r)["mandate"])))
	return m, err
}

func hubID(r *http.Request) (h territory.HubID, err error) {
	err = known(h.UnmarshalText([]byte(mux.Vars(r)["hub"])))
	return h, err
}

func structureID(r *http.Request) (st territory.StructureID, err error) {
	err = known(st.UnmarshalText([]byte(mux.Vars(r)["structure"])))
	return st, err
}

func invitationID(r *http.Request) (i node.InvitationID, err error) {
	err = known(i.UnmarshalText([]byte(mux.Vars(r)["invitation"])))
	return i, err
}

func known(err error) error {
	if err == nil {
		return nil
	}
	return fault.New(fault.NotFound, locale.ProblemNotFound, err)
}
