package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The tables of threats in the DESIGN.md of each folder end each line with the tests
// that hold it. A name that nobody declares is a promise that nobody keeps.

var (
	// testName is a test as a table writes it, with its subtest, and before it the
	// folders it is in, where the table says: "keyring, cmd/relais TestX/ErrY".
	testName = regexp.MustCompile("((?:[a-z][a-z/]*,? )*)`?\\b((?:Test|Fuzz|Benchmark)[A-Z]\\w*)(/\\w+)?")
	suffix   = regexp.MustCompile(`…(\w+)`)
	script   = regexp.MustCompile(`\bscript (\w+)`)
)

// declared is every test of the repository, by the folder that declares it.
type declared map[string]map[string]bool

func TestThreatsAreTested(t *testing.T) {
	tests, lines := declaredTests(t), 0
	for _, file := range designs(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		broken, n := tests.check(string(text))
		lines += n
		for _, what := range broken {
			t.Errorf("%s: %s", file, what)
		}
	}
	if lines < 60 {
		t.Errorf("the tables have %d lines: they are not read", lines)
	}
}

// The twin: each way a line may promise too much is seen.
func TestThreatsPlanted(t *testing.T) {
	tests := declaredTests(t)
	for name, cell := range map[string]string{
		"NoSuchTest":    "TestThatNobodyWrote",
		"NoSuchSubtest": "TestThreatsPlanted/ThatNobodyWrote",
		"ElsewhereOnly": "hardware/soft TestThreatsPlanted",
		"NoSuchScript":  "script thatnobodywrote",
		"NoTest":        "it is obvious",
		"NoSuchTwin":    "TestThreatsPlanted (twin: …ThatNobodyWrote)",
	} {
		t.Run(name, func(t *testing.T) {
			table := "| threat | control | test |\n|---|---|---|\n| a | b | " + cell + " |\n"
			if broken, n := tests.check(table); len(broken) != 1 || n != 1 {
				t.Errorf("%d lines, %q", n, broken)
			}
		})
	}
	sound := "| threat | control | test |\n|---|---|---|\n| a | b | cmd/relais `TestThreatsPlanted/NoTest`, script init |\n"
	if broken, _ := tests.check(sound); len(broken) > 0 {
		t.Errorf("a sound line is refused: %q", broken)
	}
}

func designs(t *testing.T) (files []string) {
	t.Helper()
	walk(t, func(path string) {
		if filepath.Base(path) == "DESIGN.md" {
			files = append(files, path)
		}
	})
	return files
}

// walk visits the files of the repository.
func walk(t *testing.T, visit func(path string)) {
	t.Helper()
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "var" || d.Name() == "bin"):
			return filepath.SkipDir
		case !d.IsDir():
			visit(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// declaredTests reads the test files: their functions, and the strings that may name
// a subtest.
func declaredTests(t *testing.T) declared {
	t.Helper()
	tests := declared{}
	walk(t, func(path string) {
		if !strings.HasSuffix(path, "_test.go") {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		folder, _ := filepath.Rel("../..", filepath.Dir(path))
		if tests[folder] == nil {
			tests[folder] = map[string]bool{}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				tests[folder][n.Name.Name] = true
			case *ast.BasicLit:
				if n.Kind == token.STRING {
					tests[folder]["/"+strings.ReplaceAll(strings.Trim(n.Value, "\"`"), " ", "_")] = true
				}
			}
			return true
		})
	})
	return tests
}

// check reads the tables whose last column is "test", and returns what is wrong and
// how many lines there were.
func (d declared) check(text string) (broken []string, lines int) {
	inside := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		cells := strings.Split(strings.Trim(line, "|"), "|")
		last := strings.TrimSpace(cells[len(cells)-1])
		switch {
		case !strings.HasPrefix(line, "|"):
			inside = false
		case last == "test":
			inside = true
		case inside && !strings.HasPrefix(last, "---"):
			lines++
			if what := d.promised(last); what != "" {
				broken = append(broken, what+" in: "+line)
			}
		}
	}
	return broken, lines
}

// promised says what one cell promises and nobody declares.
func (d declared) promised(cell string) string {
	found := testName.FindAllStringSubmatch(cell, -1)
	for _, m := range found {
		for _, folder := range strings.Fields(strings.ReplaceAll(m[1], ",", " ")) {
			if folders := d.named(folder); len(folders) > 0 && !d.has(folders, m[2]) {
				return fmt.Sprintf("%s has no %s", folder, m[2])
			}
		}
		if folders := d.declaring(m[2]); len(folders) == 0 || m[3] != "" && !d.has(folders, m[3]) {
			return m[2] + m[3] + " is declared nowhere"
		}
	}
	for _, m := range suffix.FindAllStringSubmatch(cell, -1) {
		if !d.endsWith(m[1]) {
			return "no test ends with " + m[1]
		}
	}
	scripts := script.FindAllStringSubmatch(cell, -1)
	for _, m := range scripts {
		if _, err := os.Stat(filepath.Join("testdata/script", m[1]+".txtar")); err != nil {
			return "no script " + m[1]
		}
	}
	if len(found)+len(scripts) == 0 {
		return "no test is named"
	}
	return ""
}

// named are the folders that a word of a table means: "tpm" is hardware/tpm.
func (d declared) named(word string) (folders []string) {
	for folder := range d {
		if folder == word || strings.HasSuffix(folder, "/"+word) {
			folders = append(folders, folder)
		}
	}
	return folders
}

func (d declared) declaring(name string) (folders []string) {
	for folder := range d {
		if d[folder][name] {
			folders = append(folders, folder)
		}
	}
	return folders
}

func (d declared) has(folders []string, name string) bool {
	for _, folder := range folders {
		if d[folder][name] {
			return true
		}
	}
	return false
}

func (d declared) endsWith(suffix string) bool {
	for _, names := range d {
		for name := range names {
			if strings.HasPrefix(name, "Test") && strings.HasSuffix(name, suffix) {
				return true
			}
		}
	}
	return false
}
