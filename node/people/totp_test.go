package people_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
	"pgregory.net/rapid"

	"relais/node/people"
)

// The SHA-1 vectors of RFC 6238, appendix B, cut to six digits.
func TestRFC6238(t *testing.T) {
	seed := people.Seed("12345678901234567890")
	for at, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got := seed.Code(people.Step(time.Unix(at, 0))); got != want {
			t.Errorf("code at %d is %s, want %s", at, got, want)
		}
	}
}

// An authenticator application reads the address and shows the same code.
func TestURIOracle(t *testing.T) {
	now := time.Unix(1795299480, 0)
	seed := people.NewSeed()
	uri := seed.URI("Relais Valbrume", "camille.exemple")
	key, err := otp.NewKeyFromURL(uri)
	if err != nil {
		t.Fatal(err)
	}
	if key.Issuer() != "Relais Valbrume" || key.AccountName() != "camille.exemple" || key.Period() != 30 || key.Digits() != otp.DigitsSix {
		t.Errorf("read as issuer %q, account %q, period %d", key.Issuer(), key.AccountName(), key.Period())
	}
	if strings.Contains(uri, "+") {
		t.Error("the address holds a + for a space")
	}
	code, err := totp.GenerateCode(key.Secret(), now)
	if err != nil || code != seed.Code(people.Step(now)) {
		t.Errorf("another implementation shows another code: %v", err)
	}
	back, err := people.ParseURI(uri)
	if err != nil || string(back) != string(seed) {
		t.Errorf("ParseURI: %v", err)
	}
	for _, bad := range []string{"", "https://totp/x?secret=AAAA", "otpauth://hotp/x?secret=AAAA", "otpauth://totp/x", "otpauth://totp/x?secret=1"} {
		if _, err := people.ParseURI(bad); err == nil {
			t.Errorf("ParseURI(%q) was taken", bad)
		}
	}
}

func TestCheck(t *testing.T) {
	seed := people.Seed("12345678901234567890")
	now := time.Unix(1795299480, 0)
	step := people.Step(now)
	t.Run("ThreeInARow", func(t *testing.T) {
		last := int64(0)
		for _, s := range []int64{step - 1, step, step + 1} {
			check, at := seed.Check(seed.Code(s), now, last)
			if check != people.CodeRight || at != s {
				t.Fatalf("step %+d: %v at %+d", s-step, check, at-step)
			}
			last = at
		}
	})
	t.Run("Replayed", func(t *testing.T) {
		if check, _ := seed.Check(seed.Code(step), now, step); check != people.CodeUsed {
			t.Errorf("a used code: %v", check)
		}
		if check, _ := seed.Check(seed.Code(step-1), now, step); check != people.CodeUsed {
			t.Errorf("a code before the last used: %v", check)
		}
	})
	t.Run("OutOfWindow", func(t *testing.T) {
		for _, s := range []int64{step - 2, step + 2} {
			if check, _ := seed.Check(seed.Code(s), now, 0); check != people.CodeWrong {
				t.Errorf("step %+d: %v", s-step, check)
			}
		}
	})
	t.Run("Spaces", func(t *testing.T) {
		code := seed.Code(step)
		if check, _ := seed.Check(code[:3]+" "+code[3:]+"\u00a0", now, 0); check != people.CodeRight {
			t.Errorf("a code with spaces: %v", check)
		}
	})
	t.Run("Malformed", func(t *testing.T) {
		for _, typed := range []string{"", "12345", "1234567", "abcdef", "٠٠٠٠٠٠"} {
			if check, _ := seed.Check(typed, now, 0); check != people.CodeWrong {
				t.Errorf("%q: %v", typed, check)
			}
		}
	})
	if wait := people.NextStepIn(time.Unix(59, 0)); wait != time.Second {
		t.Errorf("one second before the next code, wait %s", wait)
	}
	if wait := people.NextStepIn(time.Unix(60, 0)); wait != 30*time.Second {
		t.Errorf("at the beginning of a code, wait %s", wait)
	}
}

// Whatever the order in which codes are typed, no step is accepted twice nor
// after a later one.
func TestEachStepOnce(t *testing.T) {
	seed := people.NewSeed()
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(rapid.Int64Range(1_700_000_000, 2_000_000_000).Draw(t, "now"), 0)
		last := int64(0)
		for range rapid.IntRange(1, 20).Draw(t, "attempts") {
			now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "seconds")) * time.Second)
			typed := people.Step(now) + int64(rapid.IntRange(-3, 3).Draw(t, "step"))
			check, step := seed.Check(seed.Code(typed), now, last)
			if check != people.CodeRight {
				continue
			}
			if step <= last {
				t.Fatalf("step %d was accepted after %d", step, last)
			}
			last = step
		}
	})
}
