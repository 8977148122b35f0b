package webui_test

import (
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"relais/node"
	"relais/node/record"
	"relais/webui/internal/htmlcheck"
)

const worklistPath = "/bureau/a-faire"

// values reads the value of every control of a name.
func (a answer) values(name string) (all []string) {
	a.t.Helper()
	doc, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		a.t.Fatal(err)
	}
	for _, n := range htmlcheck.Find(doc, "input[name="+name+"]") {
		all = append(all, htmlcheck.Attr(n, "value"))
	}
	return all
}

const stillActive = "Arrêté dans nos relais. Encore actif dans Aidants Connect jusqu’à ce que votre structure l’y arrête."

// TestWorklist plays a stop at the kiosk to its end: the receipt says what is still
// active, who is to stop it and until when; the structure's helpers find it on their
// list, and note by hand that it is done.
func TestWorklist(t *testing.T) {
	s := newSite(t)
	desk, other := s.signedIn(t), s.otherDesk(t)
	desk.get("/bureau").wants(http.StatusOK, htmlcheck.In("a[href="+worklistPath+"]"), htmlcheck.None(".count.due"))
	mandate := s.mirror(t, desk, "Dominique")
	code := desk.slip(mandate)
	kiosk := s.browser(t, kioskName)
	before := kiosk.get("/kiosque/arreter").body
	kiosk.post("/kiosque/arreter", "code", code).leads("/kiosque/recu")
	receipt := kiosk.get("/kiosque/recu").wants(http.StatusOK, htmlcheck.In(".receipt", htmlcheck.HasText(stillActive)),
		htmlcheck.In(".receipt", htmlcheck.HasText("Maison de services (démo), au relais de Valbrume, doit l’y arrêter avant le ")))
	for _, word := range []string{"Dominique", "Exemple", "1950", "Argent", "Santé", "Camille"} {
		if strings.Contains(receipt.body+before, word) {
			t.Errorf("the kiosk says %q", word)
		}
	}
	if strings.Contains(before, "Aidants Connect") || strings.Contains(before, "Maison de services") {
		t.Error("the kiosk says something of a mandate before the stop")
	}

	desk.get(mandate).wants(http.StatusOK, state("stopped"), htmlcheck.In(".note.warn", htmlcheck.HasText(stillActive)))
	desk.get(mandate+"/demarche").wants(http.StatusOK, htmlcheck.In(".note.warn", htmlcheck.HasText(stillActive)))
	other.get(mandate).wants(http.StatusOK, htmlcheck.In(".note.warn", htmlcheck.HasText(stillActive)))
	desk.get("/bureau").wants(http.StatusOK, htmlcheck.Count(".count.due", 1), htmlcheck.None(".note.warn"))
	list := desk.get(worklistPath).wants(http.StatusOK, htmlcheck.Count("section.work", 1), htmlcheck.In("h2", htmlcheck.HasText("Dominique Exemple")),
		htmlcheck.In("section.work", htmlcheck.HasText("à la borne de Valbrume")), htmlcheck.In("section.work", htmlcheck.HasText("Camille Essai")))
	items := list.values("items")
	if len(items) != 1 {
		t.Fatalf("%d items", len(items))
	}
	t.Run("ErrOtherStructure", func(t *testing.T) {
		other.get(worklistPath).wants(http.StatusOK, htmlcheck.None("section.work"), htmlcheck.In(".empty"))
		other.post(worklistPath, "items", items[0], "done", list.field("done")).wants(http.StatusConflict, htmlcheck.In("[role=alert]"))
		other.post(worklistPath + "/" + items[0] + "/reprendre").wants(http.StatusConflict)
	})
	t.Run("ErrForm", func(t *testing.T) {
		desk.post(worklistPath, "items", items[0], "done", "hier").wants(http.StatusUnprocessableEntity, htmlcheck.In("[role=alert]"),
			htmlcheck.In("#done", htmlcheck.HasAttr("value", "hier")))
		desk.post(worklistPath, "done", list.field("done")).wants(http.StatusUnprocessableEntity, htmlcheck.In("[role=alert]"))
		desk.post(worklistPath, "items", "m_12", "done", list.field("done")).wants(http.StatusUnprocessableEntity)
	})
	t.Run("done", func(t *testing.T) {
		day := desk.get(worklistPath).field("done")
		for range 2 {
			desk.post(worklistPath, "items", items[0], "done", day).leads(worklistPath)
		}
		desk.get(worklistPath).wants(http.StatusOK, htmlcheck.None("section.work"), htmlcheck.In("details", htmlcheck.HasText("noté par Camille Essai")))
		desk.get("/bureau").wants(http.StatusOK, htmlcheck.None(".note.warn"), htmlcheck.None(".count.due"))
		desk.get(mandate).wants(http.StatusOK, htmlcheck.In(".note.ok", htmlcheck.HasText("Arrêté aussi dans Aidants Connect")))
	})
	t.Run("taken back", func(t *testing.T) {
		desk.post(worklistPath + "/" + items[0] + "/reprendre").leads(worklistPath)
		desk.get(worklistPath).wants(http.StatusOK, htmlcheck.Count("section.work", 1), htmlcheck.In(".flash"))
	})
}

// TestDeskReceiptOfMirror: at a desk too, for lines, and for a mandate made here it
// says nothing of the kind.
func TestDeskReceiptOfMirror(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t)
	mandate := s.mirror(t, b, "Sacha")
	b.post(mandate+"/arreter", "choice", "1", "lines", "2", "reason", "person").leads(mandate)
	b.get(mandate).wants(http.StatusOK, htmlcheck.In(".receipt", htmlcheck.HasText(stillActive)))
	b.get(worklistPath).wants(http.StatusOK, htmlcheck.In("section.work", htmlcheck.HasText("Argent")))
	local := s.grant(t, b)
	b.paper(local)
	b.post(local+"/arreter", "reason", "person").leads(local)
	if page := b.get(local).wants(http.StatusOK, htmlcheck.In(".receipt")); strings.Contains(page.body, "Encore actif") {
		t.Error("a mandate made here is said to be active elsewhere")
	}
}

// TestLateWork: a deadline that passed raises attention on the first page.
func TestLateWork(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t)
	fields := append(s.mirrorFields(1, "Alix"), "id", b.get(mirrorsPath).field("id"), "paper", "oui", "code", s.code(t))
	fields[7] = s.clock.Now().AddDate(0, 0, -20).Format("02/01/2006")
	address := strings.TrimSuffix(b.post(mirrorsPath, fields...).leads("/bureau/mandats/m_"), "/papier")
	stop := node.DeskStop{Reason: record.ReasonPerson, Claimed: s.clock.Now().AddDate(0, 0, -12)}
	if err := stop.Mandate.UnmarshalText([]byte(strings.TrimPrefix(address, "/bureau/mandats/"))); err != nil {
		t.Fatal(err)
	}
	by, err := s.node.Actor(t.Context(), s.helper.Helper)
	if err == nil {
		_, err = s.node.StopAtDesk(t.Context(), by, stop)
	}
	if err != nil {
		t.Fatal(err)
	}
	b.get("/bureau").wants(http.StatusOK, htmlcheck.In(".note.warn", htmlcheck.HasText("le délai est passé")))
	b.get(worklistPath).wants(http.StatusOK, htmlcheck.In(".badge.stopped", htmlcheck.HasText("1 mandat en retard")))
}

// slip reads the code on the paper of a mirror and hands it over.
func (b *browser) slip(mandate string) string {
	b.t.Helper()
	found := stopCode.FindStringSubmatch(b.get(mandate + "/papier").body)
	if found == nil {
		b.t.Fatal("no stop code on the paper")
	}
	b.post(mandate+"/papier", "signed", "oui", "handed", "oui").leads(mandate)
	return found[1]
}
