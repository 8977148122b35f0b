package service

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"relais/node/territory"
)

// ErrPublic means that the page would be served to others than this machine.
var ErrPublic = errors.New("the health address must be one of this machine alone, such as 127.0.0.1:9465")

// pagePolicy lets the page load its style, and do nothing else.
const pagePolicy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"

// silentAfter is how long a hub may be silent before the page says so: one night
// and the morning after.
const silentAfter = 24 * time.Hour

//go:embed page
var pageFiles embed.FS

var pageTemplate = template.Must(template.New("status.tmpl").Funcs(template.FuncMap{
	"count": count, "plural": plural,
}).ParseFS(pageFiles, "page/status.tmpl"))

// listenHealth opens the port for whoever looks after this machine, if there is
// to be one.
func (s *Service) listenHealth(ctx context.Context) error {
	s.page = &http.Server{
		Handler:           s.healthHandler(),
		ReadHeaderTimeout: requestTimeout,
		ErrorLog:          slog.NewLogLogger(s.o.Logger.Handler(), slog.LevelInfo),
	}
	if s.o.Health == "" {
		return nil
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.o.Health)
	if err != nil {
		s.listener.Close()
		return fmt.Errorf("health: %w", err)
	}
	if !l.Addr().(*net.TCPAddr).IP.IsLoopback() {
		l.Close()
		s.listener.Close()
		return ErrPublic
	}
	s.health = l
	return nil
}

// HealthAddr is where the page is served; nil when it is not.
func (s *Service) HealthAddr() net.Addr {
	if s.health == nil {
		return nil
	}
	return s.health.Addr()
}

func (s *Service) healthHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.showStatus)
	for _, file := range []string{"national.css", "mark.svg"} {
		mux.HandleFunc("GET /"+file, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, pageFiles, "page/"+file)
		})
	}
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if _, err := s.db.Admission(r.Context(), territory.HubID{}); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !ownHost(r.Host) {
			http.Error(w, "this page is of this machine alone", http.StatusMisdirectedRequest)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// ownHost tells whether a browser asked for this machine by a name of its own: a
// site that has its name lead here must not read the page.
func ownHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// statusPage is what the page shows.
type statusPage struct {
	Status
	At  time.Time
	Err bool // the database is away: there is nothing else to show
}

func (s *Service) showStatus(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), answerTimeout)
	defer cancel()
	p := statusPage{At: s.o.Now(), Status: Status{zone: zoneOf(s.Roster()), Name: s.Roster().Name}}
	status, err := ReadStatus(ctx, s.db)
	if err == nil {
		p.Status = status
	} else {
		s.o.Logger.Warn("the status page cannot be made", "err", err)
		p.Err = true
	}
	var page strings.Builder
	if err := pageTemplate.Execute(&page, p); err != nil {
		s.o.Logger.Error("the status page cannot be made", "err", err)
		http.Error(w, "see the log of the service", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if p.Err {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	fmt.Fprint(w, page.String())
}

// Silent tells whether a hub has not been here for long.
func (p statusPage) Silent(h HubStatus) bool {
	return h.Active() && p.At.Sub(h.Seen) > silentAfter
}

// ToDo is how many active hubs somebody should look at.
func (p statusPage) ToDo() (n int) {
	for _, h := range p.Hubs {
		if h.Active() && (h.Forked || !h.Contradicted.IsZero() || h.Drift > 0 || h.Aside > 0 || p.Silent(h)) {
			n++
		}
	}
	return n
}

// Active tells whether the roster admits the hub.
func (h HubStatus) Active() bool { return h.State == territory.HubActive }

var months = [...]string{
	"janvier", "février", "mars", "avril", "mai", "juin",
	"juillet", "août", "septembre", "octobre", "novembre", "décembre",
}

// Moment is a time as one says it.
func (p statusPage) Moment(t time.Time) string {
	t = t.In(p.zone)
	text := fmt.Sprintf("%d %s %d à %s", t.Day(), months[t.Month()-1], t.Year(), t.Format("15:04"))
	if p.zone == time.UTC {
		text += " UTC"
	}
	return text
}

// count groups digits by three, as French does.
func count(n any) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "\u202f" + digits[i:]
	}
	return digits
}

func plural(n int, one, many string) string {
	if n < 2 {
		return count(n) + "\u00a0" + one
	}
	return count(n) + "\u00a0" + many
}
