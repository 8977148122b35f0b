package territory

import (
	"bytes"
	"encoding/json"
	"iter"
)

// members walks the members of a JSON object, in order; of anything else it yields
// nothing. What it is given encoding/json has read without an error: it looks for
// the ends of things and checks nothing. Decoding into a map instead doubles what
// reading a roster costs.
func members(data []byte) iter.Seq2[string, []byte] {
	return func(yield func(name string, value []byte) bool) {
		rest := bytes.TrimLeft(data, " \t\r\n{")
		if len(rest) == len(bytes.TrimLeft(data, " \t\r\n")) {
			return // null: no brace
		}
		for len(rest) > 0 && rest[0] == '"' {
			end := endOfString(rest)
			name := rest[:end]
			rest = bytes.TrimLeft(rest[end:], " \t\r\n:")
			end = endOfValue(rest)
			value := bytes.TrimRight(rest[:end], " \t\r\n")
			rest = bytes.TrimLeft(rest[end:], " \t\r\n,")
			if !yield(memberName(name), value) {
				return
			}
		}
	}
}

// memberName is the name in a JSON string, as encoding/json reads it.
func memberName(quoted []byte) string {
	plain := quoted[1 : len(quoted)-1]
	for _, c := range plain {
		if c == '\\' || c >= 0x80 {
			var name string
			_ = json.Unmarshal(quoted, &name) // it was read before
			return name
		}
	}
	return string(plain)
}

// endOfString is the length of the JSON string that b begins with.
func endOfString(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// endOfValue is the length of the JSON value that b begins with, and of the space
// after it.
func endOfValue(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i += endOfString(b[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return len(b)
}
