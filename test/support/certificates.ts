import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { isIPv4 } from 'node:net'

/** PEM texts. */
export type TestCertificate = { cert: string; key: string }
export type TestAuthority = {
  ca: string
  /** A certificate for these DNS names and IPv4 addresses; valid from `from` to `until` (a day before and after now). */
  issue(names: readonly string[], validity?: { from?: number; until?: number }): TestCertificate
}

const tlv = (tag: number, ...parts: Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts)
  const bytes: number[] = []
  for (let n = content.length; n > 0; n >>= 8) bytes.unshift(n & 255)
  const length = content.length < 128 ? [content.length] : [128 | bytes.length, ...bytes]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}
const seq = (...parts: Uint8Array[]) => tlv(0x30, ...parts)
const oid = (hex: string) => tlv(0x06, Buffer.from(hex, 'hex'))
const name = (cn: string) => seq(tlv(0x31, seq(oid('550403'), tlv(0x0c, Buffer.from(cn)))))
const time = (at: number) => tlv(0x18, Buffer.from(`${new Date(at).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`))
const ecdsaSha256 = seq(oid('2a8648ce3d040302'))
const extension = (id: string, critical: boolean, value: Uint8Array) =>
  seq(oid(id), ...(critical ? [tlv(0x01, Buffer.from([255]))] : []), tlv(0x04, value))
const pem = (label: string, der: Buffer) =>
  `-----BEGIN ${label}-----\n${(der.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`

type Signed = { subject: string; publicKey: KeyObject; extensions: Buffer[]; from: number; until: number }

let serial = Date.now()

/** An X.509 certificate (RFC 5280), version 3, ECDSA P-256 with SHA-256. */
const certificate = (c: Signed, issuer: string, issuerKey: KeyObject): string => {
  const tbs = seq(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.from(`0${(++serial).toString(16)}`.slice(-12), 'hex')),
    ecdsaSha256,
    name(issuer),
    seq(time(c.from), time(c.until)),
    name(c.subject),
    c.publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, seq(...c.extensions)),
  )
  const signature = sign('sha256', tbs, issuerKey)
  return pem('CERTIFICATE', seq(tbs, ecdsaSha256, tlv(0x03, Buffer.from([0]), signature)))
}

const pair = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const keyId = (key: KeyObject) =>
  createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
const day = 86_400_000

/** A certificate authority that lives as long as the test, made without any program of the machine's. */
export const testAuthority = (cn = 'Wardroom test authority'): TestAuthority => {
  const root = pair()
  const now = Date.now()
  const id = keyId(root.publicKey)
  const extensions = [
    extension('551d13', true, seq(tlv(0x01, Buffer.from([255])))),
    extension('551d0f', true, tlv(0x03, Buffer.from([1, 0x06]))), // keyCertSign, cRLSign
    extension('551d0e', false, tlv(0x04, id)),
  ]
  const validity = { from: now - day, until: now + day }
  return {
    ca: certificate({ subject: cn, publicKey: root.publicKey, extensions, ...validity }, cn, root.privateKey),
    issue: (names, { from = now - day, until = now + day } = {}) => {
      const { publicKey, privateKey } = pair()
      const alternatives = names.map(n =>
        isIPv4(n) ? tlv(0x87, Buffer.from(n.split('.').map(Number))) : tlv(0x82, Buffer.from(n)),
      )
      const leaf = [
        extension('551d13', true, seq()),
        extension('551d0f', true, tlv(0x03, Buffer.from([7, 0x80]))), // digitalSignature
        extension('551d25', false, seq(oid('2b06010505070301'), oid('2b06010505070302'))), // server and client
        extension('551d11', false, seq(...alternatives)),
        extension('551d23', false, seq(tlv(0x80, id))),
        extension('551d0e', false, tlv(0x04, keyId(publicKey))),
      ]
      const subject = names[0] ?? 'test'
      return {
        cert: certificate({ subject, publicKey, extensions: leaf, from, until }, cn, root.privateKey),
        key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      }
    },
  }
}
