package main

import (
	"fmt"
	"strings"
	"time"

	"relais/hardware/keyring"
	"relais/hardware/soft"
	"relais/hardware/tpm"
)

// checkDevice looks at what guards the keys, and whether it opens them. A device
// that a process of ours may be using is not touched: the hub is asked instead.
func (d *doctor) checkDevice() {
	if d.keys == nil {
		return
	}
	if d.keys.Provider != keyring.KindTPM {
		d.checkOpens(soft.New(d.config.Hub.DataDir))
		return
	}
	if d.config.Keys.Agent == "" && !d.checkDeviceName() {
		return
	}
	switch {
	case d.running != nil:
		d.hearDevice()
		d.checkOpens(nil)
	case d.asleep():
		p, err := openProvider(keyring.KindTPM, d.config)
		if err != nil {
			d.locked(d.deviceKey(), err)
			return
		}
		defer p.Close()
		d.lookAtDevice(p)
	}
}

// deviceKey names who answers for the TPM: the agent, or itself.
func (d *doctor) deviceKey() string {
	if d.config.Keys.Agent != "" {
		return "agent"
	}
	return "device"
}

// checkDeviceName refuses a name that no provider takes, such as the raw device.
func (d *doctor) checkDeviceName() bool {
	p, err := tpm.New(d.config.Keys.Device)
	if err != nil {
		d.locked("device", err)
		return false
	}
	p.Close() // nothing was opened
	d.checkAccess()
	return true
}

// lookAtDevice asks a device that nobody else of ours uses.
func (d *doctor) lookAtDevice(p keyring.Provider) {
	if d.config.Keys.Agent != "" {
		d.agentServes()
	}
	if e, ok := p.(keyring.Examiner); ok {
		k, err := e.Examine()
		if err != nil {
			d.locked("device", err)
			return // it would not open either, for the same reason
		}
		d.tellDevice(k)
	}
	d.checkOpens(p)
}

// hearDevice says what the hub that runs said of its device.
func (d *doctor) hearDevice() {
	switch e := d.said; {
	case d.saidErr != nil:
		d.attention("device", "Le relais n’a pas su dire comment va la puce de sécurité.", "Lisez journalctl -u relais.", d.saidErr.Error())
	case e.Trouble != nil:
		exit := exitFailed
		if d.running.Locked {
			exit = exitLocked
		}
		d.failed(exit, d.deviceKey(), e.Trouble.Message, e.Trouble.Remedy, e.Detail)
	case e.Device != nil:
		if d.config.Keys.Agent != "" {
			d.agentServes()
		}
		d.tellDevice(*e.Device)
	}
}

// agentServes says whom an agent that answered serves.
func (d *doctor) agentServes() {
	users := []string{"root", "son propre utilisateur"}
	if d.config.Keys.AgentUser != "" {
		users = append(users, d.config.Keys.AgentUser)
	}
	d.ok("agent", fmt.Sprintf("Le gardien des clés répond\u00a0; il sert %s et %s.", strings.Join(users[:len(users)-1], ", "), users[len(users)-1]), d.config.Keys.Agent)
}

// tellDevice says how the device is.
func (d *doctor) tellDevice(k keyring.Condition) {
	detail := fmt.Sprintf("TPM %s by %s", k.Family, k.Manufacturer)
	if k.Family != "2.0" {
		d.locked("device", fmt.Errorf("%w: %s", tpm.ErrNotTPM2, detail))
		return
	}
	d.ok("device", "La puce de sécurité répond, et elle est en version 2.0.", detail)
	d.tellLockout(k)
	if k.OwnerAuth {
		d.attention("owner-password", tpm.ErrOwnerAuth.Message, tpm.ErrOwnerAuth.Remedy, "owner hierarchy has a password")
		return
	}
	d.ok("owner-password", "La puce de sécurité n’a pas de mot de passe de propriétaire.", "")
}

// tellLockout names a lockout that another program set off: our keys are outside
// that rule, and open all the same.
func (d *doctor) tellLockout(k keyring.Condition) {
	detail := fmt.Sprintf("%d wrong passwords of %d", k.Failures, k.MaxFailures)
	if !k.Lockout {
		d.ok("lockout", "La puce de sécurité n’est pas bloquée.", detail)
		return
	}
	message := "La puce de sécurité est bloquée, par un autre programme qui a donné de mauvais mots de passe\u00a0; les clés du relais n’en dépendent pas."
	remedy := "Levez le blocage par tpm2_dictionarylockout -c."
	if k.RecoversIn > 0 {
		seconds := int(k.RecoversIn / time.Second)
		message = fmt.Sprintf("La puce de sécurité est bloquée pour encore %d\u00a0secondes au plus, par un autre programme qui a donné de mauvais mots de passe\u00a0; les clés du relais n’en dépendent pas.", seconds)
		remedy = fmt.Sprintf("Trouvez ce programme et attendez %d\u00a0secondes, ou levez le blocage par tpm2_dictionarylockout -c.", seconds)
	}
	d.attention("lockout", message, remedy, detail)
}
