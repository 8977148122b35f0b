package locale_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"relais/node"
	"relais/node/mandate"
	"relais/node/record"
	"relais/webui/locale"
)

var (
	paris, _ = time.LoadLocation("Europe/Paris")
	now      = time.Date(2026, 11, 24, 9, 44, 0, 0, paris)
)

func TestMoment(t *testing.T) {
	for want, at := range map[string]time.Time{
		"aujourd’hui à 00:00":         time.Date(2026, 11, 24, 0, 0, 0, 0, paris),
		"hier à 23:59":                time.Date(2026, 11, 23, 23, 59, 0, 0, paris),
		"le 22 novembre 2026 à 09:44": now.AddDate(0, 0, -2),
		"le 1er mars 2026 à 08:05":    time.Date(2026, 3, 1, 8, 5, 0, 0, paris),
	} {
		if got := locale.Moment(now, at); got != want {
			t.Errorf("Moment %q, want %q", got, want)
		}
	}
	for want, at := range map[string]time.Time{
		"09:40":                    now.Add(-4 * time.Minute),
		"hier à 23:59":             time.Date(2026, 11, 23, 23, 59, 0, 0, paris),
		"le 22 octobre à 09:44":    now.AddDate(0, 0, -33),
		"le 1er mars 2025 à 08:05": time.Date(2025, 3, 1, 8, 5, 0, 0, paris),
	} {
		if got := locale.Since(now, at); got != want {
			t.Errorf("Since %q, want %q", got, want)
		}
	}
	if got := locale.Heard(now, time.Time{}); got != "jamais" {
		t.Errorf("Heard of never: %q", got)
	}
}

func TestFreshness(t *testing.T) {
	for _, test := range []struct {
		at             time.Time
		seen, expected int
		want           string
		fresh          bool
	}{
		{now.Add(-2 * time.Minute), 3, 3, "Informations à jour à 09:42 · 3 relais sur 3", true},
		{now.Add(-2 * time.Minute), 2, 3, "Informations à jour à 09:42 · 2 relais sur 3", false},
		{now.Add(-31 * time.Minute), 1, 3, "Hors ligne · informations à jour à 09:13 (il y a 31 min)", false},
		{now.Add(-31 * time.Minute), 2, 3, "Informations à jour à 09:13 (il y a 31 min) · 2 relais sur 3", false},
		{now.Add(-5 * time.Second), 1, 3, "Hors ligne · informations à jour à 09:43 (il y a 5 s)", false},
		{now.Add(-26 * time.Hour), 1, 3, "Hors ligne · informations à jour hier à 07:44", false},
		{time.Time{}, 1, 3, "Informations jamais comparées avec un autre relais · 1 relais sur 3", false},
		{time.Time{}, 1, 1, "Ce relais est seul dans son territoire", true},
	} {
		if got := locale.Freshness(now, test.at, test.seen, test.expected); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
		if got := locale.Fresh(now, test.at, test.seen, test.expected); got != test.fresh {
			t.Errorf("%q: fresh %v", test.want, got)
		}
	}
}

func TestOf(t *testing.T) {
	for site, want := range map[string]string{
		"Valbrume": "de Valbrume", "le bus": "du bus", "Ajaccio": "d’Ajaccio", "Évisa": "d’Évisa", "les Halles": "des Halles", "La Roche": "de La Roche", "": "de ",
	} {
		if got := locale.Of(site); got != want {
			t.Errorf("Of(%q) = %q, want %q", site, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	if got := locale.Wait(1500 * time.Millisecond); got != "2 secondes" {
		t.Errorf("Wait rounds down: %q", got)
	}
	if got := locale.StopLines(0); got != "tout le mandat" {
		t.Errorf("%q", got)
	}
	if got := locale.StopLines(mandate.Bits(1, 3)); got != "les lignes 1 et 3" {
		t.Errorf("%q", got)
	}
	if got := locale.And([]string{"a", "b", "c"}); got != "a, b et c" {
		t.Errorf("%q", got)
	}
	if _, err := locale.Kiosk("no.such.key"); err == nil {
		t.Error("a missing sentence was found")
	}
}

// TestEveryStateSpeaks wants a word and a sentence for each state, and a
// sentence for each reason to refuse.
func TestEveryStateSpeaks(t *testing.T) {
	stop := node.StopView{Stop: mandate.Stop{Channel: record.ChannelKiosk, ReceivedAt: now.Add(-16 * time.Hour)}, WhereName: "Port-Exemple"}
	for _, s := range []mandate.State{
		mandate.StateAwaitingPaper, mandate.StateActive, mandate.StatePartly, mandate.StateStopped, mandate.StateDone, mandate.StateExpired, mandate.StateUnusable,
	} {
		if locale.State(s) == string(s) || locale.StateSentence(now, paris, s, now, []node.StopView{stop}, false) == "" {
			t.Errorf("%s says nothing", s)
		}
	}
	want := "Ce mandat a été arrêté hier à 17:44 à la borne de Port-Exemple. Vous ne pouvez plus l’utiliser. Si la personne est là, proposez un nouveau mandat."
	if got := locale.StateSentence(now, paris, mandate.StateStopped, now, []node.StopView{stop}, false); got != want {
		t.Errorf("%q", got)
	}
	for _, w := range []mandate.Why{
		mandate.WhyUnknown, mandate.WhyConflict, mandate.WhyStopped, mandate.WhyNotStarted, mandate.WhyExpired, mandate.WhyDone,
		mandate.WhyNoSuchLine, mandate.WhyStructure, mandate.WhyHelper, mandate.WhyPaper, mandate.WhyQuarantined, mandate.WhyClock, "another",
	} {
		if locale.Why(mandate.Verdict{Why: w}) == "" {
			t.Errorf("%s says nothing", w)
		}
	}
}

var (
	actions = regexp.MustCompile(`(?s)\{\{.*?\}\}|<[^>]*>`)
	comment = regexp.MustCompile(`(?m)//.*$`)
	quoted  = regexp.MustCompile(`"[^"\n]*"`)
	// A straight apostrophe between letters, or an ordinary space where French
	// wants one that does not break.
	wrong = regexp.MustCompile(`\p{L}'\p{L}|\S [:;!?»]|« `)
)

// TestTypography reads the sources: what is right there is right on screen.
func TestTypography(t *testing.T) {
	templates, err := filepath.Glob("../template/*.tmpl")
	if err != nil || len(templates) < 20 {
		t.Fatal(templates, err)
	}
	for _, file := range templates {
		checkText(t, file, actions.ReplaceAllString(read(t, file), "\n"))
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range sources {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		checkText(t, file, strings.Join(quoted.FindAllString(comment.ReplaceAllString(read(t, file), ""), -1), "\n"))
	}
	if !wrong.MatchString("C'est quoi ?") || wrong.MatchString("C’est quoi\u00a0?") {
		t.Error("the test does not see what it looks for")
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func checkText(t *testing.T, file, text string) {
	t.Helper()
	for line := range strings.SplitSeq(text, "\n") {
		if found := wrong.FindString(line); found != "" {
			t.Errorf("%s: %q in %q", file, found, strings.TrimSpace(line))
		}
	}
}
