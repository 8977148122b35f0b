package main

import (
	"flag"
	"testing"
)

// programKills is at how many moments TestProgramKilled kills the program in each of
// its works, spread over all that there are.
var programKills = flag.Int("programkills", 2, "moments at which each work of the program is killed")

// A programWork is what the program does with its TPM.
type programWork struct {
	name string
	// do does it once on a hub that was made, and tells whether it was killed at that
	// moment. A program that serves goes on.
	do func(h *doomedHub, t *testing.T, at moment) (killed bool)
	// mend is what a person does after a kill before the hub serves again; nil: nothing.
	mend func(h *doomedHub, t *testing.T)
}

var programWorks = []programWork{
	{"init", func(h *doomedHub, t *testing.T, at moment) bool {
		h.machine.Stop()
		*h = *newDoomedHub(t) // it is made once only
		h.bus.aim(at)
		return unlessFailed(t)(h.init(t))
	}, (*doomedHub).makesAgain},
	{"serve", func(h *doomedHub, t *testing.T, at moment) bool { // the link's certificate, and where the counter stands
		h.bus.aim(at)
		return h.start(t)
	}, nil},
	{"signature", func(h *doomedHub, t *testing.T, at moment) bool { // counted, then signed
		h.bus.aim(moment{})
		h.start(t)
		h.drawsUp(t)
		h.bus.aim(at)
		h.bus.victim.Store(h.process.cmd.Process)
		h.stopsALine(t)
		return h.diesOrRests(t)
	}, nil},
	{"recover", func(h *doomedHub, t *testing.T, at moment) bool {
		clearTPM(t, h.machine)
		h.bus.aim(at)
		return unlessFailed(t)(h.recover(t))
	}, (*doomedHub).recoversAgain},
	{"new identity", func(h *doomedHub, t *testing.T, at moment) bool {
		h.machine.Stop()
		*h = *newDoomedHub(t) // an identity that nobody heard of is not replaced
		h.mustInit(t)
		h.bus.aim(at)
		return unlessFailed(t)(h.newIdentity(t))
	}, (*doomedHub).newIdentityAgain},
	{"rekey", func(h *doomedHub, t *testing.T, at moment) bool {
		h.bus.aim(at)
		return unlessFailed(t)(h.rekey(t))
	}, (*doomedHub).hasACode},
}

// unlessFailed ends the test when a verb failed and was not killed.
func unlessFailed(t *testing.T) func(killed bool, err error) bool {
	return func(killed bool, err error) bool {
		t.Helper()
		if err != nil && !killed {
			t.Fatal(err)
		}
		return killed
	}
}

// TestProgramKilled kills relais, as it ships, at commands that it sends to the TPM:
// before the TPM sees one, and once the TPM has done it and the program does not know.
// It does so while a hub is made, starts, signs, is recovered on a TPM that was cleared,
// is given another identity, and has its key replaced. Afterwards the hub serves, be it after the same verb was run
// again; one recovery code opens it, what was said to be stopped is, nothing waits for a signature, and nothing
// stays loaded in the TPM. That the kills do leave something loaded is the twin.
func TestProgramKilled(t *testing.T) {
	for _, work := range programWorks {
		t.Run(work.name, func(t *testing.T) {
			t.Parallel()
			h := newDoomedHub(t)
			h.mustInit(t)
			h.serves(t)
			moments := work.moments(t, h)
			kills, left, indexes := min(*programKills, len(moments)), 0, 0
			for i := range kills {
				at := moments[(2*i+1)*len(moments)/(2*kills)]
				if !work.do(h, t, at) {
					t.Errorf("it was not killed")
				}
				left += tpmHolds(t, h.machine, tpmObjects, tpmLoaded)
				if work.mend != nil {
					work.mend(h, t)
				}
				if h.serves(t); t.Failed() {
					t.Fatalf("killed at command %d of %d, once done: %v", at.command, len(moments)/2, at.done)
				}
				indexes = max(indexes, tpmHolds(t, h.machine, tpmIndexes))
			}
			t.Logf("killed at %d of %d moments; %d handles left behind in all, at most %d counters in one TPM", kills, len(moments), left, indexes)
			if left == 0 {
				t.Error("no kill left anything loaded: that nothing is in the end shows nothing")
			}
		})
	}
}

// moments are all those of a work, which it does once unharmed.
func (w programWork) moments(t *testing.T, h *doomedHub) (all []moment) {
	t.Helper()
	if w.do(h, t, moment{}) {
		t.Fatal("nobody was to kill it")
	}
	for command := range h.bus.asked.Load() {
		all = append(all, moment{command + 1, false}, moment{command + 1, true})
	}
	if h.process != nil {
		h.stop(t)
	}
	return all
}
