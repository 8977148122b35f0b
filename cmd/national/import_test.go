package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"relais/cmd/national/internal/store/storetest"
	"relais/node"
)

const (
	listCSV = "\ufeffid;name;siret;habilitation;since;commune\n" +
		"00000000-0000-4000-8000-000000000001;CCAS d’Étretat;11100000000000;active;2024-03-12;Étretat\n" +
		"00000000-0000-4000-8000-000000000002;Médiathèque;22200000000000;;;\n"
	listJSON = `[{"id":"00000000-0000-4000-8000-000000000001","name":"CCAS d’Étretat","siret":"11100000000000","commune":"Étretat","habilitation":{"state":"ended","since":"2026-11-01"}}]`
)

// imported runs the verb on a file of this name, beside a stopped service.
func (d *demo) imported(t testing.TB, code int, name, content string) string {
	t.Helper()
	path := filepath.Join(d.dir, name)
	check(t, os.WriteFile(path, []byte(content), 0o600))
	d.stop()
	out := d.command(t, code, "import-structures", "--data", d.data(), path)
	d.stop = d.serve(t)
	return out
}

// TestHabilitations: what is imported at the service is known at the hub after a
// pass, change by change, and a pass with nothing new costs what it did.
func TestHabilitations(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		d := newDemo(t, empty(t), 1)
		a := d.hubs[0]
		a.mustPass(t)
		if v, err := a.Habilitation(t.Context(), "11100000000000"); err != nil || !v.At.IsZero() {
			t.Errorf("before any list: %+v, %v", v, err)
		}
		if said := d.imported(t, exitOK, "list.csv", listCSV); said != "2 structures: 2 new, 0 changed, 0 gone\n" {
			t.Error(said)
		}
		if r := a.mustPass(t); r.Created != 2 || r.Requests != 3 || r.Aside != 0 {
			t.Errorf("%+v", r)
		}
		if r := a.mustPass(t); r.Requests > 2 || r.OctetsIn+r.OctetsOut > 4000 || r.Created+r.Updated+r.Deleted != 0 {
			t.Errorf("nothing new: %+v", r)
		}
		v, err := a.Habilitation(t.Context(), "11100000000000")
		if err != nil || len(v.Entries) != 1 || !v.National || v.Entries[0].Habilitation != node.HabilitationActive || v.Entries[0].Since != "2024-03-12" {
			t.Errorf("%+v, %v", v, err)
		}
		if v, err := a.Habilitation(t.Context(), "22200000000000"); err != nil || len(v.Entries) != 1 || v.Entries[0].Habilitation != node.HabilitationNone {
			t.Errorf("%+v, %v", v, err)
		}
		if said := d.imported(t, exitOK, "list.json", listJSON); said != "1 structures: 0 new, 1 changed, 1 gone\n" {
			t.Error(said)
		}
		if r := a.mustPass(t); r.Updated != 1 || r.Deleted != 1 {
			t.Errorf("%+v", r)
		}
		if v, err := a.Habilitation(t.Context(), "11100000000000"); err != nil || v.Entries[0].Habilitation != node.HabilitationEnded || v.Entries[0].Since != "2026-11-01" {
			t.Errorf("%+v, %v", v, err)
		}
		a.mustPass(t)
		if s := d.status(t); s.Structures != 1 || s.Hubs[0].Listed != 1 || s.Hubs[0].Aside != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// TestPoison: one structure that no hub can read is set aside, shown on both sides,
// and holds up none; put right, it is read.
func TestPoison(t *testing.T) {
	database := storetest.SQLite(t)
	d := newDemo(t, database, 1)
	a := d.hubs[0]
	d.imported(t, exitOK, "list.csv", listCSV)
	d.stop()
	poison := func(siret string) {
		database.At.Dir = d.data()
		raw := database.Raw(t)
		_, err := raw.Exec(`UPDATE structures SET siret = ?, change = (SELECT head + 1 FROM list) WHERE name = 'Médiathèque'`, siret)
		check(t, err)
		_, err = raw.Exec(`UPDATE list SET head = head + 1`)
		check(t, err)
		check(t, raw.Close())
	}
	poison("not fourteen digits")
	d.stop = d.serve(t)
	if r := a.mustPass(t); r.Created != 1 || r.Aside != 1 {
		t.Errorf("%+v", r)
	}
	v, err := a.Directory(t.Context(), "")
	if err != nil || !v.National || v.Aside != 1 || len(v.Asides) != 1 || v.Asides[0].Reason != "siret" || v.Asides[0].String() != "00000000-0000-4000-8000-000000000002" {
		t.Errorf("%+v, %v", v, err)
	}
	if r := a.mustPass(t); r.Requests > 2 || r.Aside != 1 {
		t.Errorf("nothing new: %+v", r)
	}
	if s := d.status(t); s.Hubs[0].Aside != 1 || s.Hubs[0].Listed != 1 {
		t.Errorf("the service says %+v", s.Hubs[0])
	}
	d.stop()
	poison("22200000000000")
	d.stop = d.serve(t)
	if r := a.mustPass(t); r.Created != 1 || r.Aside != 0 {
		t.Errorf("put right: %+v", r)
	}
}

func TestErrImport(t *testing.T) {
	d := newDemo(t, storetest.SQLite(t), 1)
	d.stop()
	for name, tt := range map[string]struct{ file, content, says string }{
		"an unknown column":    {"l.csv", "id,name,phone\n", `"phone"`},
		"a bad structure":      {"l.csv", "id,name\nx,CCAS\n", "structure 1"},
		"twice":                {"l.csv", strings.ReplaceAll(listCSV, "002;", "001;"), "structure 2 has the identifier of structure 1"},
		"an unknown field":     {"l.json", `[{"id":"x","phone":"0"}]`, "phone"},
		"gone":                 {"l.json", `[{"id":"00000000-0000-4000-8000-000000000001","gone":true}]`, "structure 1"},
		"something behind":     {"l.json", listJSON + "[]", "follows"},
		"nothing":              {"l.json", "[]", "empty"},
		"only a line of names": {"l.csv", "id,name\n", "empty"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), tt.file)
			check(t, os.WriteFile(path, []byte(tt.content), 0o600))
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), []string{"import-structures", "--data", d.data(), path}, &stdout, &stderr); code != exitFailed || !strings.Contains(stderr.String(), tt.says) {
				t.Errorf("exit code %d: %s", code, &stderr)
			}
		})
	}
	d.stop = func() {}
}

// FuzzList: whatever a file holds, what is taken of it a hub can read.
func FuzzList(f *testing.F) {
	f.Add("l.csv", []byte(listCSV))
	f.Add("l.json", []byte(listJSON))
	f.Add("l.CSV", []byte("id,id\n,"))
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		parse := parseJSON
		if strings.HasSuffix(name, ".csv") {
			parse = parseCSV
		}
		typed, err := parse(content)
		if err != nil {
			return
		}
		list, err := checkList(typed)
		if err == nil && len(list) != len(typed) {
			t.Errorf("%d of %d", len(list), len(typed))
		}
		for _, s := range list {
			if s.Name == "" || s.ID == [16]byte{} || s.Gone {
				t.Errorf("took %+v", s)
			}
		}
	})
}
