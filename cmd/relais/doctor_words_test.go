package main

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"relais/hardware/keyring"
	"relais/node/durable"
)

// mustRemedy finds a check, and what its remedy names.
func mustRemedy(t *testing.T, d *doctor, key string, want state, names string) {
	t.Helper()
	mustState(t, d, key, want)
	for _, c := range d.checks {
		if c.Check == key && !strings.Contains(c.Remedy, names) {
			t.Errorf("%s: the remedy is %q, want %q in it", key, c.Remedy, names)
		}
	}
}

// A counter that is gone is said while no hub runs; one that is there is no news.
func TestDoctorOfACounter(t *testing.T) {
	h := newSealedHub(t, "unix:/nowhere/tpm.sock", func(c *Config) { c.Keys.Provider = "software" })
	mustState(t, examined(t, h.config), "counter", "")
	for _, lost := range []string{"counter.sealed", "software.counter"} {
		t.Run(lost, func(t *testing.T) {
			c := h.config
			c.Hub.DataDir = filepath.Join(t.TempDir(), "data")
			copyFolder(t, h.config.Hub.DataDir, c.Hub.DataDir)
			if err := os.Remove(filepath.Join(c.Hub.DataDir, lost)); err != nil {
				t.Fatal(err)
			}
			mustRemedy(t, examined(t, c), "counter", stateAttention, "un autre compteur")
		})
	}
}

// Two generations that differ are mended by a start that opens the keys, as the
// doctor says. What never served is what a cut rekey leaves.
func TestDoctorOfGenerationsThatDiffer(t *testing.T) {
	h := newSealedHub(t, "unix:/nowhere/tpm.sock", func(c *Config) { c.Keys.Provider = "software" })
	current := filepath.Join(h.config.Hub.DataDir, "keyring.json")
	was, err := os.ReadFile(current)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := openKeys(h.config, keyring.KindSoftware)
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.Rekey(keyring.NewRecoveryCode()); err != nil {
		t.Fatal(err)
	}
	if err := durable.Write(current, was, 0o600); err != nil {
		t.Fatal(err)
	}
	mustRemedy(t, examined(t, h.config), "keyring", stateAttention, "Redémarrez le relais")
	keys, n, err := openFolder(t.Context(), h.config, nil)
	if err != nil {
		t.Fatal(err)
	}
	n.Close()
	keys.Close()
	mustState(t, examined(t, h.config), "keyring", stateOK)
}

// A département's key is added to a hub that is there, by relais rekey.
func TestDoctorOfADepartementWithoutASlot(t *testing.T) {
	d := &doctor{keys: &keyring.Description{Provider: keyring.KindTPM, Slots: []keyring.Kind{keyring.KindTPM, keyring.KindRecovery}}}
	d.config.Keys.Departement = "age1x"
	d.checkSlots()
	mustRemedy(t, d, "slots", stateAttention, "relais rekey --departement")
}

// Where the roster names an authority, what browsers trust here is to be that one.
func TestDoctorOfAnAuthority(t *testing.T) {
	for name, c := range map[string]struct {
		roster, file []byte
		want         state
	}{
		"the territory's":       {[]byte("above"), []byte("above"), stateOK},
		"our own":               {[]byte("above"), []byte("own"), stateAttention},
		"none yet":              {[]byte("above"), nil, stateAttention},
		"territory without one": {nil, []byte("own"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := rostered(t)
			d.folder.Roster.Authority = c.roster
			if c.file != nil {
				text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.file})
				if err := os.WriteFile(filepath.Join(d.config.Hub.DataDir, authorityFile), text, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			d.checkRoster()
			if c.want == stateAttention {
				mustRemedy(t, d, "authority", c.want, "relais join CODE")
				return
			}
			mustState(t, d, "authority", c.want)
		})
	}
}

// What to do comes in the order of what is easiest, and says what is true.
func TestRemediesSayWhatIsTrue(t *testing.T) {
	for alarm, names := range map[string][]string{
		"roster-expired": {"relais territory roster --renew", "relais territory issue"},
		"roster-expires": {"relais territory roster --renew", "relais territory issue"},
		"expelled":       {"relais recover --new-identity", "relais join CODE"},
		"twin":           {"relais recover --new-identity", "relais join CODE", "--replace"},
	} {
		last := -1
		for _, name := range names {
			at := strings.Index(remedyOf(alarm).french, name)
			if at <= last {
				t.Errorf("%s: %q is missing, or not in this order: %s", alarm, name, remedyOf(alarm).french)
			}
			last = at
		}
		if !strings.Contains(remedyOf(alarm).english, names[0]) {
			t.Errorf("%s: %s", alarm, remedyOf(alarm).english)
		}
	}
}
