package keyring

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"relais/node/seal"
)

// A tag cannot be computed again when the key changes: its text is not kept. So
// the tag of an epoch is made from the tag of the epoch before,
//
//	tag(1) = HMAC(k1, text)    tag(n) = HMAC(kn, tag(n-1))
//
// and every row can be brought to the newest without its text, by nobody's help.
// The price is to keep the tag keys of every epoch, sealed under the newest KEK.
// They seal nothing, and say nothing without the newest one: whoever knows an
// earlier KEK cannot try texts against a row that was brought up.

// tagKeys are an epoch's, by purpose.
type tagKeys struct {
	epoch uint32
	keys  map[seal.Purpose][]byte
}

// tagKeys derives those of p, for every purpose that rows may have tags of.
func (p *purposes) tagKeys() tagKeys {
	t := tagKeys{p.epoch, map[seal.Purpose][]byte{}}
	for _, purpose := range seal.Purposes() {
		t.keys[purpose] = p.keys(purpose).tag
	}
	return t
}

func (t tagKeys) destroy() {
	for _, key := range t.keys {
		clear(key)
	}
}

func (t tagKeys) encode() ([]byte, error) { return json.Marshal(t.keys) }

func parseTagKeys(epoch uint32, plain []byte) (tagKeys, error) {
	t := tagKeys{epoch: epoch}
	if err := json.Unmarshal(plain, &t.keys); err != nil { // whose text may hold a key
		return t, fmt.Errorf("tag keys of epoch %d are not in form", epoch)
	}
	return t, nil
}

func mac(key, data []byte) [sha256.Size]byte {
	h := hmac.New(sha256.New, key)
	h.Write(data)
	return [sha256.Size]byte(h.Sum(nil))
}

// chain computes the tags of data under each epoch, oldest first. An epoch that
// did not know the purpose has none.
func (h *held) chain(purpose seal.Purpose, data []byte) (tags []seal.Tag) {
	for _, t := range h.tags {
		if key := t.keys[purpose]; key != nil {
			tags = append(tags, seal.Tag{Key: t.epoch, Sum: mac(key, data)})
			data = tags[len(tags)-1].Sum[:]
		}
	}
	return append(tags, seal.Tag{Key: h.newest.epoch, Sum: mac(h.newest.keys(purpose).tag, data)})
}

// retag brings a tag of an earlier epoch to the newest.
func (h *held) retag(purpose seal.Purpose, tag seal.Tag) (seal.Tag, error) {
	if tag.Key == h.newest.epoch {
		return tag, nil
	}
	at := slices.IndexFunc(h.tags, func(t tagKeys) bool { return t.epoch == tag.Key })
	if at < 0 {
		return seal.Tag{}, fmt.Errorf("tag of key %d: %w", tag.Key, seal.ErrOtherKey)
	}
	later := held{newest: h.newest, tags: h.tags[at+1:]}
	tags := later.chain(purpose, tag.Sum[:])
	return tags[len(tags)-1], nil
}
