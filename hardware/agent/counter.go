package agent

import (
	"fmt"

	"relais/hardware/keyring"
)

// count is one operation on a counter, where the provider has any.
func count(p keyring.Provider, r request) (a answer, err error) {
	counting, ok := p.(keyring.Counting)
	if !ok {
		return a, fmt.Errorf("%w: the agent's %s provider has none", keyring.ErrNoCounter, p.Kind())
	}
	if r.Verb == verbNewCounter {
		a.Data, err = counting.NewCounter()
		return a, err
	}
	var c keyring.Count
	if r.Verb == verbReadCounter {
		c, err = counting.ReadCounter(r.Data)
	} else {
		c, err = counting.RaiseCounter(r.Data, r.To)
	}
	a.Count = &c
	return a, err
}

// NewCounter has the agent make a counter.
func (c *Client) NewCounter() ([]byte, error) {
	return c.call(request{Verb: verbNewCounter})
}

// ReadCounter asks the agent where a counter stands. Errors are the provider's,
// and this package's.
func (c *Client) ReadCounter(blob []byte) (keyring.Count, error) {
	return c.counted(request{Verb: verbReadCounter, Data: blob})
}

// RaiseCounter has the agent count one up, if that leads to to.
func (c *Client) RaiseCounter(blob []byte, to uint64) (keyring.Count, error) {
	return c.counted(request{Verb: verbRaiseCounter, Data: blob, To: to})
}

func (c *Client) counted(r request) (keyring.Count, error) {
	a, err := c.request(r)
	if err == nil && a.Count == nil {
		err = fmt.Errorf("%s: %w: an answer without a count", r.Verb, ErrMalformed)
	}
	if err != nil {
		return keyring.Count{}, err
	}
	return *a.Count, nil
}
