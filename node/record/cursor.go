package record

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// The part of CBOR (RFC 8949) that records use: unsigned and negative integers,
// byte strings, text strings, arrays, false, true and null, all of definite
// length and with the shortest head. Maps, tags and floats are left out for ever:
// what is left has one spelling, which a reader can check as it goes.

// maxDepth bounds nested arrays in a body nobody here can read.
const maxDepth = 8

const (
	majorUint  = 0
	majorNint  = 1
	majorBytes = 2
	majorText  = 3
	majorArray = 4
	majorOther = 7

	simpleNull = 0xf6
)

var errSpelling = errors.New("not the one accepted spelling")

// cursor reads items one after another. The first failure sticks, and every
// read after it returns zero: callers check once, with done.
type cursor struct {
	rest []byte
	err  error
}

func (c *cursor) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

// done returns the first failure, or one when octets are left over.
func (c *cursor) done() error {
	if c.err == nil && len(c.rest) > 0 {
		c.fail("%d octets left over", len(c.rest))
	}
	return c.err
}

func (c *cursor) take(n uint64) []byte {
	if c.err != nil {
		return nil
	}
	if n > uint64(len(c.rest)) {
		c.fail("ends too early")
		return nil
	}
	b := c.rest[:n]
	c.rest = c.rest[n:]
	return b
}

// head reads the head of an item: its major type and argument. An argument that
// would fit in a shorter head is refused.
func (c *cursor) head() (major byte, argument uint64) {
	first := c.take(1)
	if first == nil {
		return 0, 0
	}
	major, info := first[0]>>5, first[0]&31
	if info < 24 {
		return major, uint64(info)
	}
	if info > 27 || major == majorOther {
		c.fail("%w: head %#x", errSpelling, first[0])
		return 0, 0
	}
	size := uint64(1) << (info - 24)
	for _, octet := range c.take(size) {
		argument = argument<<8 | uint64(octet)
	}
	least := [4]uint64{24, 1 << 8, 1 << 16, 1 << 32}[info-24]
	if c.err == nil && argument < least {
		c.fail("%w: %d in %d octets", errSpelling, argument, size)
	}
	return major, argument
}

func (c *cursor) expect(major byte) uint64 {
	got, argument := c.head()
	if c.err == nil && got != major {
		c.fail("major type %d where %d belongs", got, major)
	}
	if c.err != nil {
		return 0
	}
	return argument
}

// uint reads an unsigned integer of at most limit.
func (c *cursor) uint(limit uint64) uint64 {
	v := c.expect(majorUint)
	if v > limit {
		c.fail("%d is above %d", v, limit)
		return 0
	}
	return v
}

// array reads the head of an array of exactly n items.
func (c *cursor) array(n uint64) {
	if got := c.expect(majorArray); c.err == nil && got != n {
		c.fail("array of %d, not %d", got, n)
	}
}

// into reads a byte string of exactly len(dst) octets.
func (c *cursor) into(dst []byte) {
	n := c.expect(majorBytes)
	if c.err == nil && n != uint64(len(dst)) {
		c.fail("byte string of %d octets, not %d", n, len(dst))
	}
	copy(dst, c.take(n))
}

// text reads a text string of at most limit octets.
func (c *cursor) text(limit int) string {
	n := c.expect(majorText)
	if n > uint64(limit) {
		c.fail("text of %d octets; the limit is %d", n, limit)
		return ""
	}
	return string(c.take(n))
}

// null skips a null and tells whether there was one.
func (c *cursor) null() bool {
	if c.err != nil || len(c.rest) == 0 || c.rest[0] != simpleNull {
		return false
	}
	c.take(1)
	return true
}

// skip walks over one item of any accepted form.
func (c *cursor) skip(depth int) {
	if depth > maxDepth {
		c.fail("nested deeper than %d", maxDepth)
		return
	}
	major, argument := c.head()
	if c.err != nil {
		return
	}
	switch major {
	case majorUint, majorNint:
	case majorBytes:
		c.take(argument)
	case majorText:
		if s := c.take(argument); !utf8.Valid(s) {
			c.fail("text is not UTF-8")
		}
	case majorArray:
		for i := uint64(0); i < argument && c.err == nil; i++ {
			c.skip(depth + 1)
		}
	case majorOther:
		if argument < 20 || argument > 22 {
			c.fail("%w: simple value %d", errSpelling, argument)
		}
	default:
		c.fail("%w: major type %d", errSpelling, major)
	}
}
