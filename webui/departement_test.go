package webui_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
	"golang.org/x/net/html"

	"relais/node"
	"relais/node/people"
	"relais/node/territory"
	"relais/webui/internal/htmlcheck"
)

// newOffice is a hub that keeps the territory's root, and a browser of the
// département signed in.
func newOffice(t *testing.T) (*site, *browser) {
	t.Helper()
	s := newSite(t)
	if err := s.node.KeepRoot(t.Context(), nil, s.root); err != nil {
		t.Fatal(err)
	}
	return s, s.departement(t)
}

// departement signs in as the département. The site's codes are its own from then
// on.
func (s *site) departement(t *testing.T) *browser {
	t.Helper()
	var err error
	s.helper, err = s.node.EnrolHelper(t.Context(), nil, node.NewHelper{
		Login: "alex", Name: people.Name{Given: "Alex", Family: "Modèle"}, Role: people.RoleAdministrator,
	})
	if err != nil {
		t.Fatal(err)
	}
	b := s.browser(t, deskName)
	b.post("/connexion", "login", s.helper.Login, "passphrase", s.helper.Passphrase, "code", s.code(t)).leads("/departement")
	return b
}

// newcomer is the request of a machine of its own.
func newcomer(t *testing.T, name string, instead *territory.Replaced) territory.Request {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	recipient, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	h := territory.Hub{
		ID: territory.HubIDOf(spki), Name: name, Identity: spki, Witness: make([]byte, 32), Recipient: recipient.Recipient().String(),
		Addresses: []string{"192.0.2.7:7443"}, HostNames: []string{strings.ToLower(name) + ".example"}, Assurance: territory.AssuranceSoftware,
	}
	rand.Read(h.Witness)
	return territory.NewRequest("demo", h, spki, instead)
}

// asks lets a newcomer use an invitation made on the pages, and returns the
// address of its request and its fingerprint.
func (s *site) asks(t *testing.T, b *browser, q territory.Request) (address, fingerprint string) {
	t.Helper()
	invitation, err := territory.ParseInvitation(b.invite())
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	done, err := s.node.TakeRequest(t.Context(), invitation.Secret, text)
	if err != nil {
		t.Fatal(err)
	}
	return "/departement/demandes/" + q.Hub.ID.String(), done.Fingerprint
}

// invite makes an invitation and returns its code, which the next page shows.
func (b *browser) invite() string {
	b.t.Helper()
	shown := b.get(b.post("/departement/inviter", "site", "la médiathèque", "life", "7").leads("/departement/invitations/i_"))
	line := htmlcheck.Text(one(b.t, shown.wants(http.StatusOK).body, "#commande"))
	code, found := strings.CutPrefix(line, "relais join ")
	if !found {
		b.t.Fatalf("%q is not what is typed", line)
	}
	return code
}

// one returns the one element that a selector finds.
func one(t *testing.T, body, selector string) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	found := htmlcheck.Find(doc, selector)
	if len(found) != 1 {
		t.Fatalf("%d elements are %s", len(found), selector)
	}
	return found[0]
}

func (s *site) version() uint32 { return s.node.Roster().Version }

// TestAudiencesKeepApart walks every address: the département never sees a
// person, and helpers never see the département's pages.
func TestAudiencesKeepApart(t *testing.T) {
	s := newSite(t)
	helper := s.signedIn(t)
	office := s.departement(t)
	office.get("/").leads("/bureau")
	office.get("/bureau").leads("/departement")
	office.get("/connexion").leads("/departement")
	office.get("/departement").wants(http.StatusOK, htmlcheck.In(".who", htmlcheck.HasText("Alex M. · Département")),
		htmlcheck.None("a[href=/bureau/mandats]"), htmlcheck.In("a[href=/departement/registre]"))
	refused := 0
	for _, route := range s.server.DeskRoutes() {
		path := at(route.Pattern)
		ask := func(b *browser) answer {
			if route.Method == http.MethodPost {
				return b.post(path)
			}
			return b.get(path)
		}
		switch {
		case strings.HasPrefix(path, "/departement"):
			ask(helper).wants(http.StatusForbidden, htmlcheck.In("[role=alert]", htmlcheck.HasText("Cette page est celle du département")))
		case strings.HasPrefix(path, "/bureau") && path != "/bureau":
			ask(office).wants(http.StatusForbidden, htmlcheck.In("[role=alert]", htmlcheck.HasText("ne voit ni les personnes ni leurs mandats")))
		default:
			continue
		}
		refused++
	}
	if refused < 35 {
		t.Errorf("only %d addresses were walked", refused)
	}
}

// TestEnrolment plays the département's main job: invite, compare, approve.
func TestEnrolment(t *testing.T) {
	s, b := newOffice(t)
	t.Run("ErrForm", func(t *testing.T) {
		b.post("/departement/inviter", "site", " ", "life", "400").wants(http.StatusUnprocessableEntity,
			htmlcheck.In("#site-erreur"), htmlcheck.In("#life-erreur"), htmlcheck.In("title", htmlcheck.HasText("Erreur : ")))
		b.post("/departement/inviter", "site", strings.Repeat("é", 60), "life", "7").wants(http.StatusUnprocessableEntity, htmlcheck.In("#site-erreur"))
	})
	t.Run("the code is shown once", func(t *testing.T) {
		path := b.post("/departement/inviter", "site", "le bus", "life", "1").leads("/departement/invitations/i_")
		b.ask(http.MethodHead, path).wants(http.StatusOK)
		first := b.get(path).wants(http.StatusOK, htmlcheck.In("#commande", htmlcheck.HasText("relais join relais-")))
		b.get(path).wants(http.StatusOK, htmlcheck.None("#commande"), htmlcheck.In(".note", htmlcheck.HasText("a été montré une fois")))
		code := strings.TrimPrefix(htmlcheck.Text(one(t, first.body, "#commande")), "relais join ")
		if strings.Contains(s.logs.String(), code) || strings.Contains(path, code) {
			t.Error("the code is in a log or an address")
		}
		b.get("/departement/inviter").wants(http.StatusOK, htmlcheck.In(".rows", htmlcheck.HasText("le bus")), htmlcheck.None(".note.warn"))
		b.post(path + "/retirer").leads("/departement/inviter")
		b.get("/departement/inviter").wants(http.StatusOK, htmlcheck.In(".flash", htmlcheck.HasText("retirée")), htmlcheck.None(".rows"))
		b.post(path + "/retirer").leads("/departement/inviter")
		b.get(path).wants(http.StatusNotFound)
	})
	t.Run("sent twice", func(t *testing.T) {
		fields := []string{"once", b.get("/departement/inviter").field("once"), "site", "le bus", "life", "1"}
		path := b.post("/departement/inviter", fields...).leads("/departement/invitations/i_")
		b.post("/departement/inviter", fields...).leads(path)
		b.get(path).wants(http.StatusOK, htmlcheck.In("#commande"))
		b.post("/departement/inviter", fields...).leads(path)
		if open, err := s.node.Invitations(t.Context()); err != nil || len(open) != 1 {
			t.Errorf("%d invitations: %v", len(open), err)
		}
	})
	q := newcomer(t, "Port-Exemple", nil)
	path, fingerprint := s.asks(t, b, q)
	structure := s.node.Roster().Structures[0]
	b.get("/departement").wants(http.StatusOK, htmlcheck.In(".asks", htmlcheck.HasText("Port-Exemple demande sa place")), htmlcheck.In("a[href="+path+"]"))
	b.get(path).wants(http.StatusOK, htmlcheck.In(".fingerprint", htmlcheck.HasText(fingerprint)), htmlcheck.In(".banner", htmlcheck.HasText("nettement plus faible")),
		htmlcheck.In("main", htmlcheck.HasText("192.0.2.7:7443")), htmlcheck.In("#fingerprint", htmlcheck.HasAttr("value", "")), htmlcheck.None("#replace"))
	before := s.version()
	t.Run("ErrEmpty", func(t *testing.T) {
		b.post(path).wants(http.StatusUnprocessableEntity, htmlcheck.In("#fingerprint-erreur"), htmlcheck.In("#code-erreur"))
	})
	t.Run("ErrFingerprint", func(t *testing.T) {
		refused := b.post(path, "fingerprint", "0000 0000 0000 0000", "code", s.code(t), "structures", structure.ID.String())
		refused.wants(http.StatusUnprocessableEntity, htmlcheck.In("#fingerprint-erreur", htmlcheck.HasText("faites relire")), htmlcheck.In("input[checked]"))
		if refused.field("fingerprint") != "0000 0000 0000 0000" {
			t.Error("what was typed is lost")
		}
	})
	t.Run("ErrCode", func(t *testing.T) {
		b.post(path, "fingerprint", fingerprint, "code", "000000").wants(http.StatusUnauthorized, htmlcheck.In("#code-erreur"),
			htmlcheck.In("#code-aide", htmlcheck.HasText("Le prochain code arrive dans")))
	})
	if _, listed := s.node.Roster().Hub(q.Hub.ID); listed || s.version() != before {
		t.Fatal("a refused approval changed the roster")
	}
	fields := []string{"fingerprint", strings.ToLower(strings.ReplaceAll(fingerprint, " ", "-")), "code", s.code(t), "structures", structure.ID.String()}
	hub := b.post(path, fields...).leads("/departement/relais/" + q.Hub.ID.String())
	b.get(hub).wants(http.StatusOK, htmlcheck.In(".flash", htmlcheck.HasText("a sa place")), htmlcheck.In("h1", htmlcheck.HasText("Port-Exemple")), htmlcheck.In("main", htmlcheck.HasText(structure.Name)))
	b.post(path, fields...).leads(hub)
	b.get(hub).wants(http.StatusOK, htmlcheck.In(".flash", htmlcheck.HasText("déjà reçu une réponse")))
	if s.version() != before+1 {
		t.Errorf("roster %d after one approval sent twice, of %d", s.version(), before)
	}
	b.get(path).wants(http.StatusNotFound)
}

func TestRefuseRequest(t *testing.T) {
	s, b := newOffice(t)
	q := newcomer(t, "Port-Exemple", nil)
	path, fingerprint := s.asks(t, b, q)
	b.post(path + "/refuser").leads("/departement")
	b.get("/departement").wants(http.StatusOK, htmlcheck.In(".flash", htmlcheck.HasText("refusée")), htmlcheck.None(".asks"))
	b.post(path + "/refuser").leads("/departement")
	b.post(path, "fingerprint", fingerprint, "code", s.code(t)).leads("/departement")
	if _, listed := s.node.Roster().Hub(q.Hub.ID); listed {
		t.Error("a refused hub has its place")
	}
}

// TestReplacement: the hub that comes back closes the identity it had.
func TestReplacement(t *testing.T) {
	s, b := newOffice(t)
	lost := newcomer(t, "Port-Exemple", nil)
	path, fingerprint := s.asks(t, b, lost)
	structure := s.node.Roster().Structures[0].ID
	b.post(path, "fingerprint", fingerprint, "code", s.code(t), "structures", structure.String()).leads("/departement/relais/")
	again := newcomer(t, "Port-Exemple", &territory.Replaced{Hub: lost.Hub.ID})
	path, fingerprint = s.asks(t, b, again)
	b.get(path).wants(http.StatusOK, htmlcheck.In("#replace"), htmlcheck.In("main", htmlcheck.HasText("Port-Exemple, qui ne parlera plus")))
	b.post(path, "fingerprint", fingerprint, "replace", "oui", "code", s.code(t)).leads("/departement/relais/")
	was, _ := s.node.Roster().Hub(lost.Hub.ID)
	served, _ := s.node.Roster().Structure(structure)
	if was.State != territory.HubExpelled || !served.ServedBy(again.Hub.ID) {
		t.Errorf("state %s, served by %v", was.State, served.Serving)
	}
	t.Run("ErrClosed", func(t *testing.T) { // what was closed is not closed elsewhere by who comes after
		far := &territory.Replaced{Hub: lost.Hub.ID, Cuts: []territory.Cut{{Incarnation: 1, Seq: 9000, Hash: make([]byte, 32)}}}
		path, fingerprint := s.asks(t, b, newcomer(t, "Le-bus", far))
		b.get(path).wants(http.StatusOK, htmlcheck.In("main", htmlcheck.HasText("déjà exclu")))
		b.post(path, "fingerprint", fingerprint, "replace", "oui", "code", s.code(t)).leads("/departement/relais/")
		if was, _ := s.node.Roster().Hub(lost.Hub.ID); len(was.Cuts) != 0 {
			t.Errorf("its logs end at %+v now", was.Cuts)
		}
	})
}

func TestExpel(t *testing.T) {
	s, b := newOffice(t)
	q := newcomer(t, "Port-Exemple", nil)
	path, fingerprint := s.asks(t, b, q)
	hub := b.post(path, "fingerprint", fingerprint, "code", s.code(t)).leads("/departement/relais/")
	form := b.get(hub+"/exclure").wants(http.StatusOK, htmlcheck.In("main", htmlcheck.HasText("C’est pour toujours")))
	seen := form.field("version")
	for name, typed := range map[string]string{"ErrNoName": "", "ErrOtherName": "Valbrume"} {
		t.Run(name, func(t *testing.T) {
			b.post(hub+"/exclure", "version", seen, "name", typed, "code", s.code(t)).wants(http.StatusUnprocessableEntity, htmlcheck.In("#name-erreur"))
		})
	}
	t.Run("ErrNoCode", func(t *testing.T) {
		b.post(hub+"/exclure", "version", seen, "name", "Port-Exemple").wants(http.StatusUnprocessableEntity, htmlcheck.In("#code-erreur"))
	})
	t.Run("ErrCode", func(t *testing.T) {
		b.post(hub+"/exclure", "version", seen, "name", "Port-Exemple", "code", "000000").wants(http.StatusUnauthorized, htmlcheck.In("#code-erreur"))
	})
	t.Run("ErrStale", func(t *testing.T) {
		code := s.code(t)
		refused := b.post(hub+"/exclure", "version", "1", "name", "Port-Exemple", "code", code)
		refused.wants(http.StatusConflict, htmlcheck.In("#erreur", htmlcheck.HasText("a changé depuis")))
		if refused.field("version") != seen {
			t.Error("the form is not of the present roster")
		}
	})
	t.Run("ErrForm", func(t *testing.T) {
		b.post(hub+"/exclure", "version", "x", "name", "Port-Exemple", "code", "1").wants(http.StatusUnprocessableEntity)
	})
	t.Run("ErrSelf", func(t *testing.T) {
		self := "/departement/relais/" + s.node.Self().String()
		b.get(self).wants(http.StatusOK, htmlcheck.None("a[href="+self+"/exclure]"))
		b.post(self+"/exclure", "version", seen, "name", "valbrume", "code", s.code(t)).wants(http.StatusUnprocessableEntity, htmlcheck.In("#erreur"))
	})
	if listed, _ := s.node.Roster().Hub(q.Hub.ID); listed.State != territory.HubActive {
		t.Fatal("a refused form put the hub out")
	}
	before := s.version()
	fields := []string{"version", seen, "name", "port-exemple", "code", s.code(t)}
	b.post(hub+"/exclure", fields...).leads(hub)
	b.get(hub).wants(http.StatusOK, htmlcheck.In(".flash", htmlcheck.HasText("est exclu")), htmlcheck.In(".badge.out"), htmlcheck.None("a[href="+hub+"/exclure]"))
	b.post(hub+"/exclure", fields...).leads(hub)
	b.get(hub + "/exclure").leads(hub)
	if s.version() != before+1 {
		t.Errorf("roster %d after one expulsion sent twice, of %d", s.version(), before)
	}
}

func TestStructureForm(t *testing.T) {
	s, b := newOffice(t)
	const path = "/departement/structures/nouvelle"
	self := s.node.Self().String()
	seen := b.get(path).wants(http.StatusOK, htmlcheck.Count("input[name=scopes]", 10)).field("version")
	fields := func(change ...string) []string {
		all := []string{"version", seen, "name", "France Services de Test", "address", "1 rue du Test", "siret", "123 456 789 00012", "state", "open", "scopes", "argent", "scopes", "famille", "hubs", self}
		for i := 0; i < len(change); i += 2 {
			if at := slices.Index(all, change[i]); at >= 0 {
				all[at+1] = change[i+1]
			} else {
				all = append(all, change[i:i+2]...)
			}
		}
		return all
	}
	for field, bad := range map[string]string{
		"name": " ", "address": strings.Repeat("a", 201), "siret": "1234", "state": "half-open", "scopes": "lottery",
	} {
		t.Run(field, func(t *testing.T) {
			refused := b.post(path, fields(field, bad, "code", s.code(t))...)
			refused.wants(http.StatusUnprocessableEntity, htmlcheck.In("#"+field+"-erreur", htmlcheck.HasAttr("role", "alert")), htmlcheck.In("#code", htmlcheck.HasAttr("value", "")))
			if field != "address" && refused.field("address") != "1 rue du Test" {
				t.Error("what was typed is lost")
			}
		})
	}
	t.Run("ErrTaken", func(t *testing.T) {
		b.post(path, fields("name", s.node.Roster().Structures[0].Name, "code", s.code(t))...).wants(http.StatusConflict, htmlcheck.In("#name-erreur"))
	})
	t.Run("ErrNoCode", func(t *testing.T) {
		b.post(path, fields()...).wants(http.StatusUnprocessableEntity, htmlcheck.In("#code-erreur"))
	})
	if len(s.node.Roster().Structures) != 2 {
		t.Fatal("a refused form changed the roster")
	}
	once := fields("code", s.code(t))
	b.post(path, once...).leads("/departement/structures")
	b.post(path, once...).wants(http.StatusConflict, htmlcheck.In("#erreur", htmlcheck.HasText("a changé depuis")))
	added := s.node.Roster().Structures[2]
	if len(s.node.Roster().Structures) != 3 || added.SIRET != "12345678900012" || !slices.Equal(added.Scopes, []string{"argent", "famille"}) || !added.ServedBy(s.node.Self()) {
		t.Fatalf("%d structures, the last %+v", len(s.node.Roster().Structures), added)
	}
	t.Run("change", func(t *testing.T) {
		address := "/departement/structures/" + added.ID.String()
		form := b.get(address).wants(http.StatusOK, htmlcheck.In("#name", htmlcheck.HasAttr("value", "France Services de Test")))
		b.post(address, "version", form.field("version"), "name", added.Name, "state", "suspended", "code", s.code(t)).leads("/departement/structures")
		now, _ := s.node.Roster().Structure(added.ID)
		if now.State != territory.StructureSuspended || len(now.Scopes) != 0 || len(now.Serving) != 0 {
			t.Errorf("%+v", now)
		}
		b.get("/departement/registre").wants(http.StatusOK, htmlcheck.In(".history", htmlcheck.HasText("est maintenant suspendue")))
	})
	t.Run("ErrUnknown", func(t *testing.T) {
		b.get("/departement/structures/" + territory.StructureID{9}.String()).wants(http.StatusNotFound)
	})
}

func TestRegistry(t *testing.T) {
	s, b := newOffice(t)
	const path, key = "/departement/registre", "/departement/registre/cle"
	seen := b.get(path).wants(http.StatusOK, htmlcheck.In(".history", htmlcheck.HasText("Le premier registre"))).field("version")
	for name, days := range map[string]string{"ErrZero": "0", "ErrLong": "1001", "ErrWord": "beaucoup"} {
		t.Run(name, func(t *testing.T) {
			b.post(path, "version", seen, "days", days, "code", s.code(t)).wants(http.StatusUnprocessableEntity,
				htmlcheck.In("#days-erreur"), htmlcheck.In("#days", htmlcheck.HasAttr("value", days)))
		})
	}
	t.Run("ErrCode", func(t *testing.T) {
		b.post(path, "version", seen, "days", "90", "code", "000000").wants(http.StatusUnauthorized, htmlcheck.In("#code-erreur"))
		b.post(key, "version", seen, "code", " ").wants(http.StatusUnprocessableEntity, htmlcheck.In("#code-erreur"))
	})
	if s.version() != 1 {
		t.Fatal("a refused form issued a roster")
	}
	t.Run("renew, sent twice", func(t *testing.T) {
		fields := []string{"version", seen, "days", "90", "code", s.code(t)}
		b.post(path, fields...).leads(path)
		b.post(path, fields...).wants(http.StatusConflict, htmlcheck.In("#erreur", htmlcheck.HasText("a changé depuis")))
		r := s.node.Roster()
		if r.Version != 2 || r.ExpiresAt.Sub(r.IssuedAt).Hours() != 90*24 {
			t.Errorf("roster %d from %s to %s", r.Version, r.IssuedAt, r.ExpiresAt)
		}
	})
	t.Run("rotate, sent twice", func(t *testing.T) {
		was := s.node.RootKey()
		fields := []string{"version", b.get(key).wants(http.StatusOK).field("version"), "code", s.code(t)}
		b.post(key, fields...).leads(path)
		turned := s.node.RootKey()
		b.post(key, fields...).wants(http.StatusConflict, htmlcheck.In("#erreur"))
		if turned == was || s.node.RootKey() != turned || s.version() != 3 {
			t.Errorf("root turned %v, then %v; roster %d", turned != was, s.node.RootKey() != turned, s.version())
		}
		b.get(path).wants(http.StatusOK, htmlcheck.In(".history", htmlcheck.HasText("une nouvelle clé du territoire")))
	})
}

// TestRootElsewhere: what needs a signature is said with its command, and sent
// anyway it changes nothing. Inviting and refusing stay.
func TestRootElsewhere(t *testing.T) {
	s := newSite(t)
	b := s.departement(t)
	q := newcomer(t, "Port-Exemple", nil)
	path, fingerprint := s.asks(t, b, q)
	for address, command := range map[string]string{
		path: "--fingerprint '…' " + q.Hub.ID.String(),
		"/departement/relais/" + s.node.Self().String() + "/exclure": "relais territory expel --root DOSSIER --passphrase-file FICHIER " + s.node.Self().String(),
		"/departement/structures":                                    "relais territory structure",
		"/departement/registre":                                      "relais territory issue",
		"/departement/registre/cle":                                  "relais territory rotate-root",
	} {
		b.get(address).wants(http.StatusOK, htmlcheck.In(".elsewhere", htmlcheck.HasText(command)), htmlcheck.None("#code"))
	}
	b.get("/departement/inviter").wants(http.StatusOK, htmlcheck.In(".note.warn", htmlcheck.HasText("Vous pouvez inviter ici, pas approuver")))
	invited := b.post("/departement/inviter", "site", "la gare", "life", "7").leads("/departement/invitations/i_")
	b.get(invited).wants(http.StatusOK, htmlcheck.In(".next", htmlcheck.HasText("avec le fichier de la clé du territoire")))
	b.post(path, "fingerprint", fingerprint, "code", s.code(t)).wants(http.StatusServiceUnavailable, htmlcheck.In("[role=alert]", htmlcheck.HasText("relais territory")))
	b.post("/departement/registre", "version", "1", "days", "90", "code", s.code(t)).wants(http.StatusServiceUnavailable)
	if s.version() != 1 {
		t.Error("a roster was issued without its root")
	}
	b.post(path + "/refuser").leads("/departement")
}

// TestPlantedOnOffice types markup where the département types words.
func TestPlantedOnOffice(t *testing.T) {
	s, b := newOffice(t)
	pages := &visited{t: t}
	const planted = `Zélie<script>alert(1)</script>"onfocus="x`
	pages.see(b.post("/departement/inviter", "site", planted, "life", "0"))
	pages.see(b.get(b.post("/departement/inviter", "site", planted, "life", "7").leads("/departement/invitations/")))
	pages.see(b.get("/departement/inviter"))
	path, fingerprint := s.asks(t, b, newcomer(t, "Zelie", nil))
	pages.see(b.get(path))
	pages.see(b.post(path, "fingerprint", planted, "code", "1"))
	hub := b.post(path, "fingerprint", fingerprint, "code", s.code(t)).leads("/departement/relais/")
	pages.see(b.post(hub+"/exclure", "version", "2", "name", planted, "code", "1"))
	fields := []string{"version", "2", "name", planted, "address", planted, "state", "open", "hubs", s.node.Self().String(), "code", s.code(t)}
	pages.see(b.post("/departement/structures/nouvelle", append([]string{"siret", planted}, fields...)...))
	b.post("/departement/structures/nouvelle", append(fields, "code", "")...).leads("/departement/structures")
	added := s.node.Roster().Structures[2].ID.String()
	for _, path := range []string{"/departement", hub, hub + "/exclure", "/departement/structures", "/departement/structures/" + added, "/departement/registre"} {
		pages.see(b.get(path))
	}
	if pages.named < 5 {
		t.Errorf("only %d pages show what was planted: the test sees too little", pages.named)
	}
	for _, word := range []string{"Zélie", s.helper.Passphrase, "Alex"} {
		if strings.Contains(s.logs.String(), word) {
			t.Errorf("the log contains %q", word)
		}
	}
}
