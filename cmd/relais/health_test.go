package main

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"testing"
)

// A port of the machine's own monitoring that is taken is logged, and is no
// reason not to serve the room.
func TestListenHealth(t *testing.T) {
	var log bytes.Buffer
	h := &hub{log: slog.New(slog.NewTextHandler(&log, nil))}
	if h.listenHealth(); h.health != nil || log.Len() > 0 {
		t.Errorf("not asked for, and yet %v, %s", h.health, log.String())
	}
	h.config.Health.Listen = "127.0.0.1:0"
	if h.listenHealth(); h.health == nil {
		t.Fatalf("no health: %s", log.String())
	}
	defer h.health.Close()
	second := &hub{log: h.log}
	second.config.Health.Listen = h.health.Addr().(*net.TCPAddr).String()
	if second.listenHealth(); second.health != nil || !strings.Contains(log.String(), "health is not served") {
		t.Errorf("a taken port: %v, %s", second.health, log.String())
	}
}
