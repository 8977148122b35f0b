package node

import (
	"relais/node/fault"
	"relais/node/territory"
)

// A Condition is what must hold of the present roster for a change of it to be
// made. It is asked in the transaction of the change, before the code is used
// up.
type Condition func(*territory.Roster) error

// IfVersion makes a change only of the roster that its author saw: sent twice,
// it is made once. Otherwise it fails with Stale.
func IfVersion(seen uint32) Condition {
	return func(present *territory.Roster) error {
		if present.Version == seen {
			return nil
		}
		return fault.Errorf(fault.Stale,
			"Le registre du territoire a changé depuis que cette page est ouverte. Rien n’a été fait\u00a0: relisez, puis recommencez si c’est toujours utile.",
			"roster %d was on the screen, %d is present", seen, present.Version)
	}
}

// meets asks every condition.
func meets(present *territory.Roster, when []Condition) error {
	for _, holds := range when {
		if err := holds(present); err != nil {
			return err
		}
	}
	return nil
}
