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
	f := flags(std, "recover [--config FILE] [--code-file FILE | --departement-key FILE | --new-identity]")
	config := f.String("config", defaultConfig, "configuration `file`")
	code := f.String("code-file", "", "`file` that holds the recovery code; without it the code is read from standard input")
	departement := f.String("departement-key", "", "`file` of the département's secret age key, instead of the code")
	anew := f.Bool("new-identity", false, "make a new identity for a hub whose keys open, because two machines have the one it has, or it was expelled")
	if err := parse(f, args, 0, 0); err != nil {
		return err
	}
	if *code != "" && *departement != "" {
		return failWith(exitUsage, "give --code-file or --departement-key, not both")
	}
	if *anew && *code+*departement != "" {
		return failWith(exitUsage, "--new-identity is for a hub whose keys open on this machine, without --code-file or --departement-key")
	}
	c, err := loadConfig(*config)
	if err != nil {
		return err
	}
	var r recovered
	if *anew {
		r, err = renewIdentity(ctx, c)
	} else {
		r, err = recoverHub(ctx, c, func() (keyring.Spare, error) { return readSpare(std.in, *code, *departement) })
	}
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
	config Config
	lost   error // why this machine did not open the keys; nil: it does
	// left is an identity of a later database, which is gone; zero: none.
	left      territory.HubID
	assurance territory.Assurance
	slots     []keyring.Kind
	request   string
}

// recoverHub makes a hub this machine's, in three durable steps: the keyring, the
// folder, the enrolment request. Interrupted between two, it goes on from there,
// without the spare key once the keyring is written. Nobody else has the folder
// meanwhile, nor the device.
func recoverHub(ctx context.Context, c Config, spare func() (keyring.Spare, error)) (r recovered, err error) {
	folder, err := holdFolder(ctx, c, "its keys open, and there is nothing to recover")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, folder.Release()) }()
	keys, lost, err := recoverKeys(c, spare)
	if err != nil {
		return r, err
	}
	r, whole, err := adopt(ctx, c, folder, keys)
	if errors.Is(err, node.ErrUsedIdentity) {
		return adoptAnother(ctx, c, folder, r.Keys.Hub)
	}
	r.lost = lost
	if err == nil && whole && lost == nil {
		err = fmt.Errorf("this machine opens the keys of %s: there is nothing to recover; relais recover --new-identity is for a hub of which two machines have the identity", r.Keys.Hub)
	}
	return r, err
}

// renewIdentity makes a new identity for a hub whose keys open, in the same steps.
// One that was made, and waits for its place yet, is not made again: the territory
// would never hear which identity to close.
func renewIdentity(ctx context.Context, c Config) (r recovered, err error) {
	folder, err := holdFolder(ctx, c, "stop it first (systemctl stop relais.socket relais.service), its identity does not change while it speaks")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, folder.Release()) }()
	pinned, err := pinnedProvider(c)
	if err != nil {
		return r, err
	}
	keys, err := openKeys(c, pinned)
	if err != nil {
		return r, failWith(statusOf(err), "%w; relais recover with the recovery code, or the département's key, makes a new identity too", err)
	}
	r, whole, err := adopt(ctx, c, folder, keys)
	if errors.Is(err, node.ErrUsedIdentity) {
		return adoptAnother(ctx, c, folder, r.Keys.Hub)
	}
	if err != nil || !whole {
		return r, err
	}
	if waits, err := waitsForPlace(ctx, c, r); err != nil || waits {
		return r, err
	}
	return adoptAnother(ctx, c, folder, territory.HubID{})
}

// adoptAnother makes another identity for a folder whose keys open, and gives it to
// the folder. What left the folder with a later database stays in the roster until
// the territory expels it.
func adoptAnother(ctx context.Context, c Config, folder *node.Folder, left territory.HubID) (r recovered, err error) {
	pinned, err := pinnedProvider(c)
	if err != nil {
		return r, err
	}
	p, err := openProvider(pinned, c)
	if err != nil {
		return r, err
	}
	keys, err := keyring.NewIdentity(c.Hub.DataDir, p)
	if err != nil {
		return r, errors.Join(err, p.Close())
	}
	r, _, err = adopt(ctx, c, folder, keys)
	r.left = left
	return r, err
}

// waitsForPlace tells whether the hub lost an identity and has another, of which no
// roster said anything yet.
func waitsForPlace(ctx context.Context, c Config, r recovered) (bool, error) {
	if r.Before.IsZero() {
		return false, nil
	}
	i, err := node.InspectFolder(ctx, c.Hub.DataDir)
	if err != nil || i.Roster == nil {
		return err == nil, err
	}
	_, listed := i.Roster.Hub(r.Keys.Hub)
	return !listed, nil
}

// adopt gives the folder to the identity in keys, which it closes, and leaves the
// enrolment request. The hub was whole when both said so already.
func adopt(ctx context.Context, c Config, folder *node.Folder, keys *keyring.Keyring) (r recovered, whole bool, err error) {
	defer func() { err = errors.Join(err, keys.Close()) }()
	r = recovered{config: c, assurance: keys.Assurance()}
	var authority []byte
	r.Adoption, err = node.AdoptIdentity(ctx, node.Options{
		Dir: c.Hub.DataDir, Sealer: keys, Signer: keys.Identity(), Release: releaseTime(),
		Counter: machineCounter{keys.Counter(c.Hub.DataDir)}, Folder: folder, Used: keys.Used(),
	}, func(ctx context.Context, s *node.Secrets) (err error) {
		authority, err = webui.AuthorityKey(ctx, s, c.Web.hostNames())
		return err
	})
	if err == nil {
		err = keys.Use()
	}
	if err != nil {
		return r, false, err
	}
	request, err := readRequest(filepath.Join(c.Hub.DataDir, requestFile), c.Hub.Territory)
	whole = !r.Done && err == nil && request.Hub.ID == r.Keys.Hub
	if r.slots, err = keyring.Slots(c.Hub.DataDir); err != nil {
		return r, whole, err
	}
	var instead *territory.Replaced
	if !r.Before.IsZero() {
		instead = &territory.Replaced{Hub: r.Before, Cuts: r.Cuts}
	}
	r.request, err = writeRequest(c, territory.NewRequest(c.Hub.Territory, describe(c, r.Keys, r.assurance), authority, instead))
	return r, whole, err
}

// holdFolder takes the folder of a hub that does not serve; of one that does, the
// refusal ends in why. A locked one has it while it tries its keys, and is waited
// for; it leaves the folder alone while we have it.
func holdFolder(ctx context.Context, c Config, why string) (*node.Folder, error) {
	if _, err := keyring.Pinned(c.Hub.DataDir); err != nil {
		return nil, err // no hub is there, nor a folder perhaps
	}
	folder, err := whileInUse(ctx, func() (*node.Folder, error) {
		var running status
		err := askHub(ctx, c.Hub.DataDir, http.MethodGet, "/status", nil, &running)
		if err == nil && !running.Locked {
			err = errors.New("the hub runs: " + why)
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
	fmt.Fprintf(std.out, "keys           %s; opened by %s\n", r.assurance, listSlots(r.slots))
	if !r.Before.IsZero() {
		fmt.Fprintf(std.out, "replaces       %s, which is no more\n", r.Before)
	}
	if !r.left.IsZero() {
		fmt.Fprintf(std.out, "left           %s, this hub's with a later database, which is gone: the territory is to expel it\n", r.left)
	}
	if r.Waiting > 0 {
		fmt.Fprintf(std.out, "waiting        %d records, to be told to the others once the roster lists the hub\n", r.Waiting)
	}
	fmt.Fprintf(std.out, "request        %s\n", r.request)
	_, err := fmt.Fprintf(std.out, "\nThe data can be read at once; the other hubs do not know this identity yet. Until they\n"+
		"do, this hub makes no mandate and stops none: stop them at another. Next:\n"+
		"  1. there: relais territory invite, on the hub that keeps the root\n"+
		"  2. here: relais join --config %s, and read aloud the fingerprint that it prints\n"+
		"  3. there: relais territory approve --replace --fingerprint '…'\n"+
		"  4. here: relais serve --config %s, unless the hub runs: a locked one opens by itself\n"+
		"With the root on files alone: territory add-hub --replace FOLDER hub.json, then issue there, and install here.\n", config, config)
	return err
}
