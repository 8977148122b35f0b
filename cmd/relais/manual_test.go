package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
)

// usageOf returns what `relais VERB -h` prints.
func usageOf(t *testing.T, verb string) string {
	t.Helper()
	var out bytes.Buffer
	args := append(strings.Fields(verb), "-h")
	if status := run(t.Context(), stdio{strings.NewReader(""), &out, &out}, args); status != exitOK {
		t.Fatalf("relais %s -h: exit status %d", verb, status)
	}
	return out.String()
}

// Every verb has its section in the manual, and every flag is in the section of
// its verb.
func TestManual(t *testing.T) {
	page, err := os.ReadFile("../../packaging/relais.1")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(page), `\-`, "-")
	sections := map[string]string{}
	for _, section := range strings.Split(text, "\n.SS ")[1:] {
		title, body, _ := strings.Cut(section, "\n")
		body, _, _ = strings.Cut(body, "\n.SH ")
		sections[title] = body
	}
	var all []string
	for _, v := range verbs() {
		switch v.name {
		case "territory":
			for _, sub := range territoryVerbs() {
				all = append(all, "territory "+sub.name)
			}
		case "helper":
			all = append(all, "helper add")
		default:
			all = append(all, v.name)
		}
	}
	flagLine := regexp.MustCompile(`(?m)^  -([a-z-]+)`)
	flagged := 0
	for _, verb := range all {
		body, found := sections[verb]
		if !found {
			t.Errorf("the manual has no section on relais %s", verb)
			continue
		}
		for _, f := range flagLine.FindAllStringSubmatch(usageOf(t, verb), -1) {
			flagged++
			if !regexp.MustCompile(`(?m)^\.BI? .*--` + f[1] + `\b`).MatchString(body) {
				t.Errorf("the manual does not explain relais %s --%s", verb, f[1])
			}
		}
	}
	if flagged < 30 {
		t.Errorf("the search finds %d flags", flagged)
	}
	for _, file := range []string{"relais.db", "keyring.json", "software.key", "lock", "roster.note", "hub.json", "ca.pem", "control.sock", "root.age", "root.pub", "draft.json"} {
		if !regexp.MustCompile(`(?m)^\.IR? .*\b` + regexp.QuoteMeta(file)).MatchString(text) {
			t.Errorf("the manual does not list the file %s", file)
		}
	}
	for status := range 6 {
		if !strings.Contains(text, "\n.B "+string(rune('0'+status))+"\n") {
			t.Errorf("the manual does not list exit status %d", status)
		}
	}
}
