package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"relais/hardware/keyring"
	"relais/node"
)

// withKeys opens the hub as a start does.
func (h *sealedHub) withKeys(t *testing.T, do func(keys *keyring.Keyring, n *node.Node)) {
	t.Helper()
	keys, n, err := openFolder(t.Context(), h.config, nil)
	if err != nil {
		t.Fatal(err)
	}
	do(keys, n)
	if err := errors.Join(keys.Close(), n.Close()); err != nil {
		t.Error(err)
	}
}

// rekey replaces its key, and returns the new code.
func (h *sealedHub) rekey(t *testing.T) (code keyring.RecoveryCode) {
	t.Helper()
	code = keyring.NewRecoveryCode()
	h.withKeys(t, func(keys *keyring.Keyring, n *node.Node) {
		if _, err := rekey(t.Context(), h.config, keys, n, rekeyRequest{Code: code.Reveal()}); err != nil {
			t.Fatal(err)
		}
	})
	return code
}

// finish seals all again, and sees that the former key is gone.
func (h *sealedHub) finish(t *testing.T) {
	t.Helper()
	h.withKeys(t, func(keys *keyring.Keyring, n *node.Node) {
		for done := false; !done; {
			var err error
			if done, err = n.Reseal(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if epochs := keys.Epochs(); len(epochs) != 1 {
			t.Errorf("keys %v are held", epochs)
		}
	})
	for _, name := range []string{"keyring.json", "keyring.previous.json"} {
		text, err := os.ReadFile(filepath.Join(h.config.Hub.DataDir, name))
		if err != nil || bytes.Contains(text, []byte("retired")) {
			t.Errorf("%s keeps the former key, %v", name, err)
		}
	}
}

// copied is the hub in a copy of its folder, on the same machine.
func (h *sealedHub) copied(t *testing.T) *sealedHub {
	t.Helper()
	c := *h
	c.config.Hub.DataDir = filepath.Join(t.TempDir(), "copie")
	if err := os.CopyFS(c.config.Hub.DataDir, os.DirFS(h.config.Hub.DataDir)); err != nil {
		t.Fatal(err)
	}
	return &c
}

// TestRekeyTPM replaces the key of a hub on a TPM. The identity is the same; in the
// middle of it, a copy of the folder goes on by itself, and so does a hub whose TPM
// was cleared, once it is recovered, by the new code or the département's key.
func TestRekeyTPM(t *testing.T) {
	process := startTPM(t)
	h := newSealedHub(t, process.Device())
	var before []byte
	h.withKeys(t, func(_ *keyring.Keyring, n *node.Node) { before = n.Keys().Identity })
	code := h.rekey(t)
	h.mustRead(t)
	h.mustSlots(t, keyring.KindTPM, keyring.KindRecovery, keyring.KindDepartement)
	h.withKeys(t, func(keys *keyring.Keyring, n *node.Node) {
		if !bytes.Equal(n.Keys().Identity, before) {
			t.Error("a rekey changed the identity")
		}
		if _, err := rekey(t.Context(), h.config, keys, n, rekeyRequest{}); !errors.Is(err, keyring.ErrUnfinished) {
			t.Errorf("a second one: %v, want ErrUnfinished", err)
		}
	})
	middle, other := h.copied(t), h.copied(t)
	h.finish(t)
	h.mustRead(t)
	other.finish(t)
	other.mustRead(t)

	clearTPM(t, process)
	if _, err := recoverHub(t.Context(), middle.config, with(h.code)); statusOf(err) != exitLocked {
		t.Errorf("the former code: %v", err)
	}
	if _, err := recoverHub(t.Context(), middle.config, with(code)); err != nil {
		t.Fatal(err)
	}
	middle.mustRead(t)
	middle.finish(t)
	middle.mustRead(t)
	if _, err := recoverHub(t.Context(), h.config, with(h.code)); statusOf(err) != exitLocked {
		t.Errorf("the former code, once it is over: %v", err)
	}
	if _, err := recoverHub(t.Context(), h.config, with(h.departement)); err != nil {
		t.Fatal(err)
	}
	h.mustRead(t)
}

// TestRekeyWithoutTPM: a TPM that dies in the middle changes nothing. The hub that
// runs goes on, and the code that was shown is said to be worth keeping.
func TestRekeyWithoutTPM(t *testing.T) {
	process := startTPM(t)
	h := newSealedHub(t, process.Device())
	path := filepath.Join(h.config.Hub.DataDir, "keyring.json")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	h.withKeys(t, func(keys *keyring.Keyring, n *node.Node) {
		process.Kill()
		var out bytes.Buffer
		err := replaceKey(stdio{out: &out}, rekeyRequest{}, func(r rekeyRequest) (rekeyed, error) {
			return rekey(t.Context(), h.config, keys, n, r)
		})
		if err == nil || !strings.Contains(err.Error(), "Keep both recovery codes") || !strings.Contains(out.String(), "recovery code  ") {
			t.Errorf("%v, having said %q", err, out.String())
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, before) {
			t.Errorf("the keyring changed, %v", err)
		}
		if got, err := n.Secrets().Load(t.Context(), "essai"); err != nil || string(got) != plantedSecret {
			t.Errorf("it reads %q, %v", got, err)
		}
	})
}

// TestRekeyAsksFirst: no code is shown for what will be refused, and one is before
// anything is done.
func TestRekeyAsksFirst(t *testing.T) {
	var out bytes.Buffer
	refusal := errors.New("refused")
	ask := func(rekeyRequest) (rekeyed, error) { return rekeyed{}, refusal }
	if err := replaceKey(stdio{out: &out}, rekeyRequest{}, ask); !errors.Is(err, refusal) || out.Len() > 0 {
		t.Errorf("%v, having said %q", err, out.String())
	}
	for name, c := range map[string]struct {
		fails  error
		status int
	}{
		"fails":       {refusal, exitFailed},
		"locked":      {failWith(exitLocked, "locked"), exitLocked},
		"goes silent": {failWith(exitUnreachable, "no hub runs"), exitUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			out.Reset()
			err := replaceKey(stdio{out: &out}, rekeyRequest{}, func(r rekeyRequest) (done rekeyed, err error) {
				if r.Code == "" {
					return done, nil
				}
				if !strings.Contains(out.String(), r.Code) {
					t.Error("the code was not shown before")
				}
				return done, c.fails
			})
			if statusOf(err) != c.status || !strings.Contains(err.Error(), "Keep both") {
				t.Errorf("status %d, %v; want %d", statusOf(err), err, c.status)
			}
		})
	}
}

func TestRekeyRecipients(t *testing.T) {
	key := func() string {
		secret, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		return secret.Recipient().String()
	}
	a, b := key(), key()
	for name, c := range map[string]struct {
		ask  rekeyRequest
		kept []string
		slot bool
		want []string
		err  string
	}{
		"none":                       {},
		"as it was":                  {kept: []string{a}, slot: true, want: []string{a}},
		"as it was, configured":      {ask: rekeyRequest{Configured: a}, kept: []string{a}, slot: true, want: []string{a}},
		"not remembered":             {ask: rekeyRequest{Configured: a}, slot: true, want: []string{a}},
		"added":                      {ask: rekeyRequest{Configured: a}, want: []string{a}},
		"changed on demand":          {ask: rekeyRequest{Configured: a, Departement: b}, kept: []string{a}, slot: true, want: []string{b}},
		"ErrContradiction":           {ask: rekeyRequest{Configured: b}, kept: []string{a}, slot: true, err: "say which"},
		"ErrWouldBeLeftOut":          {slot: true, err: "does not remember"},
		"ErrNotARecipient on demand": {ask: rekeyRequest{Departement: "age1"}, err: "age1…"},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := c.ask.recipients(c.kept, c.slot)
			if (c.err != "") != (err != nil) || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Fatalf("%v, want %q", err, c.err)
			}
			var got []string
			for _, r := range list {
				got = append(got, r.String())
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// TestRekeyInterrupted ends the verb in the middle, on the folder: it says that the
// key is replaced, and the hub goes on.
func TestRekeyInterrupted(t *testing.T) {
	h := newSealedHub(t, startTPM(t).Device())
	ctx, stop := context.WithCancel(t.Context())
	var out bytes.Buffer
	err := rekeyFolder(ctx, stdio{out: stopAfter{&out, "re-sealing", stop}}, h.config, rekeyRequest{})
	if err == nil || !strings.Contains(err.Error(), "goes on sealing again") || strings.Contains(out.String(), "is destroyed") {
		t.Errorf("%v, having said %q", err, out.String())
	}
	h.mustRead(t)
	h.finish(t)
	h.mustRead(t)
}

// stopAfter is a terminal at which somebody ends the command on reading a word.
type stopAfter struct {
	*bytes.Buffer
	word string
	stop func()
}

func (s stopAfter) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(s.word)) {
		s.stop()
	}
	return s.Buffer.Write(p)
}
