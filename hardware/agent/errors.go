package agent

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"relais/hardware/keyring"
)

// What may stand between a hub and its agent, and what to do about it.
var (
	ErrUnreachable = &keyring.Reason{
		Key: "agent-unreachable", Text: "no seal agent answers there: start it (systemctl start relais-seal.socket), or check [keys] agent",
		Message: "Le gardien des clés (relais seal-agent) ne répond pas.",
		Remedy:  "Démarrez-le (systemctl start relais-seal.socket), ou corrigez « agent » dans [keys].",
	}
	ErrRefused = &keyring.Reason{
		Key: "agent-refused", Text: "the seal agent does not serve this user: run the hub as the user in [keys] agent_user",
		Message: "Le gardien des clés (relais seal-agent) ne sert pas l’utilisateur de ce relais.",
		Remedy:  "Lancez le relais sous l’utilisateur nommé par « agent_user » dans [keys], ou corrigez ce nom, puis redémarrez relais-seal.",
	}
	ErrFull = &keyring.Reason{
		Key: "agent-full", Text: "the seal agent has as many connections as it serves: stop what else uses it",
		Message: "Le gardien des clés (relais seal-agent) sert déjà autant de programmes qu’il le peut.",
		Remedy:  "Arrêtez les autres programmes qui l’utilisent, ou redémarrez relais-seal.",
	}
	ErrSilent = &keyring.Reason{
		Key: "agent-silent", Text: "the TPM, or the seal agent before it, gave no answer in time",
		Message: "La puce de sécurité, ou le gardien des clés devant elle, n’a pas répondu à temps.",
		Remedy:  "Redémarrez relais-seal\u00a0; si cela ne suffit pas, redémarrez la machine.",
	}
	ErrPaused = &keyring.Reason{
		Key: "agent-paused", Text: "the TPM is left alone for some seconds after a time-out",
		Message: "La puce de sécurité n’a pas répondu à temps, et le relais la laisse en paix quelques secondes.",
		Remedy:  "Attendez\u00a0; si cela dure, redémarrez relais-seal, puis la machine.",
	}
	ErrMalformed = &keyring.Reason{
		Key: "agent-malformed", Text: "this is not a message of the seal agent's protocol",
		Message: "Ce qui répond à la place du gardien des clés (relais seal-agent) n’en est pas un, ou est d’une autre version.",
		Remedy:  "Mettez relais et relais-seal à la même version, et corrigez « agent » dans [keys].",
	}
	ErrClosed = &keyring.Reason{
		Key: "agent-closed", Text: "the connection to the seal agent was closed",
		Message: "Le relais n’utilise plus le gardien des clés.",
		Remedy:  "Redémarrez le relais.",
	}
)

// Reasons names the errors that keep their meaning between a server and its
// clients. Both ends are given the same; a name that one of them does not know
// is only text to it.
type Reasons map[string]error

// with adds the errors that every provider may return.
func (r Reasons) with() Reasons {
	all := Reasons{
		"keyring-locked": keyring.ErrLocked, "deadline": os.ErrDeadlineExceeded,
		"no-counter": keyring.ErrNoCounter, "counter-missing": keyring.ErrCounterMissing, "counter-changed": keyring.ErrCounterChanged,
	}
	for _, said := range []*keyring.Reason{ErrRefused, ErrFull, ErrMalformed, ErrSilent} {
		all[said.Key] = said
	}
	maps.Copy(all, r)
	return all
}

// maxErrorText bounds the text of an error on the wire, in octets.
const maxErrorText = 2 << 10

// refuse turns an error into an answer.
func (r Reasons) refuse(err error) answer {
	text := err.Error()
	if len(text) > maxErrorText {
		text = text[:maxErrorText]
	}
	a := answer{Error: text}
	for _, name := range slices.Sorted(maps.Keys(r)) {
		if errors.Is(err, r[name]) {
			a.Reasons = append(a.Reasons, name)
		}
	}
	return a
}

// remoteError is an error that crossed the socket: its text as it was said
// there, and what it wraps.
type remoteError struct {
	text    string
	reasons []error
}

func (e *remoteError) Error() string   { return e.text }
func (e *remoteError) Unwrap() []error { return e.reasons }

// err returns the error in an answer, or nil.
func (r Reasons) err(a answer) error {
	if a.Error == "" && a.Reasons == nil {
		return nil
	}
	e := &remoteError{text: fmt.Sprintf("seal agent: %s", a.Error)}
	for _, name := range a.Reasons {
		if known, ok := r[name]; ok {
			e.reasons = append(e.reasons, known)
		}
	}
	return e
}
