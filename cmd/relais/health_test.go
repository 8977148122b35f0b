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
	logger := slog.New(slog.NewTextHandler(&log, nil))
	if l := listenHealth(HealthConfig{}, logger); l != nil || log.Len() > 0 {
		t.Errorf("not asked for, and yet %v, %s", l, log.String())
	}
	first := listenHealth(HealthConfig{Listen: "127.0.0.1:0"}, logger)
	if first == nil {
		t.Fatalf("no health: %s", log.String())
	}
	defer first.Close()
	second := listenHealth(HealthConfig{Listen: first.Addr().(*net.TCPAddr).String()}, logger)
	if second != nil || !strings.Contains(log.String(), "health is not served") {
		t.Errorf("a taken port: %v, %s", second, log.String())
	}
}
