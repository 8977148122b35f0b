package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConfigDefaults(t *testing.T) {
	file := filepath.Join(t.TempDir(), "relais.toml")
	text := "[hub]\nname = \"Essai\"\nterritory = \"demo\"\n[web]\nnames = [\"a.localhost\"]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := loadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Hub:      HubConfig{Name: "Essai", Territory: "demo", DataDir: filepath.Join(filepath.Dir(file), "data"), RetentionMonths: 72},
		Web:      WebConfig{Listen: ":443", Names: []string{"a.localhost"}},
		Link:     LinkConfig{Listen: ":7443", Transit: true},
		Keys:     KeysConfig{Provider: "auto", Device: "/dev/tpmrm0"},
		National: NationalConfig{Adapter: "none"},
		Health:   HealthConfig{Listen: "127.0.0.1:9464"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// The files we ship or write are files we take.
func TestConfigShipped(t *testing.T) {
	if _, err := loadConfig("../../packaging/relais.toml"); err != nil {
		t.Error(err)
	}
	written := Config{
		Hub:      HubConfig{Name: "Port-Exemple", Territory: "demo", DataDir: "/tmp/x", RetentionMonths: 72},
		Web:      WebConfig{Listen: "127.0.0.1:1", Names: []string{"a.localhost", "b.localhost"}, KioskName: "k.localhost"},
		Link:     LinkConfig{Listen: "127.0.0.1:2", Advertise: []string{"127.0.0.1:3"}, Proxy: "http://127.0.0.1:4", Transit: true},
		Keys:     KeysConfig{Provider: "tpm", Device: "unix:/tmp/tpm.sock"},
		National: NationalConfig{Adapter: "relais"},
	}
	for name, text := range map[string]string{"solo": soloConfig, "stage": written.text()} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "relais.toml")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := loadConfig(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(written, got); name == "stage" && d != "" {
				t.Error(d)
			}
		})
	}
}

func TestConfigLink(t *testing.T) {
	for _, c := range []struct{ name, text, wrong string }{
		{"Rendezvous", "rendezvous = [\"Port-Exemple\", \"h_1\"]\ntransit = false", ""},
		{"ErrRendezvous", "rendezvous = [\"\"]", "link.rendezvous"},
		{"ErrMisspelt", "rendez_vous = []", "unknown key link.rendez_vous"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "relais.toml")
			if err := os.WriteFile(file, []byte(strings.Replace(soloConfig, "[link]\n", "[link]\n"+c.text+"\n", 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := loadConfig(file)
			if c.wrong == "" {
				if err != nil || len(got.Link.Rendezvous) != 2 || got.Link.Transit {
					t.Errorf("%+v, %v", got.Link, err)
				}
			} else if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("got %v, want %q in it", err, c.wrong)
			}
		})
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(soloConfig))
	f.Fuzz(func(t *testing.T, text []byte) {
		file := filepath.Join(t.TempDir(), "relais.toml")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if c, err := loadConfig(file); err == nil && c.validate() != nil {
			t.Error("taken, and not valid")
		}
	})
}

// TestConfigNational: the directory has no address of its own in the roster.
func TestConfigNational(t *testing.T) {
	for _, c := range []struct{ name, text, wrong string }{
		{"Directory", "adapter = \"aidants-connect\"\nurl = \"https://aidants.example\"", ""},
		{"Contract", `adapter = "relais"`, ""},
		{"ErrNoURL", `adapter = "aidants-connect"`, "national.url is empty"},
		{"ErrPlain", "adapter = \"aidants-connect\"\nurl = \"http://aidants.example\"", "is not https"},
		{"ErrUnknown", `adapter = "aidants"`, "none of relais, aidants-connect, none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "relais.toml")
			text := "[hub]\nname = \"Essai\"\nterritory = \"demo\"\n[web]\nnames = [\"a.localhost\"]\n[national]\n" + c.text + "\n"
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := loadConfig(file)
			if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%v, want %q", err, c.wrong)
			}
		})
	}
}
