package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"filippo.io/age"

	"relais/hardware/keyring"
	"relais/node"
	"relais/node/journal"
	"relais/node/people"
	"relais/node/territory"
)

// controlEntries are all the verbs of the control socket, and the entry that each
// leaves in the journal: none for those that change nothing.
var controlEntries = map[string]journal.Kind{
	"/national-pass":        journal.KindControl,
	"/checkpoint":           journal.KindControl,
	"/roster":               journal.KindRosterInstall,
	"/helpers":              journal.KindHelperEnrol,
	joinPath:                journal.KindRosterInstall, // once approved; before, nothing changes here
	"/rekey":                journal.KindRekeyBegin,
	"/invitations":          journal.KindHubInvite,
	"/invitations/list":     "",
	"/invitations/withdraw": journal.KindHubUninvite,
	"/requests":             "",
	"/requests/approve":     journal.KindHubApprove,
	"/requests/settle":      journal.KindHubApprove,
	"/requests/refuse":      journal.KindHubRefuse,
	"/hubs/expel":           journal.KindHubExpel,
	"/hubs/cuts":            "",
	"/structures":           journal.KindStructurePut,
	"/national":             journal.KindNationalPut,
	"/registry":             "",
	"/registry/renew":       journal.KindRosterIssue,
	"/root":                 journal.KindRootKeep,
	"/root/export":          journal.KindRootExport,
	"/root/rotate":          journal.KindRosterIssue,
}

// A keeper is a hub that runs and keeps the root, and a test that asks it over its
// control socket.
type keeper struct {
	*typedHub
	root  territory.Root
	rows  *sql.DB
	asked map[string]bool
}

// asks asks one thing, and looks for the entry that it leaves: that one, with any
// other, or no entry at all.
func (k *keeper) asks(t *testing.T, path string, in, out any) {
	t.Helper()
	body, plain := in.(json.RawMessage)
	if !plain {
		var err error
		if body, err = json.Marshal(in); err != nil {
			t.Fatal(err)
		}
	}
	before := len(k.kinds(t))
	if out == nil {
		out = new(any)
	}
	if err := askHub(t.Context(), k.folder, http.MethodPost, path, body, out); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	k.asked[path] = true
	k.leaves(t, before, path)
}

// leaves looks for the entry of a verb, after so many others. That of a rekey comes
// with the first value that is sealed again.
func (k *keeper) leaves(t *testing.T, before int, path string) {
	t.Helper()
	since, want := k.kinds(t)[before:], controlEntries[path]
	for deadline := time.Now().Add(10 * time.Second); path == "/rekey" && !slices.Contains(since, want) && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		since = k.kinds(t)[before:]
	}
	if want != "" && !slices.Contains(since, want) || want == "" && len(since) > 0 {
		t.Errorf("%s leaves %q in the journal, want %q", path, since, want)
	}
}

// kinds are those of the whole journal.
func (k *keeper) kinds(t *testing.T) (all []journal.Kind) {
	t.Helper()
	rows, err := k.rows.QueryContext(t.Context(), `SELECT kind FROM journal ORDER BY seq`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var kind journal.Kind
		if err := rows.Scan(&kind); err != nil {
			t.Fatal(err)
		}
		all = append(all, kind)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// newKeeper makes a hub whose root the test has, and runs it.
func newKeeper(t *testing.T, name string, root territory.Root) *keeper {
	t.Helper()
	var err error
	k := &keeper{typedHub: newTypedHub(t, newSavedLand(t), name, nil), root: root, asked: map[string]bool{}}
	key := filepath.Join(t.TempDir(), "root.pub")
	if err := os.WriteFile(key, []byte(root.Public()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	says(t, "init", "--config", k.file, "--root-key", key)
	t.Cleanup(k.serve(t))
	if k.rows, err = sql.Open("sqlite3", "file:"+filepath.Join(k.folder, "relais.db")+"?mode=ro&_busy_timeout=5000"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.rows.Close() })
	return k
}

// issue signs the next roster by the root's file, after change.
func (k *keeper) issue(t *testing.T, change func(*territory.Roster)) json.RawMessage {
	t.Helper()
	r := &territory.Roster{Territory: "demo", Name: "Territoire d’essai", Zone: "Europe/Paris"}
	if held := k.Roster(); held != nil {
		var err error
		if r, err = held.Clone(); err != nil {
			t.Fatal(err)
		}
	}
	change(r)
	signed, err := k.root.Issue(r, time.Now(), territory.RosterDays)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func spkiOf(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// newcomer is a hub that was invited and asks for its place.
func (k *keeper) newcomer(t *testing.T, name string) territory.Request {
	t.Helper()
	var made invited
	k.asks(t, "/invitations", invitation{Site: name, Life: time.Hour}, &made)
	i, err := territory.ParseInvitation(made.Code)
	if err != nil {
		t.Fatal(err)
	}
	age, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	der := spkiOf(t)
	q := territory.NewRequest("demo", territory.Hub{
		ID: territory.HubIDOf(der), Name: name, Identity: der, Witness: make([]byte, 32), Recipient: age.Recipient().String(),
		HostNames: []string{name + ".example"}, Assurance: territory.AssuranceSoftware,
	}, spkiOf(t), nil)
	text, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.TakeRequest(t.Context(), i.Secret, text); err != nil {
		t.Fatal(err)
	}
	return q
}

// TestControlIsJournaled: whatever the machine's owner has a running hub change is
// in its journal; asking for what is there leaves nothing.
func TestControlIsJournaled(t *testing.T) {
	t.Parallel()
	root, err := territory.NewRoot("demo", "Territoire d’essai", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	k := newKeeper(t, "Valbrume", root)
	own, err := readRequest(filepath.Join(k.folder, "hub.json"), "demo")
	if err != nil {
		t.Fatal(err)
	}
	var office territory.Structure
	k.asks(t, "/roster", k.issue(t, func(r *territory.Roster) { r.Enrol(own.Hub) }), nil)
	text, err := k.root.Text()
	if err != nil {
		t.Fatal(err)
	}
	k.asks(t, "/root", text, nil)
	k.asks(t, "/structures", territory.Structure{Name: "Maison d’essai", State: territory.StructureOpen, Scopes: []string{"argent"}, Serving: []territory.HubID{k.Self()}}, &office)
	k.asks(t, "/helpers", node.NewHelper{Login: "camille", Name: people.Name{Given: "Camille", Family: "Exemple"}, Role: people.RoleHelper}, nil)

	k.joinedBy(t, newKeeper(t, "Port-Exemple", root))
	var made invited
	k.asks(t, "/invitations", invitation{Site: "Ailleurs", Life: time.Hour}, &made)
	k.asks(t, "/invitations/list", unsaid{}, nil)
	k.asks(t, "/invitations/withdraw", made.ID, nil)
	one, two, three := k.newcomer(t, "un"), k.newcomer(t, "deux"), k.newcomer(t, "trois")
	k.asks(t, "/requests", unsaid{}, nil)
	k.asks(t, "/requests/approve", approval{Hub: one.Hub.ID, Fingerprint: one.Fingerprint()}, nil)
	k.asks(t, "/requests/refuse", two.Hub.ID, nil)
	certificate, err := k.root.Authority().Certify(three.Hub, three.Authority, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	signed := k.issue(t, func(r *territory.Roster) { r.Enrol(three.Hub) })
	k.asks(t, "/requests/settle", settlement{three.Hub.ID, []byte(signed), certificate}, nil)
	k.asks(t, "/hubs/cuts", one.Hub.ID, nil)
	k.asks(t, "/hubs/expel", one.Hub.ID, nil)

	der := spkiOf(t)
	k.asks(t, "/national", territory.National{Index: 65000, ID: territory.HubIDOf(der), Name: "Service national d’essai", Identity: der, URL: "https://national.example:8443"}, nil)
	k.asks(t, "/registry", unsaid{}, nil)
	k.asks(t, "/registry/renew", 30, nil)
	k.asks(t, "/root/export", unsaid{}, nil)
	k.asks(t, "/root/rotate", unsaid{}, nil)
	k.asks(t, "/checkpoint", unsaid{}, nil)
	k.asksInVain(t, "/national-pass")
	k.asks(t, "/rekey", rekeyRequest{Code: keyring.NewRecoveryCode().Reveal()}, nil)

	for _, path := range controlPaths() {
		if _, listed := controlEntries[path]; !listed || !k.asked[path] {
			t.Errorf("%s: nobody said what it leaves in the journal, or it was not asked", path)
		}
	}
	if len(controlPaths()) != len(controlEntries) {
		t.Errorf("%d verbs, and entries of %d", len(controlPaths()), len(controlEntries))
	}
}

// joinedBy has another hub, which runs, ask for its place, and gives it.
func (k *keeper) joinedBy(t *testing.T, other *keeper) {
	t.Helper()
	var made invited
	k.asks(t, "/invitations", invitation{Site: other.name, Life: time.Hour}, &made)
	var p placed
	if err := askHub(t.Context(), other.folder, http.MethodPost, joinPath, []byte(`"`+made.Code+`"`), &p); err != nil {
		t.Fatal(err)
	}
	k.asks(t, "/requests/approve", approval{Hub: p.Hub, Fingerprint: p.Fingerprint}, nil)
	other.asks(t, joinPath, made.Code, &p)
	k.asked[joinPath] = true
}

// asksInVain asks for what fails, and is in the journal all the same.
func (k *keeper) asksInVain(t *testing.T, path string) {
	t.Helper()
	before := len(k.kinds(t))
	if err := askHub(t.Context(), k.folder, http.MethodPost, path, nil, new(any)); err == nil {
		t.Fatalf("%s succeeds", path)
	}
	k.asked[path] = true
	k.leaves(t, before, path)
}

// controlPaths are all the verbs that a running hub answers, as it has them.
func controlPaths() (all []string) {
	for _, v := range (&control{note: func(context.Context, string) error { return nil }}).liveVerbs() {
		all = append(all, v.path)
	}
	for _, v := range hubVerbs() {
		all = append(all, v.at())
	}
	return all
}
