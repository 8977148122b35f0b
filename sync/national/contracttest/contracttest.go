// Package contracttest holds what a hub and the national service say to each other
// against the contract, openapi.yaml, for the tests of both sides.
//
//	client.Transport = contracttest.Client(t, client.Transport) // on the way out and back
//	server.Handler = contracttest.Server(t, server.Handler)     // on the way in and out
//
// Whatever is answered must be what the contract says of that answer. What is asked
// may be wrong, since tests do that too: then it must be refused, 4xx.
package contracttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"relais/sync/national"
)

// opaque are the media types whose bodies the contract only bounds.
var opaque = []string{
	"application/vnd.relais.vector", "application/vnd.relais.records",
	national.TypeRoster, national.TypeSubmission, national.TypeSize,
}

// contract is openapi.yaml, read once.
var contract = sync.OnceValues(func() (routers.Router, error) {
	for _, kind := range opaque {
		openapi3filter.RegisterBodyDecoder(kind, openapi3filter.FileBodyDecoder)
	}
	document, err := openapi3.NewLoader().LoadFromData(national.OpenAPI)
	if err != nil {
		return nil, err
	}
	document.Servers = nil // whatever address answers
	if err := document.Validate(context.Background()); err != nil {
		return nil, err
	}
	return legacy.NewRouter(document)
})

// options: who may ask is seen to by TLS, before any of this.
var options = &openapi3filter.Options{
	AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc,
	IncludeResponseStatus: true, MultiError: true,
}

// Check says what is wrong with a request, whose body it leaves to be read, and with
// its answer. Of an answer that refuses, the request may be anything.
func Check(req *http.Request, sent []byte, status int, header http.Header, answer []byte) error {
	router, err := contract()
	if err != nil {
		return fmt.Errorf("openapi.yaml: %w", err)
	}
	asked := req.Clone(context.Background())
	asked.Body = io.NopCloser(bytes.NewReader(sent))
	route, params, err := router.FindRoute(asked)
	if err != nil {
		return unless(status, fmt.Errorf("%s %s: %w", req.Method, req.URL.Path, err))
	}
	in := &openapi3filter.RequestValidationInput{Request: asked, PathParams: params, Route: route, Options: options}
	if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil {
		if err := unless(status, fmt.Errorf("%s %s: %w", req.Method, req.URL.Path, err)); err != nil {
			return err
		}
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: status, Header: header, Options: options}
	if err := openapi3filter.ValidateResponse(context.Background(), out.SetBodyBytes(answer)); err != nil {
		return fmt.Errorf("%d to %s %s: %w", status, req.Method, req.URL.Path, err)
	}
	return nil
}

// unless is err, unless what is wrong was refused.
func unless(status int, err error) error {
	if status >= 400 && status < 500 {
		return nil
	}
	return err
}

// Client checks what passes through a transport. What breaks off is not looked at.
func Client(t testing.TB, base http.RoundTripper) http.RoundTripper { return transport{t, base} }

type transport struct {
	t    testing.TB
	base http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (c transport) RoundTrip(req *http.Request) (*http.Response, error) {
	var sent []byte
	if req.Body != nil {
		var err error
		if sent, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		req.Body.Close()
		req.Body = io.NopCloser(bytes.NewReader(sent))
	}
	resp, err := c.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(answer), broken{err}))
	if err == nil {
		if err := Check(req, sent, resp.StatusCode, resp.Header, answer); err != nil {
			c.t.Errorf("not as the contract says: %v", err)
		}
	}
	return resp, nil
}

// broken ends a body as it ended.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) {
	if b.err == nil {
		return 0, io.EOF
	}
	return 0, b.err
}

// Server checks what a handler is asked and answers. One that breaks off is not
// looked at.
func Server(t testing.TB, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, err := io.ReadAll(r.Body)
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(sent), broken{err}))
		kept := httptest.NewRecorder()
		next.ServeHTTP(kept, r)
		if err == nil {
			if err := Check(r, sent, kept.Code, kept.Header(), kept.Body.Bytes()); err != nil {
				t.Errorf("not as the contract says: %v", err)
			}
		}
		for name, values := range kept.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(kept.Code)
		if _, err := w.Write(kept.Body.Bytes()); err != nil && !errors.Is(err, http.ErrBodyNotAllowed) {
			return // the other side is gone
		}
	})
}
