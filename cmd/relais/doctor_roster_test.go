package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"relais/hardware/keyring"
	"relais/node"
	"relais/node/territory"
)

// rostered is a doctor before a hub that its roster lists as it is.
func rostered(t *testing.T) *doctor {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	identity, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	self := territory.Hub{
		ID: territory.HubIDOf(identity), Name: "Valbrume", Identity: identity, Witness: make([]byte, 32), Recipient: "age1x",
		Addresses: []string{"valbrume.example:7443"}, HostNames: []string{"valbrume.example"}, KioskName: "borne.example",
		Assurance: territory.AssuranceTPM, State: territory.HubActive,
	}
	d := &doctor{now: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC), keys: &keyring.Description{Provider: keyring.KindTPM}}
	d.config = configDefaults()
	d.config.Hub = HubConfig{Name: self.Name, Territory: "demo", DataDir: t.TempDir()}
	d.config.Link.Advertise, d.config.Web.Names, d.config.Web.KioskName = self.Addresses, self.HostNames, self.KioskName
	d.folder = &node.Inspection{
		Birth: node.Birth{Territory: "demo", RootKey: "relais-demo+1"},
		Keys:  node.PublicKeys{Hub: self.ID, Identity: self.Identity, Witness: self.Witness, Recipient: self.Recipient},
		Roster: &territory.Roster{
			Territory: "demo", Zone: "Europe/Paris", Version: 3, IssuedAt: d.now.AddDate(0, -1, 0), ExpiresAt: d.now.AddDate(1, 0, 0),
			Hubs: []territory.Hub{self},
		},
	}
	if err := writeJSON(filepath.Join(d.config.Hub.DataDir, requestFile), territory.NewRequest("demo", self, nil, nil), 0o644); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *doctor) examineRoster() {
	d.checkRequest()
	d.checkRoster()
	d.checkNational()
	d.checkClock()
}

// What the roster, the request and the configuration say of the hub, one thing
// wrong at a time; nothing else is then reported.
func TestDoctorOfARoster(t *testing.T) {
	well := rostered(t)
	well.examineRoster()
	for key, s := range states(well) {
		if s != stateOK {
			t.Errorf("a hub that is well: %s is %s", key, s)
		}
	}
	for name, c := range map[string]struct {
		spoil func(d *doctor)
		want  state
		exit  int
		keys  []string
	}{
		"no roster":    {func(d *doctor) { d.folder.Roster = nil }, stateAttention, exitOK, []string{"no-roster"}},
		"forged":       {func(d *doctor) { d.folder.Roster, d.folder.Forged = nil, errors.New("forged") }, stateFailed, exitProof, []string{"roster"}},
		"root":         {func(d *doctor) { d.rootKey = "relais-demo+2" }, stateFailed, exitProof, []string{"root"}},
		"expired":      {func(d *doctor) { d.folder.Roster.ExpiresAt = d.now.AddDate(0, 0, -1) }, stateAttention, exitOK, []string{"roster-expired"}},
		"expires":      {func(d *doctor) { d.folder.Roster.ExpiresAt = d.now.AddDate(0, 0, 29) }, stateAttention, exitOK, []string{"roster-expires"}},
		"not listed":   {func(d *doctor) { d.folder.Roster.Hubs = nil }, stateAttention, exitOK, []string{"not-listed"}},
		"expelled":     {func(d *doctor) { d.folder.Roster.Hubs[0].State = territory.HubExpelled }, stateAttention, exitOK, []string{"expelled"}},
		"other keys":   {func(d *doctor) { d.folder.Roster.Hubs[0].Witness = []byte("another") }, stateFailed, exitProof, []string{"entry"}},
		"assurance":    {func(d *doctor) { d.keys.Provider = keyring.KindSoftware }, stateAttention, exitOK, []string{"entry"}},
		"addresses":    {func(d *doctor) { d.config.Link.Advertise = []string{"ailleurs.example:7443"} }, stateAttention, exitOK, []string{"entry", "request"}},
		"names":        {func(d *doctor) { d.config.Web.Names = []string{"ailleurs.example"} }, stateAttention, exitOK, []string{"entry", "request"}},
		"kiosk":        {func(d *doctor) { d.config.Web.KioskName = "" }, stateAttention, exitOK, []string{"entry", "request"}},
		"roster alone": {func(d *doctor) { d.folder.Roster.Hubs[0].Addresses = nil }, stateAttention, exitOK, []string{"entry"}},
		"other hub":    {func(d *doctor) { d.folder.Keys.Recipient = "age1y"; d.folder.Roster.Hubs[0].Recipient = "age1y" }, stateAttention, exitOK, []string{"request"}},
		"no national":  {func(d *doctor) { d.config.National.Adapter = "relais" }, stateAttention, exitOK, []string{"national"}},
		"national":     {func(d *doctor) { d.folder.Roster.National = &territory.National{URL: "https://n.example"} }, stateAttention, exitOK, []string{"national"}},
		"other national": {func(d *doctor) {
			d.folder.Roster.National = &territory.National{URL: "https://n.example"}
			d.config.National = NationalConfig{Adapter: "relais", URL: "https://autre.example"}
		}, stateAttention, exitOK, []string{"national"}},
		"clock": {func(d *doctor) { d.now = d.folder.Roster.IssuedAt.Add(-time.Hour) }, stateFailed, exitFailed, []string{"clock"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := rostered(t)
			c.spoil(d)
			d.examineRoster()
			var wrong []string
			for key, s := range states(d) {
				if s == c.want {
					wrong = append(wrong, key)
				} else if s != stateOK {
					t.Errorf("%s is %s", key, s)
				}
			}
			slices.Sort(wrong)
			if !slices.Equal(wrong, c.keys) {
				t.Errorf("%v, want %v", wrong, c.keys)
			}
			exit := exitOK
			if err := d.outcome(); err != nil {
				exit = statusOf(err)
			}
			if exit != c.exit {
				t.Errorf("exit status %d, want %d", exit, c.exit)
			}
			for _, check := range d.checks {
				if check.State != stateOK && (!strings.HasSuffix(check.Message, ".") || !strings.HasSuffix(check.Remedy, ".")) {
					t.Errorf("%+v", check)
				}
			}
		})
	}
}

// Locked says more than a proof refused, which says more than the rest.
func TestDoctorOutcome(t *testing.T) {
	for name, c := range map[string]struct {
		exits []int
		want  int
	}{
		"none": {nil, exitOK}, "one": {[]int{exitFailed}, exitFailed},
		"proof": {[]int{exitFailed, exitProof}, exitProof}, "locked": {[]int{exitProof, exitLocked, exitFailed}, exitLocked},
	} {
		t.Run(name, func(t *testing.T) {
			d := &doctor{}
			d.ok("config", "Bien.", "")
			d.attention("space", "Peu.", "Regardez.", "")
			for _, exit := range c.exits {
				d.failed(exit, "x", "Non.", "Faites.", "")
			}
			if got := exitStatus(&strings.Builder{}, d.outcome()); got != c.want {
				t.Errorf("exit status %d, want %d", got, c.want)
			}
		})
	}
}
