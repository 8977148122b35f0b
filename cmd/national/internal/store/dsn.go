package store

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// maxDSNOctets bounds the file of a DSN.
	maxDSNOctets = 4096
	// connectTimeout is how long a server may take to answer, unless the DSN says
	// otherwise.
	connectTimeout = 5 * time.Second
)

// The reasons for which a DSN is refused. None of them repeats any of it.
var (
	ErrDSN        = errors.New("this is no DSN of PostgreSQL: postgres://user:password@host/database?sslmode=verify-full, or user=… password=… host=… dbname=…")
	ErrOpenLine   = errors.New("the DSN would trust whoever answers: over the network it must say sslmode=verify-full")
	ErrDSNReaders = errors.New("others may read the DSN: make the file 0600")
)

// DSN says where a PostgreSQL database is and how to be let in. It is a secret:
// printed and logged it says nothing of itself. The zero DSN is none.
type DSN struct{ config *pgx.ConnConfig }

// IsZero tells whether there is none.
func (d DSN) IsZero() bool { return d.config == nil }

// String implements fmt.Stringer.
func (d DSN) String() string { return "the PostgreSQL database" }

// GoString implements fmt.GoStringer, for %#v.
func (d DSN) GoString() string { return d.String() }

// LogValue implements slog.LogValuer.
func (d DSN) LogValue() slog.Value { return slog.StringValue(d.String()) }

// ReadDSN reads the file that holds a DSN and nothing else. Its errors name
// neither the file nor what is in it: whoever gives the DSN in the place of the
// file must not find it in a log.
func ReadDSN(file string) (DSN, error) {
	f, err := os.Open(file)
	if err != nil {
		return DSN{}, fmt.Errorf("open the file of the DSN: %w", bare(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return DSN{}, fmt.Errorf("look at the file of the DSN: %w", bare(err))
	}
	if info.Mode().Perm()&0o007 != 0 {
		return DSN{}, ErrDSNReaders
	}
	text, err := io.ReadAll(io.LimitReader(f, maxDSNOctets+1))
	if err != nil {
		return DSN{}, fmt.Errorf("read the file of the DSN: %w", bare(err))
	}
	if len(text) > maxDSNOctets {
		return DSN{}, ErrDSN
	}
	return ParseDSN(string(text))
}

// bare is an error of a file without its name.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// ParseDSN takes both forms of a DSN. What the driver would say of a bad one is
// left out: it repeats it.
func ParseDSN(text string) (DSN, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return DSN{}, ErrDSN
	}
	config, err := pgx.ParseConfig(text)
	if err != nil {
		return DSN{}, ErrDSN
	}
	open := !verified(config.Host, config.TLSConfig)
	for _, f := range config.Fallbacks {
		open = open || !verified(f.Host, f.TLSConfig)
	}
	if open {
		return DSN{}, ErrOpenLine
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	config.RuntimeParams["client_encoding"] = "UTF8"
	return DSN{config}, nil
}

// verified tells whether the server proves who it is, or is on this machine.
func verified(host string, t *tls.Config) bool {
	switch ip := net.ParseIP(host); {
	case strings.HasPrefix(host, "/"), strings.HasPrefix(host, "@"), host == "localhost", ip != nil && ip.IsLoopback():
		return true
	}
	return t != nil && !t.InsecureSkipVerify
}
