package node_test

import (
	"errors"
	"io/fs"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/google/go-cmp/cmp"

	"relais/node"
)

var _ scs.CtxStore = (*node.Sessions)(nil)

func TestSecrets(t *testing.T) {
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	s := h.Secrets()
	for key, value := range map[string]string{
		"certificates/a.example/key": "one", "certificates/a.example/crt": "three", "certificates/a_example": "x", "acme/user": "",
	} {
		if err := s.Store(t.Context(), key, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("load after a restart", func(t *testing.T) {
		h.reopen(t)
		s = h.Secrets()
		value, err := s.Load(t.Context(), "certificates/a.example/key")
		if err != nil || string(value) != "one" || !s.Exists(t.Context(), "certificates/a.example/key") {
			t.Errorf("%q, %v", value, err)
		}
		if value, err := s.Load(t.Context(), "acme/user"); err != nil || len(value) != 0 {
			t.Errorf("an empty value: %q, %v", value, err)
		}
	})
	t.Run("overwrite", func(t *testing.T) {
		if err := s.Store(t.Context(), "certificates/a.example/key", []byte("two!!")); err != nil {
			t.Fatal(err)
		}
		info, err := s.Stat(t.Context(), "certificates/a.example/key")
		want := node.SecretInfo{Key: "certificates/a.example/key", Size: 5, Modified: l.clock.Now()}
		if diff := cmp.Diff(want, info); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	})
	t.Run("list", func(t *testing.T) {
		list, err := s.List(t.Context(), "certificates/a.")
		var keys []string
		for _, info := range list {
			keys = append(keys, info.Key)
		}
		if diff := cmp.Diff([]string{"certificates/a.example/crt", "certificates/a.example/key"}, keys); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	})
	t.Run("fs.ErrNotExist", func(t *testing.T) {
		if err := s.Delete(t.Context(), "acme/user"); err != nil {
			t.Fatal(err)
		}
		if s.Exists(t.Context(), "acme/user") {
			t.Error("still there")
		}
		for name, err := range map[string]error{
			"Load":   second(s.Load(t.Context(), "acme/user")),
			"Stat":   second(s.Stat(t.Context(), "acme/user")),
			"Delete": s.Delete(t.Context(), "acme/user"),
		} {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestSessions(t *testing.T) {
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	s := h.Sessions()
	end := l.clock.Now().Add(time.Hour)
	if err := s.Commit("token", []byte("data"), end); err != nil {
		t.Fatal(err)
	}
	find := func(token string) (string, bool) {
		t.Helper()
		b, found, err := s.Find(token)
		if err != nil {
			t.Error(err)
		}
		return string(b), found
	}
	t.Run("found after a restart", func(t *testing.T) {
		h.reopen(t)
		s = h.Sessions()
		if b, found := find("token"); !found || b != "data" {
			t.Errorf("%q, %v", b, found)
		}
	})
	t.Run("another token", func(t *testing.T) {
		if _, found := find("other"); found {
			t.Error("found")
		}
	})
	t.Run("overwritten", func(t *testing.T) {
		if err := s.Commit("token", []byte("more"), end); err != nil {
			t.Fatal(err)
		}
		if b, _ := find("token"); b != "more" {
			t.Errorf("%q", b)
		}
	})
	t.Run("deleted", func(t *testing.T) {
		if err := s.Commit("short", nil, end); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := s.Delete("short"); err != nil {
				t.Error(err)
			}
		}
		if _, found := find("short"); found {
			t.Error("found")
		}
	})
	t.Run("another machine", func(t *testing.T) {
		h.Options.Sealer.(*sealer).store[0] ^= 1 // the file was copied elsewhere
		defer func() { h.Options.Sealer.(*sealer).store[0] ^= 1 }()
		if _, found := find("token"); found {
			t.Error("a session opened on another machine")
		}
	})
	t.Run("ended", func(t *testing.T) {
		l.clock.Advance(time.Hour)
		if _, found := find("token"); found {
			t.Error("found")
		}
		if err := h.Expire(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
