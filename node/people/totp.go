package people

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// The parameters every authenticator application knows (RFC 6238 with the
// defaults of RFC 4226).
const (
	totpPeriod    = 30 * time.Second
	totpDigits    = 6
	totpSeedBytes = 20
	totpWindow    = 1 // steps accepted on either side
)

// Seed is the secret shared with an authenticator application: 20 octets.
type Seed []byte

// NewSeed returns a fresh random seed.
func NewSeed() Seed {
	s := make(Seed, totpSeedBytes)
	rand.Read(s) // never fails since Go 1.24
	return s
}

// Step is the number of 30-second periods since the Unix epoch (RFC 6238 §4.2).
func Step(t time.Time) int64 { return t.Unix() / int64(totpPeriod/time.Second) }

// NextStepIn is how long after t the next step begins, between 1 ns and 30 s.
func NextStepIn(t time.Time) time.Duration {
	return time.Unix((Step(t)+1)*int64(totpPeriod/time.Second), 0).Sub(t)
}

// Code is the six digits of one step (RFC 4226 §5.3).
func (s Seed) Code(step int64) string {
	mac := hmac.New(sha1.New, s)
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step))
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 15
	value := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	return fmt.Sprintf("%0*d", totpDigits, value%1_000_000)
}

// CodeCheck is what came of a typed code.
type CodeCheck int

// The outcomes.
const (
	CodeWrong CodeCheck = iota
	CodeUsed            // right, but of a step that is not later than the last used
	CodeRight
)

// Check compares a typed code with those of the step of now and its two
// neighbours, and returns the step it belongs to. Spaces are skipped. Only steps
// after last are right: each code serves once, and t−1, t, t+1 may be used in a
// row.
func (s Seed) Check(typed string, now time.Time, last int64) (CodeCheck, int64) {
	code := strings.Map(func(r rune) rune {
		if r == ' ' || r == '\u00a0' || r == '\u202f' {
			return -1
		}
		return r
	}, typed)
	outcome, at := CodeWrong, int64(0)
	for step := Step(now) - totpWindow; step <= Step(now)+totpWindow; step++ {
		if subtle.ConstantTimeCompare([]byte(s.Code(step)), []byte(code)) == 0 {
			continue
		}
		if step > last && outcome != CodeRight {
			outcome, at = CodeRight, step
		} else if outcome == CodeWrong {
			outcome, at = CodeUsed, step
		}
	}
	return outcome, at
}

// URI is the otpauth:// address that an authenticator application reads from a
// QR code (Key Uri Format of Google Authenticator).
func (s Seed) URI(issuer, account string) string {
	q := url.Values{
		"secret":    {base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(s)},
		"issuer":    {issuer},
		"algorithm": {"SHA1"},
		"digits":    {fmt.Sprint(totpDigits)},
		"period":    {fmt.Sprint(int(totpPeriod / time.Second))},
	}
	// Applications read %20 and some not "+".
	query := strings.ReplaceAll(q.Encode(), "+", "%20")
	return "otpauth://totp/" + url.PathEscape(issuer) + ":" + url.PathEscape(account) + "?" + query
}

// ParseURI returns the seed of an otpauth:// address made by URI.
func ParseURI(uri string) (Seed, error) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "otpauth" || u.Host != "totp" {
		return nil, fmt.Errorf("not an otpauth://totp address")
	}
	secret := strings.ToUpper(u.Query().Get("secret"))
	seed, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil || len(seed) == 0 {
		return nil, fmt.Errorf("the otpauth address holds no base 32 secret")
	}
	return seed, nil
}
