package main

import (
	"context"
	"fmt"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
)

// totpStep is how long a code lasts (RFC 6238).
const totpStep = 30 * time.Second

// An authenticator is the helper's application. A hub takes each step once, and
// the step before and the one after too, so three codes may follow each other
// without waiting.
type authenticator struct {
	secret string
	last   int64 // the last step given out
}

// newAuthenticator reads the otpauth URI that enrolment shows.
func newAuthenticator(uri string) (*authenticator, error) {
	key, err := otp.NewKeyFromURL(uri)
	if err != nil {
		return nil, err
	}
	return &authenticator{secret: key.Secret()}, nil
}

// typingTime is how long a code may take from here to the hub.
const typingTime = 10 * time.Second

// code returns a code never given before, waiting for the next step if need be.
func (a *authenticator) code(ctx context.Context) (string, error) {
	for {
		now := time.Now()
		current := now.Unix() / int64(totpStep.Seconds())
		oldest := current - 1
		if now.Truncate(totpStep).Add(totpStep).Sub(now) < typingTime {
			oldest = current // the step before would be too old on arrival
		}
		if step := max(a.last+1, oldest); step <= current+1 {
			a.last = step
			return totp.GenerateCode(a.secret, time.Unix(step*int64(totpStep.Seconds()), 0))
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("wait for the next code: %w", ctx.Err())
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// current returns the code that the application shows at now, how long it lasts,
// and whether it was given out already: a hub takes no code twice, nor one of an
// earlier step.
func (a *authenticator) current(now time.Time) (code string, left time.Duration, used bool, err error) {
	code, err = totp.GenerateCode(a.secret, now)
	return code, now.Truncate(totpStep).Add(totpStep).Sub(now), now.Unix()/int64(totpStep.Seconds()) <= a.last, err
}
