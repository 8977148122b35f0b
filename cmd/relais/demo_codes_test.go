package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

const testTOTP = "otpauth://totp/Relais:essai?secret=JBSWY3DPEHPK3PXP&issuer=Relais"

// Three codes may follow each other; the fourth waits for the next step.
func TestAuthenticatorCodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, err := newAuthenticator(testTOTP)
		if err != nil {
			t.Fatal(err)
		}
		start, seen := time.Now(), map[string]bool{}
		for i := range 4 {
			code, err := a.code(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(code) != 6 || seen[code] {
				t.Errorf("code %d is %q, among %v", i, code, seen)
			}
			seen[code] = true
			if waited := time.Since(start); (i < 3) != (waited == 0) || waited > totpStep {
				t.Errorf("code %d came after %v", i, waited)
			}
		}
	})
}

// A code of the step before is not given when it would be too old on arrival.
func TestAuthenticatorLateInStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, err := newAuthenticator(testTOTP)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(totpStep - time.Second) // synthetic time begins on a step
		code, err := a.code(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if current, left, used, err := a.current(time.Now()); err != nil || code != current || left != time.Second || !used {
			t.Errorf("code %s, and the application shows %s for %v, used %v (%v)", code, current, left, used, err)
		}
	})
}

func TestAuthenticatorErrCanceled(t *testing.T) {
	a, err := newAuthenticator(testTOTP)
	if err != nil {
		t.Fatal(err)
	}
	a.last = 1 << 40
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.code(ctx); err == nil {
		t.Error("a code from the far future")
	}
}
