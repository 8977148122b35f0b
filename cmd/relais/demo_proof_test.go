package main

import (
	"testing"

	"relais/node"
)

func TestFixedCostOnly(t *testing.T) {
	if err := fixedCostOnly(node.NationalPass{OctetsOut: 2000, OctetsIn: 2000}, 4001); err != nil {
		t.Errorf("4,000 octets after 4,001: %v", err)
	}
	for name, pass := range map[string]node.NationalPass{
		"ErrUp":         {Up: 1, OctetsOut: 100},
		"ErrDown":       {Down: 1, OctetsOut: 100},
		"ErrDrift":      {Drift: 1, OctetsOut: 100},
		"ErrTooMany":    {OctetsOut: 2001, OctetsIn: 2000},
		"ErrNotFewer":   {OctetsOut: 1000, OctetsIn: 500},
		"ErrWholeAgain": {OctetsOut: 1000, OctetsIn: 9000},
	} {
		t.Run(name, func(t *testing.T) {
			first := int64(1500)
			if name == "ErrTooMany" || name == "ErrWholeAgain" {
				first = 20000
			}
			if fixedCostOnly(pass, first) == nil {
				t.Error("taken for a pass that moves the fixed cost only")
			}
		})
	}
}
