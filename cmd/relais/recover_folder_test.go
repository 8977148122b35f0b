package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"relais/hardware/keyring"
	"relais/node"
)

// newLostHub is a hub on software keys that are lost.
func newLostHub(t *testing.T) *sealedHub {
	t.Helper()
	h := newSealedHub(t, "unix:/nowhere/tpm.sock", func(c *Config) { c.Keys.Provider = "software" })
	if err := os.Remove(filepath.Join(h.config.Hub.DataDir, "software.key")); err != nil {
		t.Fatal(err)
	}
	return h
}

// A locked hub has its folder while it tries its keys. Recover waits until it let
// go, and the hub leaves the folder alone until recover has ended.
func TestRecoverHoldsTheFolder(t *testing.T) {
	h := newLostHub(t)
	keyringOf := func() []byte {
		text, err := os.ReadFile(filepath.Join(h.config.Hub.DataDir, "keyring.json"))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	before := keyringOf()
	tries, err := node.LockFolder(h.config.Hub.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	asked, ended := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := recoverHub(t.Context(), h.config, func() (keyring.Spare, error) {
			asked <- opens(t.Context(), h.config) // what a locked hub does every five seconds
			return h.code, nil
		})
		ended <- err
	}()
	select {
	case <-asked:
		t.Fatal("it tries the keys beside the hub")
	case err := <-ended:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(5 * folderRetry):
	}
	if !bytes.Equal(before, keyringOf()) {
		t.Error("it wrote the keyring beside the hub")
	}
	if err := tries.Release(); err != nil {
		t.Fatal(err)
	}
	if err := <-asked; !errors.Is(err, node.ErrInUse) {
		t.Errorf("the hub tries its keys beside recover: %v", err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err := opens(t.Context(), h.config); err != nil {
		t.Errorf("the folder is not free once it is done: %v", err)
	}
}

// A folder that nobody lets go of is named, with who has it; nothing was changed.
func TestRecoverErrInUse(t *testing.T) {
	h := newLostHub(t)
	holder, err := node.LockFolder(h.config.Hub.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Release()
	synctest.Test(t, func(t *testing.T) {
		_, err := recoverHub(t.Context(), h.config, with(h.code))
		if !errors.Is(err, node.ErrInUse) || !strings.Contains(err.Error(), "waited 1m0s for the folder, and changed nothing") || !strings.Contains(err.Error(), "process") {
			t.Errorf("recover beside another command: %v", err)
		}
	})
}

// What waits for a folder takes it as soon as it is free.
func TestWhileInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		got, err := whileInUse(t.Context(), func() (int, error) {
			if tries++; tries < 4 {
				return 0, node.ErrInUse
			}
			return tries, nil
		})
		if got != 4 || err != nil {
			t.Errorf("%d, %v", got, err)
		}
		other := errors.New("something else")
		if _, err := whileInUse(t.Context(), func() (int, error) { return 0, other }); !errors.Is(err, other) {
			t.Error(err)
		}
	})
}
