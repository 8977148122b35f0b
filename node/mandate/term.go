package mandate

// Term is how long a mandate runs.
type Term string

// The terms: N times 24 hours from the instant of the grant.
const (
	Short    Term = "SHORT"    // 1 day
	Month    Term = "MONTH"    // 31 days
	Semester Term = "SEMESTER" // 182 days
	Long     Term = "LONG"     // 365 days
)
