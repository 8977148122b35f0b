package mandate

import (
	"relais/node/fault"
	"relais/node/people"
)

// What a line may hold, in characters and pieces.
const (
	maxServiceRunes = 120
	maxActRunes     = 200
	maxActsPerLine  = 12
)

// Bits is the bitmap of some numbered lines: bit n−1 for line n. Numbers outside
// 1 to 32 have no bit.
func Bits(lines ...uint8) uint32 {
	var bits uint32
	for _, n := range lines {
		bits |= bit(n)
	}
	return bits
}

// bit is the bitmap of one line; 0 outside 1 to 32.
func bit(n uint8) uint32 {
	if n < 1 || n > MaxLines {
		return 0
	}
	return 1 << (n - 1)
}

// AllLines is the bitmap of the first n lines.
func AllLines(n uint8) uint32 {
	if n >= MaxLines {
		return ^uint32(0)
	}
	return 1<<n - 1
}

// Numbers are the lines of a bitmap, in order: the reverse of Bits.
func Numbers(bits uint32) []uint8 {
	var lines []uint8
	for n := uint8(1); n <= MaxLines; n++ {
		if bits&bit(n) != 0 {
			lines = append(lines, n)
		}
	}
	return lines
}

// ParseLines returns the one form of the lines of a form: single spaces, no
// empty act, lines that hold nothing left out, numbered from 1. A line may still
// lack its service or its acts. It fails with Invalid on "lines".
func ParseLines(typed []Line) ([]Line, error) {
	var lines []Line
	for _, t := range typed {
		l, err := parseLine(t)
		if err != nil {
			return nil, err
		}
		if l.Scope == "" && l.Service == "" && len(l.Acts) == 0 {
			continue
		}
		if len(lines) == MaxLines {
			return nil, fault.Errorf(fault.Invalid, "Un mandat compte au plus 32 services. Faites un second mandat pour les autres.",
				"more than %d lines", MaxLines).On("lines")
		}
		l.Number = uint8(len(lines) + 1)
		lines = append(lines, l)
	}
	return lines, nil
}

func parseLine(t Line) (Line, error) {
	if t.Scope != "" && !t.Scope.Valid() {
		return Line{}, fault.Errorf(fault.Invalid, "Choisissez la démarche dans la liste.", "unknown scope of %d octets", len(t.Scope)).On("lines")
	}
	service, err := people.Line(t.Service, maxServiceRunes)
	if err != nil {
		return Line{}, fault.New(fault.Invalid, "Le nom du service est trop long ou contient des signes qui ne s’impriment pas.", err).On("lines")
	}
	l := Line{Scope: t.Scope, Service: service}
	for _, typed := range t.Acts {
		act, err := people.Line(typed, maxActRunes)
		if err != nil {
			return Line{}, fault.New(fault.Invalid, "Une action est trop longue ou contient des signes qui ne s’impriment pas.", err).On("lines")
		}
		if act != "" {
			l.Acts = append(l.Acts, act)
		}
	}
	if len(l.Acts) > maxActsPerLine {
		return Line{}, fault.Errorf(fault.Invalid, "Un service compte au plus 12 actions. Ajoutez une ligne pour les autres.",
			"%d acts on a line, at most %d", len(l.Acts), maxActsPerLine).On("lines")
	}
	return l, nil
}

// linesReady says whether every line names a scope, a service and an act.
func linesReady(lines []Line) error {
	if len(lines) == 0 {
		return fault.Errorf(fault.Invalid, "Ajoutez au moins un service et ce que la structure pourra y faire.", "no line").On("lines")
	}
	for _, l := range lines {
		if l.Scope == "" || l.Service == "" || len(l.Acts) == 0 {
			return fault.Errorf(fault.Invalid, "Chaque ligne dit la démarche, le service et au moins une action.",
				"line %d is not complete", l.Number).On("lines")
		}
	}
	return nil
}
