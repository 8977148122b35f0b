package webui

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/alexedwards/scs/v2"

	"relais/node"
	"relais/node/fault"
	"relais/node/people"
)

// How long a session lives.
const (
	deskLifetime  = 12 * time.Hour
	deskIdle      = 15 * time.Minute
	kioskLifetime = 5 * time.Minute // a stop and its receipt
	// seenEvery is how often activity is written down: a page viewed costs a
	// write once a minute, not each time.
	seenEvery = time.Minute
)

// What a session holds. Values are text; none is personal.
const (
	keyHelper  = "helper"
	keySeen    = "seen" // Unix seconds of the last activity written
	keyFlash   = "flash"
	keyReceipt = "receipt" // JSON
)

// newSessions keeps sessions in the node's sealed store. The cookie carries a
// random token, is sent to this very host name only, and ends with the browser.
func (s *Server) newSessions(cookie string, lifetime time.Duration) *scs.SessionManager {
	m := scs.New()
	if s.node != nil {
		m.Store = s.node.Sessions()
	}
	m.Lifetime = lifetime
	m.Cookie.Name, m.Cookie.Path = cookie, "/"
	m.Cookie.Secure, m.Cookie.HttpOnly, m.Cookie.Persist = true, true, false
	m.Cookie.SameSite = http.SameSiteLaxMode
	m.Codec = textCodec{}
	m.ErrorFunc = s.fail
	return m
}

// begin opens a session for who just signed in, under a new token.
func (s *Server) begin(r *http.Request, by node.Actor) error {
	ctx := r.Context()
	if err := s.sessions.RenewToken(ctx); err != nil {
		return err
	}
	s.sessions.Put(ctx, keyHelper, by.Helper.String())
	s.sessions.Put(ctx, keySeen, strconv.FormatInt(s.now().Unix(), 10))
	return nil
}

// actor returns who is signed in, as her account stands now. A session idle for
// 15 minutes is over.
func (s *Server) actor(r *http.Request) (node.Actor, bool, error) {
	ctx := r.Context()
	text := s.sessions.GetString(ctx, keyHelper)
	if text == "" {
		return node.Actor{}, false, nil
	}
	seen, _ := strconv.ParseInt(s.sessions.GetString(ctx, keySeen), 10, 64)
	idle := s.now().Sub(time.Unix(seen, 0))
	if idle > deskIdle {
		s.sessions.Remove(ctx, keyHelper)
		return node.Actor{}, false, nil
	}
	var id people.HelperID
	if err := id.UnmarshalText([]byte(text)); err != nil {
		return node.Actor{}, false, err
	}
	by, err := s.node.Actor(ctx, id)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Forbidden) || fault.Is(err, fault.Unauthenticated) {
		return node.Actor{}, false, s.sessions.Destroy(ctx) // the account is gone or suspended
	}
	if err == nil && idle >= seenEvery {
		s.sessions.Put(ctx, keySeen, strconv.FormatInt(s.now().Unix(), 10))
	}
	return by, err == nil, err
}

// say keeps a sentence for the page that follows.
func (s *Server) say(r *http.Request, sentence string) {
	s.sessions.Put(r.Context(), keyFlash, sentence)
}

// flash takes the sentence kept for this page. Refusals that come before the
// session is read have none.
func (s *Server) flash(r *http.Request) string {
	if read, _ := r.Context().Value(sessionKey).(bool); !read {
		return ""
	}
	return s.sessions.PopString(r.Context(), keyFlash)
}

// marked tells the pages that a session was read.
func marked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), sessionKey, true)))
	})
}

// textCodec writes a session as JSON: our values are all text, and equal
// sessions are equal octets.
type textCodec struct{}

type textSession struct {
	Deadline time.Time         `json:"deadline"`
	Values   map[string]string `json:"values"`
}

// Encode implements scs.Codec.
func (textCodec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	out := textSession{Deadline: deadline, Values: make(map[string]string, len(values))}
	for key, value := range values {
		out.Values[key], _ = value.(string) // we put text only
	}
	return json.Marshal(out)
}

// Decode implements scs.Codec.
func (textCodec) Decode(b []byte) (time.Time, map[string]any, error) {
	var in textSession
	if err := json.Unmarshal(b, &in); err != nil {
		return time.Time{}, nil, err
	}
	values := make(map[string]any, len(in.Values))
	for key, value := range in.Values {
		values[key] = value
	}
	return in.Deadline, values, nil
}
