package main

import (
	"encoding/binary"
	"net"
	"testing"
	"time"

	"relais/hardware/tpm/swtpm"
	"relais/node/fault"
	"relais/node/mandate"
)

// ways are how a folder is put back.
var ways = map[string]string{
	"cp -a":         `rm -rf "$2"; cp -a "$1" "$2"`,
	"cp -a over it": `rm -f "$2"/relais.db-wal "$2"/relais.db-shm; cp -a "$1"/. "$2"`,
	"tar":           `rm -rf "$2"/*; tar -C "$1" -cf - . | tar -C "$2" -xpf -`,
	"database only": `rm -f "$2"/relais.db*; cp -a "$1"/relais.db* "$2"`,
}

// TestFolderPutBack: yesterday's folder, on the machine that it was made on. The
// hub says so by itself though nobody answers, stops mandates, grants none, and
// gives no place of its log to a second record; once another hub answers it knows
// the stop that it had forgotten, and nobody sees a fork.
func TestFolderPutBack(t *testing.T) {
	t.Parallel()
	for name, way := range ways {
		for keys, withTPM := range map[string]bool{"TPM": true, "file": false} {
			if withTPM && name == "tar" {
				continue // a TPM does not see how a folder is copied: two ways are enough
			}
			t.Run(keys+" "+name, func(t *testing.T) {
				t.Parallel()
				l := newSavedLand(t)
				var machine *swtpm.Process
				if withTPM {
					machine = startTPM(t)
				}
				h, other := l.newHub(t, "Valbrume", machine), l.newHub(t, "Port-Exemple", nil)
				l.enrol(t)
				forgotten, kept := h.mustGrant(t), h.mustGrant(t)
				h.stopped()
				yesterday := h.backup(t)
				h.start(t)
				l.pass(24 * time.Hour)
				h.stopAtDesk(t, forgotten)
				h.meet(t, other)
				h.stopped()
				shell(t, way, yesterday, h.folder)
				l.pass(time.Hour)
				h.start(t)
				h.mustAlarm(t, "restored", "service informatique", "Arrêter un mandat reste possible")
				if _, err := h.grant(t); !fault.Is(err, fault.Unavailable) {
					t.Errorf("a grant: %v", err)
				}
				if h.state(t, forgotten) == string(mandate.StateStopped) {
					t.Fatal("the copy knows the stop: it shows nothing")
				}
				h.stopAtDesk(t, kept)
				h.meet(t, other)
				h.mustGrant(t)
				h.meet(t, other)
				for _, m := range []mandate.ID{forgotten, kept} {
					for _, at := range []*savedHub{h, other} {
						if s := at.state(t, m); s != string(mandate.StateStopped) {
							t.Errorf("%s: mandate %s is %s", at.name, m, s)
						}
					}
				}
				for _, at := range []*savedHub{h, other} {
					if said := at.alarm(t, "forked"); said != "" {
						t.Errorf("%s: %s", at.name, said)
					}
				}
			})
		}
	}
}

// TestFolderLeftAlone is the twin: the same life without a copy put back raises no
// alarm, in good order or not.
func TestFolderLeftAlone(t *testing.T) {
	t.Parallel()
	for keys, withTPM := range map[string]bool{"TPM": true, "file": false} {
		t.Run(keys, func(t *testing.T) {
			l := newSavedLand(t)
			var machine *swtpm.Process
			if withTPM {
				machine = startTPM(t)
			}
			h := l.newHub(t, "Valbrume", machine)
			l.newHub(t, "Port-Exemple", nil)
			l.enrol(t)
			for range 3 {
				h.stopAtDesk(t, h.mustGrant(t))
				h.stopped()
				h.start(t)
				h.mustGrant(t)
				if said := h.alarm(t, "restored") + h.alarm(t, "counter"); said != "" {
					t.Error(said)
				}
			}
		})
	}
}

// TestCounterIndexRemoved: somebody removed the counter from the TPM, then took its
// ownership too. The hub serves, says what it is in doubt of, and counts again when
// it may.
func TestCounterIndexRemoved(t *testing.T) {
	l := newSavedLand(t)
	machine := startTPM(t)
	h, other := l.newHub(t, "Valbrume", machine), l.newHub(t, "Port-Exemple", nil)
	l.enrol(t)
	h.mustGrant(t)
	h.stopped()
	removeCounters(t, machine)
	h.start(t)
	h.mustAlarm(t, "restored", "ne peut pas prouver")
	if said := h.alarm(t, "counter"); said != "" {
		t.Errorf("it can have another counter: %s", said)
	}
	h.meet(t, other)
	h.mustGrant(t)

	t.Run("ErrOwnerAuth", func(t *testing.T) {
		h.stopped()
		removeCounters(t, machine)
		takeOwnership(t, machine)
		h.start(t)
		h.mustAlarm(t, "counter", "service informatique")
		l.pass(time.Minute)
		h.meet(t, other)
		h.stopAtDesk(t, h.mustGrant(t))
		h.meet(t, other)
		if said := other.alarm(t, "forked"); said != "" {
			t.Error(said)
		}
	})
}

// tpmAsk sends one command to a software TPM that nobody else holds.
func tpmAsk(t *testing.T, p *swtpm.Process, command string) []byte {
	t.Helper()
	conn, err := net.Dial("unix", p.Socket())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Write([]byte(command)); err != nil {
		t.Fatal(err)
	}
	reply := make([]byte, 4096)
	n, err := conn.Read(reply)
	if err != nil || n < 10 || string(reply[6:10]) != "\x00\x00\x00\x00" {
		t.Fatalf("the TPM answers % x, %v", reply[:n], err)
	}
	return reply[:n]
}

// removeCounters is tpm2_nvundefine of what the hub keeps in the owner's range.
func removeCounters(t *testing.T, p *swtpm.Process) {
	t.Helper()
	list := tpmAsk(t, p, "\x80\x01\x00\x00\x00\x16\x00\x00\x01\x7a\x00\x00\x00\x01\x01\x80\x00\x00\x00\x00\x00\x10")
	count := binary.BigEndian.Uint32(list[15:])
	if count == 0 {
		t.Fatal("the hub keeps no counter in the TPM")
	}
	for i := range count {
		index := string(list[19+4*i : 23+4*i])
		tpmAsk(t, p, "\x80\x02\x00\x00\x00\x1f\x00\x00\x01\x22\x40\x00\x00\x01"+index+"\x00\x00\x00\x09\x40\x00\x00\x09\x00\x00\x00\x00\x00")
	}
}

// takeOwnership is tpm2_changeauth -c owner.
func takeOwnership(t *testing.T, p *swtpm.Process) {
	t.Helper()
	tpmAsk(t, p, "\x80\x02\x00\x00\x00\x21\x00\x00\x01\x29\x40\x00\x00\x01\x00\x00\x00\x09\x40\x00\x00\x09\x00\x00\x00\x00\x00\x00\x04abcd")
}

// TestClones: a machine copied whole, TPM and folder, and both switched on. No
// counter sees it; the log that both write to does. Everybody names the site, the
// clones too; the stops of both count everywhere, their mandates since the copy
// nowhere, and from the second proof on neither grants any more.
func TestClones(t *testing.T) {
	t.Parallel()
	l := newSavedLand(t)
	state := shortDir(t)
	one := l.newHub(t, "Valbrume", startTPMIn(t, state))
	port, bus := l.newHub(t, "Port-Exemple", nil), l.newHub(t, "Le bus", nil)
	l.enrol(t)
	first, second := one.mustGrant(t), one.mustGrant(t)
	one.meet(t, port)
	port.meet(t, bus)

	one.stopped()
	one.machine.Stop()
	copied := shortDir(t)
	shell(t, `cp -a "$1"/. "$2"; rm -f "$2"/tpm.sock "$2"/.lock`, state, copied)
	two := &savedHub{land: l, name: "Valbrume", folder: one.backup(t), helper: one.helper, machine: startTPMIn(t, copied)}
	one.machine = startTPMIn(t, state)
	one.start(t)
	two.start(t)
	clones := []*savedHub{one, two}
	for _, h := range clones {
		if said := h.alarm(t, "restored"); said != "" {
			t.Fatalf("a counter saw it: %s", said)
		}
	}

	var granted []mandate.ID
	for i, h := range clones {
		l.pass(time.Minute)
		granted = append(granted, h.mustGrant(t))
		h.stopAtDesk(t, []mandate.ID{first, second}[i])
	}
	one.meet(t, port) // neither clone ever meets the other
	two.meet(t, bus)
	port.meet(t, bus) // here the proof is made, and from here it is handed on
	one.meet(t, port)
	two.meet(t, bus)
	for _, h := range []*savedHub{one, two, port, bus} {
		for _, m := range []mandate.ID{first, second} {
			if s := h.state(t, m); s != string(mandate.StateStopped) {
				t.Errorf("%s: mandate %s, stopped on one of the clones, is %s", h.name, m, s)
			}
		}
		for _, m := range granted {
			if s := h.state(t, m); s != "unusable" {
				t.Errorf("%s: mandate %s, granted after the copy, is %s", h.name, m, s)
			}
		}
	}
	for _, h := range []*savedHub{port, bus} {
		h.mustAlarm(t, "forked", "«\u00a0Valbrume\u00a0»")
	}
	for _, h := range clones {
		h.mustAlarm(t, "forked", "Ce relais a deux histoires", "appelez le département")
	}

	t.Run("both go on", func(t *testing.T) {
		var after []mandate.ID
		for _, h := range clones { // each believes the other to be in the past
			l.pass(time.Minute)
			after = append(after, h.mustGrant(t))
		}
		one.meet(t, port)
		two.meet(t, port)
		one.meet(t, port)
		for _, h := range clones {
			h.mustAlarm(t, "twin", "Deux machines", "appelez le département")
			if _, err := h.grant(t); !fault.Is(err, fault.Unavailable) {
				t.Errorf("a clone grants: %v", err)
			}
		}
		l.pass(time.Minute)
		third := port.mustGrant(t)
		one.meet(t, port)
		two.meet(t, port)
		one.stopAtDesk(t, third)
		one.meet(t, port)
		for _, m := range after {
			if s := port.state(t, m); s != "unusable" {
				t.Errorf("mandate %s, granted by a clone, is %s", m, s)
			}
		}
		if s := port.state(t, third); s != string(mandate.StateStopped) {
			t.Errorf("a mandate that a clone stopped is %s", s)
		}
		view, err := port.Territory(t.Context())
		if err != nil || view.Waiting != 0 {
			t.Errorf("%d records wait (%v)", view.Waiting, err)
		}
		if said := port.alarm(t, "logs"); said != "" {
			t.Errorf("the clones opened too many logs: %s", said)
		}
	})
}
