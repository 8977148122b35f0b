// Package agent keeps the TPM away from the process that serves pages: the
// verbs of keyring.Provider and keyring.Counting over a unix socket.
//
// # What it promises
//
// Server, in a process without network, wraps the provider that holds the
// device. Client, in the process that serves, is a keyring.Provider and never
// opens a device. An error keeps its meaning on the way: errors.Is finds the
// keyring's, this package's, and those of the Reasons both ends were given.
//
// Each call is bounded, on both sides. After one that had no answer in time the
// client asks nothing for BreakerPause and says so at once, so that whoever calls
// never queues behind a TPM that hangs. A connection that was lost, because the
// agent was restarted, is made again; the server keeps no state that a client
// would miss. Each verb may be asked twice: a counter is raised to a value, and
// not by one.
//
// # The protocol
//
// A message is a frame: its length in octets, u32 big-endian, at most maxFrame,
// then one JSON object; octets are base64 in it. The server speaks first: its
// kind of provider or, to a caller it does not serve, why not. Then the client
// asks and the server answers, in turn: one request at a time on a connection.
//
//	{"kind":"tpm"}                                    the greeting
//	{"verb":"wrap","data":KEK}                        {"data":BLOB}
//	{"verb":"unwrap","data":BLOB}                     {"data":KEK}
//	{"verb":"new-identity"}                           {"data":BLOB}
//	{"verb":"load-identity","data":BLOB}              {"data":SPKI}
//	{"verb":"sign","data":BLOB,"digest":SHA256}       {"data":DER}
//	{"verb":"examine"}                                {"data":CONDITION}
//	{"verb":"new-counter"}                            {"data":BLOB}
//	{"verb":"read-counter","data":BLOB}               {"count":{"value":N,"place":OCTETS}}
//	{"verb":"raise-counter","data":BLOB,"to":N}       {"count":{"value":N,"place":OCTETS}}
//	                                                  {"error":TEXT,"reasons":[NAME…]}
//
// Closing the connection is the verb close: the device stays open for others. A
// message that is not one of these is answered by an error, and the connection
// is closed.
//
// # The trap
//
// The KEK crosses the socket in clear, once per start: whoever may connect may
// have it unsealed. The socket's mode is one door, the caller's user, as the
// kernel tells it (SO_PEERCRED), the other. In a user namespace of its own
// (PrivateUsers=) the server sees every other user as nobody.
package agent
