package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"

	"relais/hardware/keyring"
	"relais/node"
	"relais/node/territory"
	"relais/webui"
)

// maxSpareOctets bounds what a spare key is read from.
const maxSpareOctets = 4096

func runRecover(ctx context.Context, std stdio, args []string) error {
	f := flags(std, "recover [--config FILE] [--code-file FILE | --departement-key FILE]")
	config := f.String("config", defaultConfig, "configuration `file`")
	code := f.String("code-file", "", "`file` that holds the recovery code; without it the code is read from standard input")
	departement := f.String("departement-key", "", "`file` of the département's secret age key, instead of the code")
	if err := parse(f, args, 0, 0); err != nil {
		return err
	}
	if *code != "" && *departement != "" {
		return failWith(exitUsage, "give --code-file or --departement-key, not both")
	}
	c, err := loadConfig(*config)
	if err != nil {
		return err
	}
	r, err := recoverHub(ctx, c, func() (keyring.Spare, error) { return readSpare(std.in, *code, *departement) })
	if err != nil {
		return err
	}
	return r.print(std, *config)
}

// readSpare reads what opens the keys instead of the machine. It is never taken
// from the command line, where others of the machine may read it.
func readSpare(in io.Reader, codeFile, departementKey string) (keyring.Spare, error) {
	if departementKey != "" {
		text, err := readBounded(departementKey, maxSpareOctets)
		if err != nil {
			return nil, err
		}
		key, err := keyring.ParseDepartementKey(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", departementKey, err)
		}
		return key, nil
	}
	read := func() ([]byte, error) { return io.ReadAll(io.LimitReader(in, maxSpareOctets)) }
	if codeFile != "" {
		read = func() ([]byte, error) { return readBounded(codeFile, maxSpareOctets) }
	}
	text, err := read()
	if err != nil {
		return nil, err
	}
	code, err := keyring.ParseRecoveryCode(string(text))
	if err != nil {
		return nil, err
	}
	return code, nil
}

// recovered is what recover prints.
type recovered struct {
	node.Adoption
	config  Config
	lost    error // why this machine did not open the keys; nil: it does, since an earlier recovery
	keys    *keyring.Keyring
	slots   []keyring.Kind
	request string
}

// recoverHub makes a hub this machine's, in three durable steps: the keyring, the
// folder, the enrolment request. Interrupted between two, it goes on from there,
// without the spare key once the keyring is written. Nobody else has the folder
// meanwhile, nor the device.
func recoverHub(ctx context.Context, c Config, spare func() (keyring.Spare, error)) (r recovered, err error) {
	if _, err := keyring.Pinned(c.Hub.DataDir); err != nil {
		return r, err // no hub is there, nor a folder to hold perhaps
	}
	folder, err := holdFolder(ctx, c)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, folder.Release()) }()
	keys, lost, err := recoverKeys(c, spare)
	if err != nil {
		return r, err
	}
	defer keys.Close()
	r = recovered{config: c, keys: keys, lost: lost}
	var authority []byte
	r.Adoption, err = node.AdoptIdentity(ctx, node.Options{
		Dir: c.Hub.DataDir, Sealer: keys, Signer: keys.Identity(), Release: releaseTime(),
		Counter: machineCounter{keys.Counter(c.Hub.DataDir)}, Folder: folder,
	}, func(ctx context.Context, s *node.Secrets) (err error) {
		authority, err = webui.AuthorityKey(ctx, s, c.Web.hostNames())
		return err
	})
	if err != nil {
		return r, err
	}
	request, requestErr := readRequest(filepath.Join(c.Hub.DataDir, requestFile), c.Hub.Territory)
	if lost == nil && !r.Done && requestErr == nil && request.Hub.ID == r.Keys.Hub {
		return r, fmt.Errorf("this machine opens the keys of %s: there is nothing to recover", r.Keys.Hub)
	}
	if r.slots, err = keyring.Slots(c.Hub.DataDir); err != nil {
		return r, err
	}
	var instead *territory.Replaced
	if !r.Before.IsZero() {
		instead = &territory.Replaced{Hub: r.Before, Cuts: r.Cuts}
	}
	r.request, err = writeRequest(c, territory.NewRequest(c.Hub.Territory, describe(c, r.Keys, keys.Assurance()), authority, instead))
	return r, err
}

// holdFolder takes the folder of a hub that does not serve. A locked one has it while
// it tries its keys, and is waited for; it leaves the folder alone while we have it.
func holdFolder(ctx context.Context, c Config) (*node.Folder, error) {
	folder, err := whileInUse(ctx, func() (*node.Folder, error) {
		var running status
		err := askHub(ctx, c.Hub.DataDir, http.MethodGet, "/status", nil, &running)
		if err == nil && !running.Locked {
			err = errors.New("the hub runs: its keys open, and there is nothing to recover")
		}
		if err != nil && !unreachable(err) {
			return nil, err
		}
		return node.LockFolder(c.Hub.DataDir)
	})
	if errors.Is(err, node.ErrInUse) {
		err = fmt.Errorf("waited %v for the folder, and changed nothing: %w", folderWait, err)
	}
	return folder, err
}

// recoverKeys opens the keyring with this machine if it can, else with the spare
// key; lost then says why. The provider is the one pinned, unless the configuration names another:
// the machine that is lost may have had a TPM, and this one none.
func recoverKeys(c Config, spare func() (keyring.Spare, error)) (keys *keyring.Keyring, lost, err error) {
	kind, err := keyring.Pinned(c.Hub.DataDir)
	if err != nil {
		return nil, nil, err
	}
	if wanted := keyring.Kind(c.Keys.Provider); c.Keys.Provider != "auto" && wanted != kind {
		lost = fmt.Errorf("the keys were made with provider %q, the configuration now says %q", kind, wanted)
		kind = wanted
	}
	p, err := openProvider(kind, c)
	if err != nil {
		return nil, nil, err
	}
	if lost == nil {
		if keys, lost = keyring.Open(c.Hub.DataDir, p); lost == nil {
			return keys, nil, nil
		}
	}
	key, err := spare()
	if err == nil {
		keys, err = keyring.Recover(c.Hub.DataDir, p, key)
	}
	if err != nil {
		return nil, nil, errors.Join(err, p.Close())
	}
	return keys, lost, nil
}

func (r recovered) print(std stdio, config string) error {
	if r.lost != nil {
		fmt.Fprintf(std.err, "relais: this machine did not open the keys: %v\n", r.lost)
	}
	fmt.Fprintf(std.out, "hub            %s, %s: a new identity, not in any roster yet\n", r.Keys.Hub, r.config.Hub.Name)
	fmt.Fprintf(std.out, "keys           %s; opened by %s\n", r.keys.Assurance(), listSlots(r.slots))
	if !r.Before.IsZero() {
		fmt.Fprintf(std.out, "replaces       %s, which is lost\n", r.Before)
	}
	if r.Waiting > 0 {
		fmt.Fprintf(std.out, "waiting        %d records, to be told to the others once the roster lists the hub\n", r.Waiting)
	}
	fmt.Fprintf(std.out, "request        %s\n", r.request)
	_, err := fmt.Fprintf(std.out, "\nThe data can be read at once; the other hubs do not know this identity yet. Next:\n"+
		"  1. there: relais territory invite, on the hub that keeps the root\n"+
		"  2. here: relais join --config %s, and read aloud the fingerprint that it prints\n"+
		"  3. there: relais territory approve --replace --fingerprint '…'\n"+
		"  4. here: relais serve --config %s, unless the hub runs: a locked one opens by itself\n"+
		"With the root on files alone: territory add-hub --replace FOLDER hub.json, then issue there, and install here.\n", config, config)
	return err
}
