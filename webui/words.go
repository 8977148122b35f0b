package webui

import (
	"encoding/hex"
	"html/template"
	"strconv"
	"strings"
	"time"

	"relais/node"
	"relais/node/mandate"
	"relais/node/territory"
	"relais/webui/locale"
	"relais/webui/page"
)

// clocked is a page or what stands for one: it knows the present and the zone.
type clocked interface {
	Clock() (time.Time, *time.Location)
}

// words are the functions of the templates: values in, French out.
var words = template.FuncMap{
	"icon": icon, "mark": mark, "stateIcon": stateIcon,

	"clock":        func(p clocked, t time.Time) string { return locale.Clock(t.In(zone(p))) },
	"day":          func(p clocked, t time.Time) string { return locale.Day(t.In(zone(p))) },
	"instant":      func(p clocked, t time.Time) string { return locale.Instant(t.In(zone(p))) },
	"moment":       func(p clocked, t time.Time) string { return locale.Moment(now(p), t.In(zone(p))) },
	"since":        func(p clocked, t time.Time) string { return locale.Since(now(p), t.In(zone(p))) },
	"heard":        heard,
	"wait":         locale.Wait,
	"delay":        locale.Delay,
	"seconds":      func(d time.Duration) int { return int((d + time.Second - 1) / time.Second) },
	"plural":       locale.Plural,
	"habilitation": locale.Habilitation, "aside": locale.Aside,
	"int":   func(n uint32) int { return int(n) },
	"lines": func(n int64) int { return int(n) },

	"civilForm": locale.CivilForm,
	"of":        locale.Of, "say": locale.Kiosk,
	"state": locale.State, "scope": locale.Scope, "theme": locale.Theme, "term": locale.Term,
	"dayMonth":    func(p clocked, t time.Time) string { return locale.DayMonth(t.In(zone(p))) },
	"scopeNames":  scopeNames,
	"workIcon":    func(late bool) string { return map[bool]string{true: "alert", false: "clock"}[late] },
	"stillWho":    locale.StillWho,
	"still":       func(p clocked, s *node.StillActive) stillPart { return stillPart{p, s} },
	"workingDays": func() int { return mandate.WorkingDaysToStop },
	"posture":     locale.Posture, "evidence": locale.Evidence, "channel": locale.ActChannel, "why": locale.Why,
	"scopeKey":  func(key string) string { return locale.Scope(mandate.Scope(key)) },
	"stopLines": locale.StopLines,
	"stop":      func(p clocked, s node.StopView) string { return locale.Stop(now(p), zone(p), s) },
	"stopShort": func(p clocked, s *node.StopView) string {
		return locale.Moment(now(p), s.ReceivedAt.In(zone(p))) + ", " + locale.Where(s.Channel, s.WhereName)
	},
	"join": locale.And, "warning": func(s mandate.Scope) string { return s.Text().Warning },
	"acts": func(acts []string) string { return strings.Join(acts, "\u00a0; ") },

	"postures":  func() []locale.PostureWords { return locale.Postures },
	"scopes":    locale.Scopes,
	"terms":     func() []locale.TermWords { return locale.Terms },
	"evidences": func() []locale.EvidenceWords { return locale.Evidences },
	"channels":  func() []locale.ChannelWords { return locale.Channels },
	"reasons":   func() []locale.ReasonWords { return locale.Reasons },
	"states":    func() []mandate.State { return locale.States },
	"services":  services,

	"fresh": func(p page.Page) bool {
		f := p.Common().Freshness
		return locale.Fresh(now(p.Common()), f.At, f.Seen, f.Expected)
	},
	"freshness": func(p page.Page) string {
		b := p.Common()
		at := b.Freshness.At
		if !at.IsZero() {
			at = at.In(zone(b))
		}
		return locale.Freshness(now(b), at, b.Freshness.Seen, b.Freshness.Expected)
	},
	"away":    away,
	"count":   count,
	"verdict": verdict,
	"short":   func(sum [32]byte) string { return hex.EncodeToString(sum[:4]) + "…" + hex.EncodeToString(sum[30:]) },

	"hex":        func(sum [32]byte) string { return hex.EncodeToString(sum[:]) },
	"paragraphs": paragraphs,

	"hubBadge": hubBadge, "structureBadge": structureBadge, "picture": newPicture,
	"groups":  func(sum [16]byte) string { return groups(sum[:]) },
	"hubKey":  func(h territory.HubID) string { return groups(h[:]) },
	"hexText": hex.EncodeToString,
	"left":    func(p clocked, until time.Time) string { return locale.DaysLeft(daysLeft(p, until)) },
	"change":  locale.Change, "remedy": locale.RemedyOf,
	"lives":           func() []locale.LifeWords { return locale.Lives },
	"structureStates": func() []locale.StructureStateWords { return locale.StructureStates },

	"etat":     newState,
	"stops":    func(p clocked, stops []node.StopView) stopsPart { return stopsPart{p, stops} },
	"receipt":  func(p clocked, r *page.Receipt) receiptPart { return receiptPart{p, *r} },
	"mirror":   func(p *page.MirrorsNew, e page.MirrorForm) mirrorPart { return mirrorPart{p, e} },
	"copyOf":   func(p *page.MandatePaper, c page.Copy) copyPart { return copyPart{p, c} },
	"step":     newStep,
	"question": newQuestion,
}

func now(p clocked) time.Time {
	t, z := p.Clock()
	return t.In(z)
}

func zone(p clocked) *time.Location {
	_, z := p.Clock()
	return z
}

func heard(p clocked, t time.Time) string {
	if t.IsZero() {
		return locale.Heard(now(p), t)
	}
	return locale.Heard(now(p), t.In(zone(p)))
}

// services lists every suggestion once, for browsers where the choice of
// démarche does not narrow it.
func services() []string {
	var all []string
	seen := make(map[string]bool)
	for _, scope := range locale.Scopes() {
		for _, name := range scope.Examples {
			if !seen[name] {
				seen[name] = true
				all = append(all, name)
			}
		}
	}
	return all
}

// scopeNames joins the titles of scopes, shortly.
func scopeNames(scopes []mandate.Scope) string {
	names := make([]string, len(scopes))
	for i, s := range scopes {
		names[i] = s.Text().Short
	}
	return locale.And(names)
}

// away says how many hubs cannot be told at once; empty when all can.
func away(p page.Page) string {
	f := p.Common().Freshness
	switch n := f.Expected - f.Seen; {
	case n < 1:
		return ""
	case n == 1:
		return "Un relais est hors ligne"
	default:
		return locale.Plural(n, "", "relais sont hors ligne")
	}
}

// count writes a number that stopped at a limit: "100 et plus".
func count(n, limit int) string {
	if limit > 0 && n >= limit {
		return strconv.Itoa(limit) + " et plus"
	}
	return strconv.Itoa(n)
}

// verdict returns the answer for the line at i; a line without one is refused.
func verdict(verdicts []mandate.Verdict, i int) mandate.Verdict {
	if i < len(verdicts) {
		return verdicts[i]
	}
	return mandate.Verdict{Why: mandate.WhyUnknown}
}
