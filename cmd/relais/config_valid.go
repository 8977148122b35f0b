package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"

	"relais/node"
)

// validate reports the first setting that cannot be taken as it is.
func (c Config) validate() error {
	if c.Hub.Name == "" {
		return errors.New("hub.name is empty: give the site's name")
	}
	if err := c.Hub.Territory.Validate(); err != nil {
		return fmt.Errorf("hub.territory: %w", err)
	}
	if c.Hub.DataDir == "" {
		return errors.New("hub.data_dir is empty")
	}
	if m := c.Hub.RetentionMonths; m < node.MinRetentionMonths || m > node.MaxRetentionMonths {
		return fmt.Errorf("hub.retention_months: %d is not between %d and %d", m, node.MinRetentionMonths, node.MaxRetentionMonths)
	}
	return errors.Join(c.Web.validate(), c.Link.validate(), c.Keys.validate(), c.National.validate(), c.Health.validate())
}

func (c WebConfig) validate() error {
	if len(c.Names) == 0 {
		return errors.New("web.names is empty: give the host name of the desk's pages")
	}
	if slices.Contains(c.Names, c.KioskName) {
		return fmt.Errorf("web.kiosk_name %q is also a name of the desk: the kiosk needs a host name of its own", c.KioskName)
	}
	return listenAddress("web.listen", c.Listen)
}

func (c LinkConfig) validate() error {
	for _, address := range c.Advertise {
		if host, _, err := net.SplitHostPort(address); err != nil || host == "" {
			return fmt.Errorf("link.advertise: %q is not host:port", address)
		}
	}
	if slices.Contains(c.Rendezvous, "") {
		return errors.New("link.rendezvous: a name is empty: give ids or names of hubs")
	}
	if c.Proxy != "" {
		if u, err := url.Parse(c.Proxy); err != nil || u.Scheme != "http" || u.Host == "" {
			return fmt.Errorf("link.proxy: %q is not http://host:port", c.Proxy)
		}
	}
	return listenAddress("link.listen", c.Listen)
}

func (c KeysConfig) validate() error {
	if !slices.Contains([]string{"tpm", "software", "auto"}, c.Provider) {
		return fmt.Errorf("keys.provider: %q is none of tpm, software, auto", c.Provider)
	}
	if _, err := c.recipients(); err != nil {
		return fmt.Errorf("keys.departement: %w", err)
	}
	if c.Agent == "" {
		return nil
	}
	if c.Provider != "tpm" {
		return fmt.Errorf("keys.agent: the seal agent is for a TPM: provider = \"tpm\", not %q", c.Provider)
	}
	if err := socketPath(c.Agent); err != nil {
		return fmt.Errorf("keys.agent: %w", err)
	}
	return nil
}

func (c NationalConfig) validate() error {
	if !slices.Contains([]string{"relais", "aidants-connect", "none"}, c.Adapter) {
		return fmt.Errorf("national.adapter: %q is none of relais, aidants-connect, none", c.Adapter)
	}
	if c.Adapter == "aidants-connect" && c.URL == "" {
		return errors.New("national.url is empty: give the address of Aidants Connect, https://host")
	}
	if u, err := url.Parse(c.URL); c.URL != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		return fmt.Errorf("national.url: %q is not https://host:port", c.URL)
	}
	return nil
}

func (c HealthConfig) validate() error {
	if c.Listen == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("health.listen: %q is not a port of this machine alone, such as 127.0.0.1:9464", c.Listen)
	}
	return nil
}

func listenAddress(key, address string) error {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return fmt.Errorf("%s: %q is not host:port", key, address)
	}
	return nil
}
