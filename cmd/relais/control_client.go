package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
)

// A refusal is how an error travels on the socket, with the exit status that
// the caller should end with.
type refusal struct {
	Status int    `json:"status"`
	Error  string `json:"error"`
}

// askHub calls the running hub of a data folder and decodes its answer into
// out. No hub there: exit status 4.
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
	response, err := client.Do(request)
	if err != nil {
		return failWith(exitUnreachable, "no hub runs on %s: %w", filepath.Clean(dataDir), errors.Unwrap(err))
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
