// Reads the vectors of ../vectors.json as somebody would who has DESIGN.md and no
// line of Relais: another language, another CBOR library, Web Crypto. Each record
// is decoded, understood, written again from what was understood, and compared
// octet for octet; then an octet changed must be seen.
//
//	node check.mjs vectors.json labels.json
//
// Prints one line; exit status 1 and the name of what differs otherwise.
import { readFileSync } from 'node:fs'
import { webcrypto } from 'node:crypto'
import { Tag, cdeDecodeOptions, cdeEncodeOptions, decode, encode } from 'cbor2'

const { subtle } = webcrypto
const vectors = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const labels = JSON.parse(readFileSync(process.argv[3], 'utf8'))
const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551') // of P-256, SEC 2

const text = new TextEncoder()
const bin = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'))
const hex = (octets) => Buffer.from(octets).toString('hex')
const join = (...parts) => Uint8Array.from(Buffer.concat(parts.map((p) => Buffer.from(p))))
const label = (purpose) => {
  const name = `relais/v1/${purpose}`
  if (!(name in labels)) throw new Error(`${name} is no label`)
  return text.encode(name)
}
const sha256 = async (...parts) => new Uint8Array(await subtle.digest('SHA-256', join(...parts)))
const write = (value) => encode(value, cdeEncodeOptions)
const read = (octets) => decode(octets, { ...cdeDecodeOptions, preferMap: true })

const same = (what, got, want) => {
  if (hex(got) !== hex(want)) throw new Error(`${what}: ${hex(got)}, want ${hex(want)}`)
}
const must = (what, ok) => {
  if (!ok) throw new Error(what)
}

// uint writes a number in n octets, big-endian.
const uint = (n, value) => bin(value.toString(16).padStart(2 * n, '0'))
const number = (octets) => Number(BigInt('0x' + hex(octets)))

const bytes = (n) => ({ read: (v) => (must(`${n} octets`, v instanceof Uint8Array && v.length === n), v), write: (v) => v })
const integer = (max) => ({ read: (v) => (must(`0 to ${max}`, Number.isInteger(v) && v >= 0 && v <= max), v), write: (v) => v })
const u8 = integer(255)
const u16 = integer(65535)
const u32 = integer(2 ** 32 - 1)
const time = {
  read: (v) => (integer(253402300799999).read(v), new Date(v)),
  write: (v) => v.getTime(),
}
const optional = (of) => ({ read: (v) => (v === null ? null : of.read(v)), write: (v) => (v === null ? null : of.write(v)) })
const fields = (shape) => ({
  read: (v) => {
    const names = Object.keys(shape)
    must(`${names.length} items`, Array.isArray(v) && v.length === names.length)
    return Object.fromEntries(names.map((name, i) => [name, shape[name].read(v[i])]))
  },
  write: (v) => Object.keys(shape).map((name) => shape[name].write(v[name])),
})
const cuts = {
  read: (v) => {
    must('1 to 12 cuts of 8 octets', v instanceof Uint8Array && v.length % 8 === 0 && v.length >= 8 && v.length <= 96)
    const all = []
    for (let i = 0; i < v.length; i += 8) {
      all.push({ index: number(v.subarray(i, i + 2)), incarnation: number(v.subarray(i + 2, i + 4)), seq: number(v.subarray(i + 4, i + 8)) })
    }
    const logs = all.map((c) => c.index * 65536 + c.incarnation)
    must('logs ascending', logs.every((log, i) => i === 0 || log > logs[i - 1]))
    return all
  },
  write: (v) => join(...v.flatMap((c) => [uint(2, c.index), uint(2, c.incarnation), uint(4, c.seq)])),
}

// The table of DESIGN.md.
const kinds = {
  1: fields({
    mandate: bytes(16), structure: bytes(16), lines: u8, start: time, end: time, regime: u8,
    stop: bytes(16), dossier: bytes(16), subject: optional(bytes(16)),
  }),
  2: fields({ mandate: bytes(16), lines: u32, reason: u8, channel: u8, claimed: time, code: optional(bytes(10)) }),
  3: fields({ structure: bytes(16), cuts }),
  4: fields({ helper: bytes(16), lifts: optional(fields({ index: u16, incarnation: u16, seq: u32 })) }),
  5: fields({ seq: u32, hash: bytes(32) }),
}
const envelope = {
  read: (v) => {
    must('eight items', Array.isArray(v) && v.length === 8)
    const [version, kind, territory, incarnation, seq, prev, at, body] = v
    must('version and kind', integer(255).read(version) >= 1 && integer(255).read(kind) >= 1)
    must('a territory', /^[a-z0-9][a-z0-9-]{0,7}$/.test(territory))
    must('seq from 1', u32.read(seq) >= 1)
    const record = { version, kind, territory, incarnation: u16.read(incarnation), seq, prev: bytes(16).read(prev), at: time.read(at) }
    try {
      if (version !== 1) throw new Error('another version')
      return { ...record, says: kinds[kind].read(body) }
    } catch { // signed all the same: kept as it is, mute
      return { ...record, mute: body }
    }
  },
  write: (r) => [
    r.version, r.kind, r.territory, r.incarnation, r.seq, r.prev, time.write(r.at),
    'mute' in r ? r.mute : kinds[r.kind].write(r.says),
  ],
}

const external = join(label('record'), text.encode(vectors.Territory))
const half = order / 2n
const headerOf = (hub) => write(new Map([[1, -7], [4, hub]]))

// parse decodes one wire form and writes it again from what it understood.
async function parse(wire, key) {
  must('at most 255 octets', wire.length <= 255)
  const cose = read(wire)
  must('tag 18', cose instanceof Tag && cose.tag === 18 && cose.contents.length === 4)
  const [header, unprotected, payload, signature] = cose.contents
  must('an empty unprotected header', unprotected instanceof Map && unprotected.size === 0)
  const hub = read(header).get(4)
  same('the protected header', header, headerOf(bytes(16).read(hub)))
  must('64 octets of signature', signature.length === 64)
  must('s is low', BigInt('0x' + hex(signature.subarray(32))) <= half)
  const record = envelope.read(read(payload))
  const again = write(envelope.write(record))
  same('the payload written again', again, payload)
  same('the record written again', write(new Tag(18, [headerOf(hub), new Map(), again, signature])), wire)
  const signed = write(['Signature1', header, external, payload])
  must('the signature holds', await subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, signature, signed))
  return { record, hub, payload, hash: await sha256(label('chain'), header, payload) }
}

// refused says whether parse refuses it.
const refused = (wire, key) => parse(wire, key).then(() => false, () => true)

// The private key is SEC 1 DER (RFC 5915): d is 32 octets from the eighth on, the
// point is the last 65.
async function publicKey(der) {
  const point = der.subarray(der.length - 65)
  return subtle.importKey('raw', point, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify'])
}

const symbols = '0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U' // Crockford's base 32 and his check symbols
function shown(code) {
  const value = BigInt('0x' + hex(code))
  let all = ''
  for (let i = 15n; i >= 0n; i--) all += symbols[Number((value >> (5n * i)) & 31n)]
  return [...all.match(/.{4}/g), symbols[Number(value % 37n)]].join('-')
}

// logHash is the head of a log with more than one history.
const logHash = (variants) => sha256(label('fork'), ...variants)

async function checkVector() {
  const wire = bin(vectors.VectorWire)
  must('whole entries', (wire.length - 20) % 16 === 0)
  const salt = wire.subarray(4, 20)
  const salted = async (head) => (await sha256(salt, head)).subarray(0, 8)
  same('a salted head', await salted(new Uint8Array(32).fill(0x11)), bin(vectors.VectorEntry))
  const logs = []
  for (let at = 20; at < wire.length; at += 16) logs.push(number(wire.subarray(at, at + 4)))
  must('logs ascending', logs.every((log, i) => i === 0 || log > logs[i - 1]))
  const first = new Uint8Array(32) // the head of the first entry: thirty-two times zero
  same('the first entry', wire.subarray(28, 36), await salted(first))
  same('a forked log', await logHash([0x11, 0x22, 0x33].map((b) => new Uint8Array(32).fill(b))), bin(vectors.ForkedLog))
}

// countChanges changes each octet of each record; it must be seen.
async function countChanges(key) {
  let changed = 0
  for (const v of vectors.Records) {
    const wire = bin(v.Wire)
    for (let at = 0; at < wire.length; at++) {
      wire[at] ^= 1
      must(`${v.Name}: octet ${at} changed, and nobody sees it`, await refused(wire, key))
      wire[at] ^= 1
      changed++
    }
  }
  return changed
}

// Each label's vector is SHA-256(label ‖ 00 01 02 03).
async function checkLabels() {
  for (const [name, sum] of Object.entries(labels)) same(name, await sha256(text.encode(name), bin('00010203')), bin(sum))
}

async function check() {
  await checkLabels()
  const key = await publicKey(bin(vectors.PrivateKey))
  const hub = (await sha256(label('hub-id'), new Uint8Array(await subtle.exportKey('spki', key)))).subarray(0, 16)
  same('the hub', hub, bin(vectors.Hub))
  must('there are records', vectors.Records.length > 0)
  const understood = new Set()
  for (const v of vectors.Records) {
    const wire = bin(v.Wire)
    try {
      const got = await parse(wire, key)
      same('author', got.hub, hub)
      same('payload', got.payload, bin(v.Payload))
      same('chain hash', got.hash, bin(v.ChainHash))
      if ('says' in got.record) understood.add(got.record.kind)
    } catch (error) {
      throw new Error(`${v.Name}: ${error.message}`)
    }
  }
  must('every kind is understood', Object.keys(kinds).every((kind) => understood.has(Number(kind))))
  const code = bin(vectors.StopCode)
  must(`the stop code is shown ${shown(code)}`, shown(code) === vectors.StopShown)
  same('its commitment', (await sha256(label('stop-code'), text.encode(vectors.Territory), code)).subarray(0, 16), bin(vectors.Commitment))
  await checkVector()
  const changed = await countChanges(key)
  console.log(`${vectors.Records.length} records, ${understood.size} kinds, ${changed} changed octets seen`)
}

try {
  await check()
} catch (error) {
  console.error(`check: ${error.message}`)
  process.exit(1)
}
