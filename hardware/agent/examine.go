package agent

import (
	"encoding/json"
	"errors"
	"fmt"

	"relais/hardware/keyring"
)

// Examine has the agent ask the device how it is. Errors are the provider's, and
// this package's; a device that says nothing of itself is an error too.
func (c *Client) Examine() (k keyring.Condition, err error) {
	text, err := c.call(request{Verb: verbExamine})
	if err != nil {
		return k, err
	}
	if err := json.Unmarshal(text, &k); err != nil {
		return k, fmt.Errorf("examine: %w: %w", ErrMalformed, err)
	}
	return k, nil
}

func examine(p keyring.Provider) ([]byte, error) {
	e, ok := p.(keyring.Examiner)
	if !ok {
		return nil, errors.New("what guards the keys here has no condition to tell")
	}
	k, err := e.Examine()
	if err != nil {
		return nil, err
	}
	return json.Marshal(k)
}
