package main

import (
	"os"
	"regexp"
	"testing"
)

// Every alarm that a hub can raise has a remedy, for relais status and for relais
// doctor.
func TestRemedies(t *testing.T) {
	source, err := os.ReadFile("../../node/alarms.go")
	if err != nil {
		t.Fatal(err)
	}
	raised := regexp.MustCompile(`\badd\("([a-z-]+)"`).FindAllSubmatch(source, -1)
	if len(raised) < 10 {
		t.Fatalf("the search finds %d alarms", len(raised))
	}
	for _, found := range raised {
		if words := remedies[string(found[1])]; words.english == "" || words.french == "" {
			t.Errorf("alarm %s has no remedy in both languages", found[1])
		}
	}
	if remedy("unheard-of") == "" {
		t.Error("an unknown alarm has no remedy at all")
	}
}
