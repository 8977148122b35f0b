// Package fault is how Relais says no: a code for machines, one sentence for
// the person, and the cause for the log.
//
// Message is French and ends on a screen; it says what happened and what to do.
// Error() is English and ends in a log or on a terminal. Neither ever carries
// personal data or a secret. An error that is not a fault is Internal on
// screen, whatever its text.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Code classes a fault. One place in webui turns it into an HTTP status and one
// in cmd/relais into an exit code.
type Code string

// The codes, with their HTTP status.
const (
	Invalid         Code = "invalid"         // 422: what was entered cannot be taken as it is
	Unauthenticated Code = "unauthenticated" // 401: nobody is signed in
	Forbidden       Code = "forbidden"       // 403: signed in, but may not
	NotFound        Code = "not_found"       // 404
	Conflict        Code = "conflict"        // 409: contradicts what stands
	Stale           Code = "stale"           // 409: somebody else changed it meanwhile
	Limited         Code = "limited"         // 429: too often; Wait says how long
	Locked          Code = "locked"          // 503: no key slot opens
	Unavailable     Code = "unavailable"     // 503: for now
	Internal        Code = "internal"        // 500: ours
)

// internalMessage is what the person reads when the fault is ours.
const internalMessage = "Le relais a rencontré un problème. Rien n’a été enregistré. Réessayez ; si cela continue, prévenez le service informatique."

// Error is a fault. Make it with New or Errorf.
type Error struct {
	Code    Code
	Message string        // French, for the person; never empty
	Field   string        // name of the form field at fault; "" when it is the whole
	Wait    time.Duration // with Limited: after how long to try again
	Cause   error         // English, for the log; may be nil
}

// Error implements error, in English, for logs and terminals.
func (e *Error) Error() string {
	if e.Cause == nil {
		return string(e.Code)
	}
	return e.Cause.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// New returns a fault with its French message and its cause, which may be nil.
func New(code Code, message string, cause error) *Error {
	return &Error{Code: code, Message: message, Cause: cause}
}

// Errorf returns a fault whose cause is made from an English format.
func Errorf(code Code, message, format string, args ...any) *Error {
	return New(code, message, fmt.Errorf(format, args...))
}

// On returns a copy of e that names the form field at fault.
func (e *Error) On(field string) *Error {
	named := *e
	named.Field = field
	return &named
}

// After returns a copy of e that says how long to wait.
func (e *Error) After(wait time.Duration) *Error {
	timed := *e
	timed.Wait = wait
	return &timed
}

// Of returns the fault inside err. An error without one is Internal; nil is nil.
func Of(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: Internal, Message: internalMessage, Cause: err}
}

// Is tells whether err holds a fault of the code.
func Is(err error, code Code) bool { return err != nil && Of(err).Code == code }
