package exchange

import (
	"errors"
	"fmt"

	"relais/node/record"
)

// errPage says why a page is not one.
var errPage = errors.New("not a page of records")

// AppendPage writes records as one page: for each, its length in one octet and
// then the record. It panics on a record that could not be on the wire at all.
func AppendPage(dst []byte, wires [][]byte) []byte {
	for _, wire := range wires {
		if len(wire) == 0 || len(wire) > record.MaxOctets {
			panic(fmt.Sprintf("a record of %d octets", len(wire)))
		}
		dst = append(dst, byte(len(wire)))
		dst = append(dst, wire...)
	}
	return dst
}

// ParsePage cuts a page into its records, which share its memory. It checks
// their lengths and nothing else: Apply judges what they hold.
func ParsePage(page []byte) ([][]byte, error) {
	var wires [][]byte
	for at := 0; at < len(page); {
		n := int(page[at])
		if n == 0 {
			return nil, fmt.Errorf("%w: an empty record at octet %d", errPage, at)
		}
		if at+1+n > len(page) {
			return nil, fmt.Errorf("%w: cut within the record at octet %d", errPage, at)
		}
		wires = append(wires, page[at+1:at+1+n:at+1+n])
		at += 1 + n
	}
	return wires, nil
}
