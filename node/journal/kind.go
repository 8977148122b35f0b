package journal

// Kind says what was done. It is written in the entry for ever: a kind is added,
// never renamed nor given another meaning.
type Kind string

// The kinds, by noun.
const (
	KindHubCreate     Kind = "hub.create"     // the data folder was made: always entry 0
	KindHubAdopt      Kind = "hub.adopt"      // the folder was given to a new identity, the old one lost
	KindRekeyBegin    Kind = "rekey.begin"    // the hub's key was replaced; what it sealed is being sealed again
	KindRekeyEnd      Kind = "rekey.end"      // nothing is left under the key before, which was destroyed
	KindHubDoubt      Kind = "hub.doubt"      // the folder may not be the newest: others were to say
	KindHubCounter    Kind = "hub.counter"    // the machine's counter was removed, and another made or none
	KindRosterInstall Kind = "roster.install" // a newer roster of the territory was taken

	KindRootKeep     Kind = "root.keep"     // the territory's root was sealed on this hub
	KindRootExport   Kind = "root.export"   // it was copied out, for whoever puts it away
	KindRosterIssue  Kind = "roster.issue"  // this hub signed a roster: renewed, or its root rotated
	KindStructurePut Kind = "structure.put" // a structure was added or changed
	KindNationalPut  Kind = "national.put"  // the national service was named, or its address changed
	KindHubInvite    Kind = "hub.invite"    // an invitation was made
	KindHubUninvite  Kind = "hub.uninvite"  // it was withdrawn
	KindHubRequest   Kind = "hub.request"   // a hub used it to ask for its place
	KindHubApprove   Kind = "hub.approve"   // the hub was given its place
	KindHubRefuse    Kind = "hub.refuse"    // it was not
	KindHubExpel     Kind = "hub.expel"     // a hub was put out of the territory

	KindHelperEnrol Kind = "helper.enrol" // an account was opened
	KindHelperLogin Kind = "helper.login" // somebody signed in
	KindHelperDeny  Kind = "helper.deny"  // a sign-in was refused

	KindAccompanimentOpen  Kind = "accompaniment.open"
	KindAccompanimentClose Kind = "accompaniment.close"

	KindPersonCreate Kind = "person.create" // a person was written down, under a key of her own
	KindPersonForget Kind = "person.forget" // her key was destroyed, and what it sealed
	KindForgetAsk    Kind = "forget.ask"    // a hub that serves her structure since is asked to forget her too
	KindForgetDone   Kind = "forget.done"   // a hub said that it forgot her

	KindMandateGrant   Kind = "mandate.grant"
	KindMandateMirror  Kind = "mandate.mirror" // one made in Aidants Connect was entered, its signed paper at hand
	KindMandatePrint   Kind = "mandate.print"
	KindMandatePaper   Kind = "mandate.paper" // both copies signed, one handed over
	KindMandateView    Kind = "mandate.view"  // its dossier was read
	KindMandateEnd     Kind = "mandate.end"   // done with before its term
	KindMandateStop    Kind = "mandate.stop"  // stopped here, at a desk or a kiosk; or said again for a hub that was expelled
	KindMandateRefused Kind = "mandate.refused"
	KindActRecord      Kind = "act.record"

	KindWorkDone   Kind = "work.done"   // what was stopped here was stopped in Aidants Connect too, somebody says
	KindWorkReopen Kind = "work.reopen" // she takes it back

	KindRecordsApply  Kind = "records.apply"  // a batch received from another hub
	KindRecordReissue Kind = "record.reissue" // what nobody could sign, or knew, was said again at another place
	KindDossierPut    Kind = "dossier.put"    // a dossier received
	KindDossierGive   Kind = "dossier.give"   // a dossier handed to another hub

	KindExpire  Kind = "expire"  // what time asks for was done
	KindControl Kind = "control" // a verb came through the control socket
)
