package main

import (
	"errors"
	"fmt"

	"relais/hardware/keyring"
	"relais/hardware/tpm"
	"relais/node"
)

// machineCounter is a hub's counter as the node asks for it.
type machineCounter struct{ *keyring.Counter }

// Count returns where it stands.
func (c machineCounter) Count() (node.Count, error) { return nodeCount(c.Counter.Count()) }

// Raise counts one up, if that leads to to.
func (c machineCounter) Raise(to uint64) (node.Count, error) { return nodeCount(c.Counter.Raise(to)) }

// Renew makes another.
func (c machineCounter) Renew() (node.Count, error) { return nodeCount(c.Counter.Renew()) }

// nodeCount tells the node a counter that is gone from one that cannot be asked
// today.
func nodeCount(c keyring.Count, err error) (node.Count, error) {
	for _, gone := range []error{
		keyring.ErrNoCounter, keyring.ErrCounterMissing, keyring.ErrCounterChanged,
		tpm.ErrCleared, tpm.ErrReplaced, tpm.ErrAltered,
	} {
		if errors.Is(err, gone) {
			err = fmt.Errorf("%w: %w", node.ErrNoCounter, err)
			break
		}
	}
	return node.Count(c), err
}
