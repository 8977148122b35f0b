package nodetest

var (
	Claim = claim
	Sweep = sweep
)
