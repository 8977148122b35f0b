package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// floors is the house: a package imports only lower floors, and neighbours do
// not know each other. A package that is not listed lives with its nearest
// listed parent.
var floors = map[string]int{
	"node/id": 0, "node/durable": 0, "node/label": 0, "node/fault": 0, "node/territory": 0,
	"node/people": 1, "node/beacon": 1, "node/record": 1, "node/journal": 1, "node/seal": 1,
	"node/mandate": 2, "node/mediation": 2,
	"node/internal/store": 3,
	"node":                4,
	"webui/page":          5, "webui/locale": 5, "hardware/keyring": 5, "sync/link": 5,
	"webui": 6, "sync/gossip": 6, "sync/exchange": 6, "sync/enrolment": 6, "hardware/tpm": 6, "hardware/soft": 6, "hardware/agent": 6, "systemd": 6,
	"sync/national": 7, "sync/simulation": 7, // the latter has tests only
	"cmd/relais": 8, "cmd/national": 8, "packaging": 8,
}

// neighbours are the imports between packages of one floor that we want: ground
// values are made of identifiers and labels.
var neighbours = []string{
	"node/territory → node/id",
	"node/territory → node/label",
}

// doors say who alone imports a dependency, and why it has only one door.
var doors = []struct {
	module string
	owners []string // packages, their children included; or one file
	why    string
}{
	{"github.com/mattn/go-sqlite3", []string{"node/internal/store", "cmd/national/internal/store"}, "one place answers for durability"},
	{"github.com/jackc/pgx", []string{"cmd/national/internal/store"}, "its errors repeat what is secret, and are put in other words there"},
	{"github.com/gorilla/mux", []string{"webui"}, "one readable table of routes"},
	{"github.com/caddyserver/certmagic", []string{"webui"}, "one place answers for certificates"},
	{"github.com/alexedwards/scs", []string{"webui"}, "sessions are the pages' own"},
	{"github.com/hashicorp/memberlist", []string{"sync/gossip"}, "its callbacks must not spread"},
	{"github.com/hashicorp/yamux", []string{"sync/link"}, "streams end at the link"},
	{"github.com/go-co-op/gocron", []string{"cmd/relais/schedule.go"}, "a job that panics kills the process unless guarded, there"},
	{"github.com/google/go-tpm", []string{"hardware/tpm"}, "its traps are known there"},
	{"github.com/veraison/go-cose", []string{"node/record"}, "one accepted encoding"},
	{"github.com/fxamacker/cbor", []string{"node/record", "node/journal"}, "one accepted encoding"},
	{"filippo.io/age", []string{"node", "cmd/relais", "hardware/keyring"}, "dossiers, the root's file, the département's slot"},
	{"relais/hardware/keyring/recoverywork", []string{"hardware/keyring"}, "only tests make a recovery code cheap"},
	{"github.com/coreos/go-systemd", []string{"systemd"}, "the service manager has one interlocutor"},
	{"github.com/chromedp", nil, "a browser belongs to tests"},
	{"relais/node/durable/durabletest", nil, "a traced program belongs to tests"},
	{"github.com/getkin/kin-openapi", []string{"sync/national/contracttest"}, "tests read the whole contract, the product none of it"},
	{"relais/sync/national/contracttest", nil, "the contract is checked by tests"},
	{"relais/node/nodetest", nil, "a cheap passphrase belongs to tests"},
}

// listed is what go list says of one package, and its production imports by file.
type listed struct {
	ImportPath, Dir string
	GoFiles         []string
	CgoFiles        []string
	byFile          map[string][]string
}

func TestFloors(t *testing.T) {
	for _, v := range brokenFloors(readHouse(t)) {
		t.Error(v)
	}
}

func TestDoors(t *testing.T) {
	for _, v := range brokenDoors(readHouse(t)) {
		t.Error(v)
	}
}

// The twin: planted violations are caught, so the silence above means something.
func TestFloorsPlanted(t *testing.T) {
	for name, p := range map[string]struct{ from, to string }{
		"DomainKnowsAnEdge":   {"node", "sync/gossip"},
		"StoreKnowsHardware":  {"node/internal/store", "hardware/tpm"},
		"NeighboursKnow":      {"webui", "sync/gossip"},
		"GroundKnowsGround":   {"node/fault", "node/id"},
		"AgentKnowsTheTPM":    {"hardware/agent", "hardware/tpm"},
		"ChildOfNeighbour":    {"sync/exchange", "sync/gossip/inner"},
		"NobodyKnowsCommands": {"webui", "cmd/relais"},
		"HomelessPackage":     {"util", "node"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := brokenFloors([]listed{planted(p.from, "f.go", "relais/"+p.to)}); len(got) != 1 {
				t.Errorf("%s importing %s: got %d violations, want 1: %v", p.from, p.to, len(got), got)
			}
		})
	}
	fine := []listed{
		planted("node", "f.go", "relais/node/internal/store"),
		planted("webui", "f.go", "relais/webui/page"),
		planted("hardware/tpm", "f.go", "relais/hardware/tpm/swtpm"),
		planted("node/territory", "f.go", "relais/node/id"),
	}
	if got := brokenFloors(fine); len(got) != 0 {
		t.Errorf("a sound house is refused: %v", got)
	}
}

func TestDoorsPlanted(t *testing.T) {
	for name, p := range map[string]struct{ from, file, to string }{
		"SecondWriter":     {"webui", "f.go", "github.com/mattn/go-sqlite3"},
		"SecondFile":       {"cmd/relais", "run.go", "github.com/go-co-op/gocron/v2"},
		"BrowserInProduct": {"cmd/relais", "demo.go", "github.com/chromedp/chromedp"},
		"CheapRecovery":    {"cmd/relais", "init.go", "relais/hardware/keyring/recoverywork"},
		"CheapInProduct":   {"webui", "signin.go", "relais/node/nodetest"},
		"StoreSealsByAge":  {"node/internal/store", "f.go", "filippo.io/age/armor"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := brokenDoors([]listed{planted(p.from, p.file, p.to)}); len(got) != 1 {
				t.Errorf("%s/%s importing %s: got %d violations, want 1: %v", p.from, p.file, p.to, len(got), got)
			}
		})
	}
	if got := brokenDoors([]listed{planted("cmd/relais", "schedule.go", "github.com/go-co-op/gocron/v2")}); len(got) != 0 {
		t.Errorf("the rightful door is refused: %v", got)
	}
}

func planted(from, file, to string) listed {
	return listed{ImportPath: "relais/" + from, GoFiles: []string{file}, byFile: map[string][]string{file: {to}}}
}

// home returns the listed package that path is, or lives with.
func home(path string) (string, bool) {
	for p := path; p != "."; p = filepath.Dir(p) {
		if _, ok := floors[p]; ok {
			return p, true
		}
	}
	return "", false
}

func brokenFloors(house []listed) (broken []string) {
	for _, p := range house {
		path := strings.TrimPrefix(p.ImportPath, "relais/")
		from, ok := home(path)
		if !ok {
			broken = append(broken, path+" has no floor: list it")
			continue
		}
		for _, imported := range p.imports() {
			target, ours := strings.CutPrefix(imported, "relais/")
			if !ours {
				continue
			}
			to, ok := home(target)
			switch {
			case !ok:
				broken = append(broken, target+" has no floor: list it")
			case to == from || floors[to] < floors[from] || slices.Contains(neighbours, from+" → "+to):
			default:
				broken = append(broken, fmt.Sprintf("%s (floor %d) imports %s (floor %d)", path, floors[from], target, floors[to]))
			}
		}
	}
	return broken
}

func brokenDoors(house []listed) (broken []string) {
	for _, p := range house {
		path := strings.TrimPrefix(p.ImportPath, "relais/")
		for file, imports := range p.byFile {
			for _, d := range doors {
				through := slices.ContainsFunc(imports, func(i string) bool { return i == d.module || strings.HasPrefix(i, d.module+"/") })
				if through && !slices.ContainsFunc(d.owners, func(o string) bool { return owns(o, path, file) }) {
					broken = append(broken, fmt.Sprintf("%s/%s imports %s, whose door is %v: %s", path, file, d.module, d.owners, d.why))
				}
			}
		}
	}
	return broken
}

// owns tells whether owner, a listed package or one file, is where path/file lives.
func owns(owner, path, file string) bool {
	if strings.HasSuffix(owner, ".go") {
		return owner == path+"/"+file
	}
	at, ok := home(path)
	if strings.HasPrefix(owner+"/", at+"/") && owner != at { // a child that is itself an owner
		return path == owner || strings.HasPrefix(path, owner+"/")
	}
	return ok && at == owner
}

func (p listed) imports() []string {
	all := map[string]bool{}
	for _, imports := range p.byFile {
		for _, i := range imports {
			all[i] = true
		}
	}
	var sorted []string
	for i := range all {
		sorted = append(sorted, i)
	}
	slices.Sort(sorted)
	return sorted
}

// readHouse asks the go command for our packages, dependencies of each other
// included, and reads what each file imports.
func readHouse(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,GoFiles,CgoFiles,Standard", "./...")
	cmd.Dir = "../.."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	var house []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return house
		} else if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(p.ImportPath, "relais/") {
			continue
		}
		p.byFile = map[string][]string{}
		for _, file := range append(p.GoFiles, p.CgoFiles...) {
			p.byFile[file] = importsOf(t, filepath.Join(p.Dir, file))
		}
		house = append(house, p)
	}
}

func importsOf(t *testing.T, file string) (paths []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range f.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}
