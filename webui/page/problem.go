package page

// Problem is any page that says no: 403, 404, 405, 413, 421, 429, 500, 503.
type Problem struct {
	Base
	Status  int
	Message string
	Home    string // where to go from here
}

// Template implements Page.
func (*Problem) Template() string { return "problem" }
