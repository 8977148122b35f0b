package webui_test

import (
	"net/http"
	"strings"
	"testing"

	"relais/webui/internal/htmlcheck"
)

func TestSentTwice(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t)
	t.Run("accompaniment", func(t *testing.T) {
		form := b.get("/bureau/accompagnements/nouveau")
		fields := []string{"id", form.field("id"), "posture", "forme", "theme", ""}
		first := b.post("/bureau/accompagnements/nouveau", fields...).leads("/bureau/accompagnements/v_")
		if second := b.post("/bureau/accompagnements/nouveau", fields...).leads("/bureau/accompagnements/v_"); second != first {
			t.Errorf("two visits: %s and %s", first, second)
		}
		b.get("/bureau").wants(http.StatusOK, htmlcheck.In(".queue", htmlcheck.HasText("J")), htmlcheck.Count(".queue", 1))
		b.post(first + "/fin").leads("/bureau")
		b.post(first + "/fin").leads("/bureau")
	})
	visit := b.visit()
	b.fill(visit)
	recap := b.get(visit + "/mandat/relire")
	fields := []string{"recap", recap.field("recap"), "code", s.code(t)}
	paper := b.post(visit+"/mandat/relire", fields...).leads("/bureau/mandats/m_")
	t.Run("grant", func(t *testing.T) {
		if second := b.post(visit+"/mandat/relire", fields...).leads("/bureau/mandats/m_"); second != paper {
			t.Errorf("two mandates: %s and %s", paper, second)
		}
		b.get("/bureau/mandats").wants(http.StatusOK, htmlcheck.Count("tbody", 1), htmlcheck.Count("td[data-label=Fin]", 1))
	})
	mandate := paper[:len(paper)-len("/papier")]
	b.paper(mandate)
	t.Run("paper", func(t *testing.T) { b.post(mandate+"/papier", "signed", "oui", "handed", "oui").leads(mandate) })
	t.Run("act", func(t *testing.T) {
		form := b.get(mandate + "/demarche")
		fields := []string{"id", form.field("id"), "line", "2", "channel", "desk", "present", "oui"}
		b.post(mandate+"/demarche", fields...).leads(mandate)
		b.post(mandate+"/demarche", fields...).leads(mandate)
		b.get(mandate).wants(http.StatusOK, htmlcheck.In(".plainlist", htmlcheck.Count("li", 1)))
	})
	t.Run("stop", func(t *testing.T) {
		for range 2 {
			b.post(mandate+"/arreter", "reason", "person").leads(mandate)
			b.get(mandate).wants(http.StatusOK, state("stopped"), htmlcheck.In("#recu-numero"))
		}
		b.get(mandate).wants(http.StatusOK, htmlcheck.None("#recu-numero")) // shown once
	})
}

func TestPersonStep(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t)
	visit := b.visit()
	change := func(name, value string) []string {
		fields := append([]string{}, person...)
		for i := 0; i < len(fields); i += 2 {
			if fields[i] == name {
				fields[i+1] = value
			}
		}
		return fields
	}
	for name, value := range map[string]string{
		"given": "", "family": " ", "birth_date": "hier", "birth_place": "", "evidence": "rumour",
		"adult": "non", "protected": "oui", "willing": "",
	} {
		t.Run(name, func(t *testing.T) {
			refused := b.post(visit+"/mandat/personne", change(name, value)...)
			refused.wants(http.StatusUnprocessableEntity, htmlcheck.In("#"+name+"-erreur", htmlcheck.HasAttr("role", "alert")),
				htmlcheck.In("title", htmlcheck.HasText("Erreur : ")))
			if name != "given" && refused.field("given") != "Dominique" {
				t.Error("what was typed is lost")
			}
		})
	}
	t.Run("too young", func(t *testing.T) {
		b.post(visit+"/mandat/personne", change("birth_date", "01/01/2024")...).wants(http.StatusUnprocessableEntity, htmlcheck.In("#birth_date-erreur"))
	})
	b.get(visit + "/mandat/relire").leads(visit + "/mandat/personne")
	b.post(visit+"/mandat/personne", person...).leads(visit + "/mandat/services")
}

func TestServicesStep(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t)
	visit := b.visit()
	b.post(visit+"/mandat/personne", person...).leads(visit)
	path := visit + "/mandat/services"
	line := services[:6:6]
	t.Run("add a line", func(t *testing.T) {
		b.post(path, append(line, "action", "ajouter")...).wants(http.StatusOK, htmlcheck.Count("fieldset", 2),
			htmlcheck.In("#line_1_service", htmlcheck.HasAttr("value", "impots.gouv.fr")), htmlcheck.In("#line_2_acts"), htmlcheck.In(".warn"))
	})
	t.Run("remove a line", func(t *testing.T) {
		b.post(path, append(services, "action", "retirer-1")...).wants(http.StatusOK, htmlcheck.Count("fieldset", 1),
			htmlcheck.In("#line_1_service", htmlcheck.HasAttr("value", "caf.fr")))
	})
	t.Run("ErrNoAct", func(t *testing.T) {
		b.post(path, "line_1_scope", "social", "line_1_service", "ameli.fr", "line_1_acts", " \n ").wants(http.StatusUnprocessableEntity, htmlcheck.In("#line_1_acts-erreur"))
	})
	t.Run("ErrNoLine", func(t *testing.T) {
		b.post(path).wants(http.StatusUnprocessableEntity, htmlcheck.In("#line_1_scope-erreur"))
	})
	t.Run("ErrStale", func(t *testing.T) {
		stale := b.get(path).field("version")
		b.post(path, append([]string{"version", stale}, services...)...).leads(visit + "/mandat/duree")
		refused := b.post(path, append([]string{"version", stale}, line...)...).wants(http.StatusConflict, htmlcheck.In("[role=alert]"))
		b.post(path, append([]string{"version", refused.field("version")}, line...)...).leads(visit + "/mandat/duree")
	})
}

func TestRecapStep(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t)
	visit := b.visit()
	b.fill(visit)
	path := visit + "/mandat/relire"
	recap := b.get(path).wants(http.StatusOK, htmlcheck.In("blockquote", htmlcheck.HasText("Vous pouvez arrêter ce mandat à tout moment")),
		htmlcheck.In("details", htmlcheck.HasText("Ce que le mandat ne permet pas")))
	t.Run("ErrCode", func(t *testing.T) {
		b.post(path, "recap", recap.field("recap"), "code", "000000").wants(http.StatusUnauthorized, htmlcheck.In("[role=alert]"), htmlcheck.In("#code"))
	})
	t.Run("ErrOtherRecap", func(t *testing.T) {
		b.post(visit+"/mandat/duree", "term", "LONG").leads(path)
		b.post(path, "recap", recap.field("recap"), "code", s.code(t)).wants(http.StatusConflict, htmlcheck.In("[role=alert]"))
	})
	t.Run("ErrForm", func(t *testing.T) {
		b.post(path, "recap", "zz", "code", "123456").wants(http.StatusUnprocessableEntity)
	})
}

// TestEnding: the reminder counts what its link shows, and not a mandate of 31
// days.
func TestEnding(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t)
	agree := func(want int) {
		t.Helper()
		b.get("/bureau").wants(http.StatusOK, htmlcheck.In("a[href=/bureau/mandats?fin=30]"), htmlcheck.Count(".count.due", want))
		b.get("/bureau/mandats?fin=30").wants(http.StatusOK, htmlcheck.Count("td[data-label=Fin]", want),
			htmlcheck.In("[aria-current=true]", htmlcheck.HasText("finissent d’ici 30 jours")))
	}
	b.paper(s.grant(t, b))
	agree(0)
	visit := b.visit()
	b.fill(visit)
	b.post(visit+"/mandat/duree", "term", "SHORT").leads(visit + "/mandat/relire")
	recap := b.get(visit + "/mandat/relire")
	paper := b.post(visit+"/mandat/relire", "recap", recap.field("recap"), "code", s.code(t)).leads("/bureau/mandats/m_")
	b.paper(strings.TrimSuffix(paper, "/papier"))
	agree(1)
}

func TestStopAtDesk(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t)
	mandate := s.grant(t, b)
	b.paper(mandate)
	t.Run("ErrNoReason", func(t *testing.T) {
		b.post(mandate+"/arreter", "lines", "1").wants(http.StatusUnprocessableEntity, htmlcheck.In("#reason-erreur"))
	})
	t.Run("ErrNoLine", func(t *testing.T) {
		b.post(mandate+"/arreter", "choice", "1", "reason", "done").wants(http.StatusUnprocessableEntity, htmlcheck.In("#lines-erreur"))
	})
	t.Run("one line", func(t *testing.T) {
		b.post(mandate+"/arreter", "choice", "1", "lines", "2", "reason", "person").leads(mandate)
		b.get(mandate).wants(http.StatusOK, state("partly"), htmlcheck.Count("li.usable", 1), htmlcheck.Count("li.refused", 1),
			htmlcheck.In(".receipt", htmlcheck.HasText("les lignes choisies")))
		b.get(mandate+"/arreter").wants(http.StatusOK, htmlcheck.Count("input[name=lines]", 1))
	})
	t.Run("the rest", func(t *testing.T) {
		b.post(mandate+"/arreter", "choice", "1", "lines", "1", "reason", "1").leads(mandate)
		b.get(mandate).wants(http.StatusOK, state("stopped"), htmlcheck.In("#etat", htmlcheck.HasText("au bureau de Valbrume")))
	})
}

func TestKioskRefusals(t *testing.T) {
	s := newSite(t)
	kiosk := s.browser(t, kioskName)
	t.Run("ErrEmpty", func(t *testing.T) {
		kiosk.post("/kiosque/arreter", "code", " ").wants(http.StatusUnprocessableEntity, htmlcheck.In("#code-erreur"))
	})
	t.Run("ErrMalformed", func(t *testing.T) {
		kiosk.post("/kiosque/arreter", "code", "7K3M").wants(http.StatusUnprocessableEntity, htmlcheck.In("#code", htmlcheck.HasAttr("value", "7K3M")))
	})
	t.Run("the wait grows and ends", func(t *testing.T) {
		wrong := "0000-0000-0000-0000-0"
		waited := false
		for range 12 {
			answer := kiosk.post("/kiosque/arreter", "code", wrong)
			if answer.StatusCode == http.StatusTooManyRequests {
				waited = true
				answer.wants(http.StatusTooManyRequests, htmlcheck.In("[data-wait]", htmlcheck.HasText("Attendez")))
				answer.waits()
				break
			}
			answer.wants(http.StatusNotFound, htmlcheck.In("#code-erreur"))
		}
		if !waited {
			t.Error("twelve wrong codes and no wait")
		}
	})
}
