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
	ErrUnreachable = errors.New("no seal agent answers there: start it (systemctl start relais-seal.socket), or check [keys] agent")
	ErrRefused     = errors.New("the seal agent does not serve this user: run the hub as the user in [keys] agent_user")
	ErrFull        = errors.New("the seal agent has as many connections as it serves: stop what else uses it")
	ErrSilent      = errors.New("the TPM, or the seal agent before it, gave no answer in time")
	ErrPaused      = errors.New("the TPM is left alone for some seconds after a time-out")
	ErrMalformed   = errors.New("this is not a message of the seal agent's protocol")
	ErrClosed      = errors.New("the connection to the seal agent was closed")
)

// Reasons names the errors that keep their meaning between a server and its
// clients. Both ends are given the same; a name that one of them does not know
// is only text to it.
type Reasons map[string]error

// with adds the errors that every provider may return.
func (r Reasons) with() Reasons {
	all := Reasons{
		"agent-refused": ErrRefused, "agent-full": ErrFull, "agent-malformed": ErrMalformed, "agent-silent": ErrSilent,
		"keyring-locked": keyring.ErrLocked,
		"no-counter":     keyring.ErrNoCounter, "counter-missing": keyring.ErrCounterMissing, "counter-changed": keyring.ErrCounterChanged,
		"deadline": os.ErrDeadlineExceeded,
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
