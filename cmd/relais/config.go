package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"relais/node"
	"relais/node/territory"
)

// defaultConfig is where the package puts the configuration. A variable, so that
// a packager may link in another place.
var defaultConfig = "/etc/relais/relais.toml"

// maxConfigOctets bounds the configuration file.
const maxConfigOctets = 1 << 20

// Config is relais.toml. A key that is not here is an error: a misspelt setting
// must not be a silent default. It holds no secret; those come from
// $CREDENTIALS_DIRECTORY.
type Config struct {
	Hub      HubConfig      `toml:"hub"`
	Web      WebConfig      `toml:"web"`
	Link     LinkConfig     `toml:"link"`
	Keys     KeysConfig     `toml:"keys"`
	National NationalConfig `toml:"national"`
	Health   HealthConfig   `toml:"health"`
}

// HubConfig says which hub this is.
type HubConfig struct {
	// Name is the site's, as people say it: "Valbrume". Required.
	Name string `toml:"name"`
	// Territory is the territory's code, at most 8 of a-z, 0-9 and -. Required.
	Territory territory.Code `toml:"territory"`
	// DataDir holds everything the hub keeps. A relative path starts at the
	// folder of the configuration file. Default: the folder "data" beside it.
	DataDir string `toml:"data_dir"`
	// RetentionMonths is how long a person is kept after the last of her mandates
	// ended and her last visit, then forgotten: 12 to 120. Default 72.
	RetentionMonths int `toml:"retention_months"`
}

// WebConfig says where the pages are.
type WebConfig struct {
	// Listen is host:port of the pages, over TLS. Default ":443".
	Listen string `toml:"listen"`
	// Names are the host names of the desk, the first being the one shown.
	// Required.
	Names []string `toml:"names"`
	// KioskName is the host name of the kiosk, which serves nothing else. Empty:
	// no kiosk here.
	KioskName string `toml:"kiosk_name"`
}

// hostNames are the desk's and the kiosk's.
func (c WebConfig) hostNames() []string {
	if c.KioskName == "" {
		return c.Names
	}
	return append(slices.Clone(c.Names), c.KioskName)
}

// LinkConfig says how this hub and the others reach each other.
type LinkConfig struct {
	// Listen is host:port for the other hubs. Default ":7443".
	Listen string `toml:"listen"`
	// Advertise is where the others dial, host:port, best first. Empty for a hub
	// that can only call out.
	Advertise []string `toml:"advertise"`
	// Rendezvous are hubs of the roster, by id or name, through which this one meets
	// hubs that it cannot call, best first. Empty: it finds them by itself, among
	// those that have an address.
	Rendezvous []string `toml:"rendezvous"`
	// Transit: this hub passes on, unread, between others that cannot call each
	// other. Default true.
	Transit bool `toml:"transit"`
	// Proxy is the HTTP proxy through which everything goes out, such as
	// "http://proxy.example:3128". Empty: directly.
	Proxy string `toml:"proxy"`
}

// KeysConfig says what guards the keys.
type KeysConfig struct {
	// Provider is "tpm", "software", or "auto": tpm where there is one. What was
	// found when the hub was made stays, whatever happens to the machine.
	// Default "auto".
	Provider string `toml:"provider"`
	// Device is the TPM: a device or a unix socket. Default "/dev/tpmrm0".
	Device string `toml:"device"`
	// Agent is the absolute path of the seal agent's socket. The hub then never
	// opens the device: the agent does. Only with provider "tpm". Empty: the hub
	// opens it by itself.
	Agent string `toml:"agent"`
	// AgentUser is the user, by name or number, whom the agent serves beside its
	// own and root: the hub's. Empty: nobody else.
	AgentUser string `toml:"agent_user"`
	// Departement is the public half of the département's key, "age1…": with the
	// other half, kept off line, it opens this hub when its machine is lost. Read
	// when the hub is made, and when its key is replaced. Empty: none.
	Departement string `toml:"departement"`
}

// NationalConfig says which national service this hub reconciles with.
type NationalConfig struct {
	// Adapter is "relais" for our contract, "aidants-connect" for the public directory
	// of Aidants Connect, or "none". Default "none".
	Adapter string `toml:"adapter"`
	// URL is https://host:port. Empty, with relais: the one that the roster gives.
	URL string `toml:"url"`
}

// HealthConfig says where the machine's owner may ask how the hub is.
type HealthConfig struct {
	// Listen is host:port of plain HTTP, for this machine only. Empty: nowhere. A
	// port that is taken is logged, and the hub serves. Default "127.0.0.1:9464".
	Listen string `toml:"listen"`
}

// configDefaults is a configuration before the file is read.
func configDefaults() Config {
	return Config{
		Hub:      HubConfig{DataDir: "data", RetentionMonths: node.RetentionMonths},
		Web:      WebConfig{Listen: ":443"},
		Link:     LinkConfig{Listen: ":7443", Transit: true},
		Keys:     KeysConfig{Provider: "auto", Device: "/dev/tpmrm0"},
		National: NationalConfig{Adapter: "none"},
		Health:   HealthConfig{Listen: "127.0.0.1:9464"},
	}
}

// loadConfig reads, checks and completes the configuration at path.
func loadConfig(path string) (Config, error) {
	c := configDefaults()
	text, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("read the configuration: %w", err)
	}
	if len(text) > maxConfigOctets {
		return c, fmt.Errorf("%s: larger than %d octets", path, maxConfigOctets)
	}
	if err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&c); err != nil {
		return c, tomlError(path, err)
	}
	if err := c.validate(); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	if !filepath.IsAbs(c.Hub.DataDir) {
		c.Hub.DataDir = filepath.Join(filepath.Dir(path), c.Hub.DataDir)
	}
	return c, nil
}

// tomlError says where the file is wrong: path:line: what.
func tomlError(path string, err error) error {
	if e, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		var unknown []error
		for _, d := range e.Errors {
			line, _ := d.Position()
			unknown = append(unknown, fmt.Errorf("%s:%d: unknown key %s", path, line, strings.Join(d.Key(), ".")))
		}
		return errors.Join(unknown...)
	}
	if e, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, _ := e.Position()
		return fmt.Errorf("%s:%d: %w", path, line, err)
	}
	return fmt.Errorf("%s: %w", path, err)
}
