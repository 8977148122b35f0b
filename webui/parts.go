package webui

import (
	"strings"
	"time"

	"relais/node"
	"relais/node/mandate"
	"relais/node/mediation"
	"relais/webui/locale"
	"relais/webui/page"
)

// The parts: what a shared template receives when it needs more than one value.

type statePart struct {
	State    mandate.State
	Sentence string
}

func newState(p clocked, s mandate.State, end time.Time, stops []node.StopView, mirror bool) statePart {
	return statePart{s, locale.StateSentence(now(p), zone(p), s, end, stops, mirror)}
}

type stopsPart struct {
	Page  clocked
	Stops []node.StopView
}

type receiptPart struct {
	Page clocked
	page.Receipt
}

// paragraph is a paragraph of a mandate's text, or a list of items: those that
// begin with an en dash, one after the other.
type paragraph struct {
	Text  string
	Items []string
}

func paragraphs(text []string) []paragraph {
	var all []paragraph
	for _, p := range text {
		item, found := strings.CutPrefix(p, "– ")
		switch last := len(all) - 1; {
		case !found:
			all = append(all, paragraph{Text: p})
		case last >= 0 && all[last].Items != nil:
			all[last].Items = append(all[last].Items, item)
		default:
			all = append(all, paragraph{Items: []string{item}})
		}
	}
	return all
}

type copyPart struct {
	Page *page.MandatePaper
	Copy page.Copy
}

// stillPart says what is still active in Aidants Connect.
type stillPart struct {
	Page clocked
	*node.StillActive
}

type mirrorPart struct {
	Page  *page.MirrorsNew
	Entry page.MirrorForm
}

// stepPart is one of the four steps in the bar. Link is empty for those not
// reached yet.
type stepPart struct {
	Number        page.Step
	Title, Link   string
	Current, Done bool
}

// drafting is any page of the four steps.
type drafting interface {
	Progress() (id mediation.AccompanimentID, current, reached page.Step)
}

func newStep(p drafting, number int, title, path string) stepPart {
	id, current, reached := p.Progress()
	n := page.Step(number)
	part := stepPart{Number: n, Title: title, Current: n == current, Done: n < current}
	if n <= reached {
		part.Link = "/bureau/accompagnements/" + id.String() + "/mandat/" + path
	}
	return part
}

type questionPart struct {
	Page                     page.Page
	Name, Text, Answer, Hint string
}

func newQuestion(p page.Page, name, text, answer, hint string) questionPart {
	return questionPart{p, name, text, answer, hint}
}

// HintID is the identifier of the hint's element; empty without one.
func (q questionPart) HintID() string {
	if q.Hint == "" {
		return ""
	}
	return q.Name + "-aide"
}
