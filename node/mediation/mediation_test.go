package mediation_test

import (
	"testing"
	"time"

	"relais/node/mediation"
)

func TestPostures(t *testing.T) {
	for _, p := range mediation.Postures() {
		if !p.Valid() || p.Label() == "" || p.Description() == "" {
			t.Errorf("posture %q says nothing", p)
		}
		if p.AllowsMandate() != (p == mediation.PostureDo) {
			t.Errorf("posture %q: allows a mandate %v", p, p.AllowsMandate())
		}
	}
	if unknown := mediation.Posture("regarde"); unknown.Valid() || unknown.AllowsMandate() || unknown.Label() != "" || unknown.Description() != "" {
		t.Error("an unknown posture passes for one")
	}
}

func TestOpen(t *testing.T) {
	var visit mediation.Accompaniment
	if !visit.Open() {
		t.Error("a visit that was not closed is not open")
	}
	visit.ClosedAt = time.Unix(1, 0)
	if visit.Open() {
		t.Error("a closed visit is open")
	}
}
