package tpm_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"relais/hardware/tpm"
)

// sign makes sure that a signer signs.
func sign(t testing.TB, s crypto.Signer) {
	t.Helper()
	digest := sha256.Sum256([]byte(t.Name()))
	for name, opts := range map[string]crypto.SignerOpts{"nil options": nil, "SHA-256": crypto.SHA256} {
		signature, err := s.Sign(rand.Reader, digest[:], opts)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !ecdsa.VerifyASN1(s.Public().(*ecdsa.PublicKey), digest[:], signature) {
			t.Fatalf("%s: the signature does not verify", name)
		}
	}
}

func newIdentity(t testing.TB, p *tpm.Provider) ([]byte, crypto.Signer) {
	t.Helper()
	blob, err := p.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := p.LoadIdentity(blob)
	if err != nil {
		t.Fatal(err)
	}
	return blob, signer
}

func TestIdentitySigns(t *testing.T) {
	process, _ := start(t)
	p := open(t, process.Device())
	blob, signer := newIdentity(t, p)
	sign(t, signer)
	p.Close()
	again, err := open(t, process.Device()).LoadIdentity(blob)
	if err != nil {
		t.Fatal(err)
	}
	sign(t, again)
	if !again.Public().(*ecdsa.PublicKey).Equal(signer.Public()) {
		t.Error("the identity changed over a restart")
	}
}

func TestIdentitySignsConcurrently(t *testing.T) {
	process, _ := start(t)
	p := open(t, process.Device())
	blob := wrap(t, p)
	_, signer := newIdentity(t, p)
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			digest := sha256.Sum256(fmt.Append(nil, i))
			for range 8 {
				signature, err := signer.Sign(nil, digest[:], nil)
				if err != nil || !ecdsa.VerifyASN1(signer.Public().(*ecdsa.PublicKey), digest[:], signature) {
					t.Errorf("signer %d: %v", i, err)
				}
			}
			if got, err := p.Unwrap(blob); err != nil || !bytes.Equal(got, kek) {
				t.Errorf("unwrap %d: %v", i, err)
			}
		})
	}
	group.Wait()
}

// The identity certifies the software key that TLS uses.
func TestIdentityCertifiesALeaf(t *testing.T) {
	process, _ := start(t)
	_, signer := newIdentity(t, open(t, process.Device()))
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issuer := &x509.Certificate{Subject: pkix.Name{CommonName: "h_1"}}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "link"},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(7 * 24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, issuer, &leafKey.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	got, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(got.RawTBSCertificate)
	if !ecdsa.VerifyASN1(signer.Public().(*ecdsa.PublicKey), digest[:], got.Signature) {
		t.Error("the leaf is not signed by the identity")
	}
}

func TestSignRefuses(t *testing.T) {
	process, _ := start(t)
	p := open(t, process.Device())
	_, signer := newIdentity(t, p)
	for name, c := range map[string]struct {
		digest []byte
		opts   crypto.SignerOpts
	}{
		"ErrOtherHash": {make([]byte, 48), crypto.SHA384},
		"ErrShort":     {make([]byte, 31), nil},
		"ErrLong":      {make([]byte, 33), crypto.SHA256},
		"ErrNoDigest":  {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := signer.Sign(nil, c.digest, c.opts); err == nil {
				t.Error("it signed")
			}
		})
	}
	t.Run("ErrClosed", func(t *testing.T) {
		p.Close()
		if _, err := signer.Sign(nil, make([]byte, 32), nil); !errors.Is(err, tpm.ErrClosed) {
			t.Errorf("Sign = %v, want ErrClosed", err)
		}
	})
}

func TestLoadIdentityRefuses(t *testing.T) {
	process, _ := start(t)
	other, _ := start(t)
	p := open(t, process.Device())
	blob, _ := newIdentity(t, p)
	t.Run("ErrReplaced", func(t *testing.T) {
		if _, err := open(t, other.Device()).LoadIdentity(blob); !errors.Is(err, tpm.ErrReplaced) {
			t.Errorf("LoadIdentity = %v, want ErrReplaced", err)
		}
	})
	t.Run("ErrAltered", func(t *testing.T) {
		for _, bad := range []string{"", "{}", "[]", `{"public":"AAAA"}`, strings.Replace(string(blob), `"public":"A`, `"public":"B`, 1)} {
			if signer, err := p.LoadIdentity([]byte(bad)); !errors.Is(err, tpm.ErrAltered) || signer != nil {
				t.Errorf("LoadIdentity(%.30q) = %v, want ErrAltered", bad, err)
			}
		}
	})
	t.Run("a KEK is no identity", func(t *testing.T) {
		if _, err := p.LoadIdentity(wrap(t, p)); !errors.Is(err, tpm.ErrAltered) {
			t.Errorf("LoadIdentity = %v, want ErrAltered", err)
		}
	})
}

// FuzzBlob: a keyring holds our blobs as whoever has the disk left them. None
// makes us panic, and none that is not whole reaches the TPM.
func FuzzBlob(f *testing.F) {
	process, _ := start(f)
	blob, _ := newIdentity(f, open(f, process.Device()))
	f.Add(blob)
	f.Add(wrapOn(f, secondDevice(f)))
	f.Add([]byte(`{"root":"AAAA","public":"AAAA","private":"AAAA"}`))
	nowhere := open(f, "/dev/tpmrm99")
	f.Fuzz(func(t *testing.T, blob []byte) {
		_, err := nowhere.LoadIdentity(blob)
		if !errors.Is(err, tpm.ErrAltered) && !errors.Is(err, tpm.ErrNoDevice) {
			t.Errorf("LoadIdentity = %v, want ErrAltered or, for a whole one, ErrNoDevice", err)
		}
		if _, err := nowhere.Unwrap(blob); !errors.Is(err, tpm.ErrAltered) && !errors.Is(err, tpm.ErrNoDevice) {
			t.Errorf("Unwrap = %v, want ErrAltered or, for a whole one, ErrNoDevice", err)
		}
	})
}

func secondDevice(t testing.TB) string {
	process, _ := start(t)
	return process.Device()
}
