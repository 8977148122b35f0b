package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"path/filepath"
	"syscall"
	"time"
)

// A refusal is how an error travels on the socket, with the exit status that
// the caller should end with.
type refusal struct {
	Status int    `json:"status"`
	Error  string `json:"error"`
}

// A call that got no answer. Only the first says that the folder is free.
var (
	errNoHub = errors.New("no hub runs")
	errSlow  = errors.New("the hub answers too slowly")
	errCut   = errors.New("the hub ended before it answered")
)

// unreachable tells whether nobody listens where the hub would, so that a verb may
// open the folder. One that listens and does not answer holds it.
func unreachable(err error) bool { return errors.Is(err, errNoHub) }

// askHub calls the running hub of a data folder and decodes its answer into
// out. No answer: exit status 4, and one of the errors above.
func askHub(ctx context.Context, dataDir, method, path string, body []byte, out any) error {
	client := &http.Client{Timeout: controlTimeout, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			path, done, err := shortPath(dataDir)
			if err != nil {
				return nil, err
			}
			defer done()
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		},
	}}
	request, err := http.NewRequestWithContext(ctx, method, "http://hub"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	began := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return unanswered(ctx, call{filepath.Clean(dataDir), method, time.Since(began).Round(time.Second)}, errors.Unwrap(err))
	}
	defer response.Body.Close()
	reader := json.NewDecoder(io.LimitReader(response.Body, maxControlOctets))
	if response.StatusCode == http.StatusOK {
		return reader.Decode(out)
	}
	var r refusal
	if err := reader.Decode(&r); err != nil {
		return fmt.Errorf("the hub refused: %s", response.Status)
	}
	return &exitError{r.Status, errors.New(r.Error)}
}

// A call is one that got no answer.
type call struct {
	folder, method string
	waited         time.Duration
}

// unanswered says in which way a call was not answered, and what to do.
func unanswered(ctx context.Context, c call, cause error) error {
	var timeout net.Error
	switch {
	case errors.Is(cause, fs.ErrNotExist), errors.Is(cause, syscall.ECONNREFUSED):
		return failWith(exitUnreachable, "%w on %s: %w", errNoHub, c.folder, cause)
	case errors.Is(cause, fs.ErrPermission):
		return fmt.Errorf("the hub on %s answers root and its own user alone: %w", c.folder, cause)
	case errors.Is(context.Cause(ctx), context.Canceled):
		return fmt.Errorf("interrupted before the hub on %s answered; %s", c.folder, c.remedy())
	case errors.As(cause, &timeout) && timeout.Timeout(), errors.Is(cause, syscall.EAGAIN): // or too many wait already
		return failWith(exitUnreachable, "%w: it runs on %s and said nothing for %v; %s: %w", errSlow, c.folder, c.waited, c.remedy(), cause)
	}
	return failWith(exitUnreachable, "%w, on %s; %s: %w", errCut, c.folder, c.remedy(), cause)
}

// remedy is for whoever asked. A hub that was asked for a change may have made it.
func (c call) remedy() string {
	if c.method == http.MethodGet {
		return "ask again in a minute, and if that lasts read journalctl -u relais"
	}
	return "it may have done what was asked, or do it yet: look whether it did before asking again, and read journalctl -u relais"
}
