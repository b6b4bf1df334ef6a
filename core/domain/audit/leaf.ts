import { isoOf } from '../clock.ts'
import { type AuditAction, type AuditEvent, clearObjectKinds } from './event.ts'
import type { AuditRecord } from './record.ts'

/** An event with its place in the queue. */
export type QueuedEvent = AuditEvent & { id: number }

/** Gives the commitment (43 characters of base64url) to a value of a kind: an actor's or object's kind, or `patient`, `room`, `origin`, `words`. */
export type Commit = (kind: string, value: string) => string

/** A leaf is never longer, whatever the event held: 32 details of at most 64 + 255 characters, and the rest. */
export const maxLeafBytes = 16_384
/** As many details as an entry has in place; what is beyond goes into one commitment, `other`. */
export const maxDetails = 32

// Lower case, no spaces, no long numbers: neither a name, nor a birth date, nor a telephone number is a code.
const code = /^(@?[a-z][a-z0-9_.:/=-]{0,119}|\d{1,5})$/
const clearId = /^[ -~]{1,255}$/
const deviceId = /^[A-Za-z0-9+/=_:.-]{1,255}$/
const kindName = /^[a-z_]{1,32}$/
const detailName = /^[a-z][a-zA-Z0-9_.]{0,63}$/
// Our own names of patients, persons, links, sessions, texts, and of the ghosts and owners of care rooms: they are pseudonyms, not codes.
const pseudonym = /(^|[^a-z0-9])((pt|ps|ln|se|tx|cs)_[0-9a-z]{8}|@[pr]_)|^!/

const isCode = (text: string) => code.test(text) && !pseudonym.test(text)
const isClearId = (text: string) => clearId.test(text) && !pseudonym.test(text)

/** Whether an identifier stands in the log as it is; every other one becomes a commitment. */
export const isClear = (of: 'actor' | 'object', kind: string, id: string): boolean => {
  if (of === 'object') return (clearObjectKinds as readonly string[]).includes(kind) && isClearId(id)
  if (kind === 'anonymous') return isCode(id)
  return (kind === 'user' || kind === 'service' || kind === 'peer') && isClearId(id)
}

type Scalar = string | number | boolean | null
type Ref = { ref: string }

/** The form in which address and user agent are committed to. */
export const originText = ({ ip, agent }: NonNullable<AuditEvent['origin']>): string =>
  JSON.stringify({ ...(ip === undefined ? {} : { ip }), ...(agent === undefined ? {} : { agent }) })

const details = (detail: Record<string, unknown>, commit: Commit): Record<string, Scalar | Ref> => {
  const named: [string, Scalar | Ref][] = []
  const rest: [string, unknown][] = []
  const words = (text: string): Ref => ({ ref: commit('words', text) })
  // In the order of code units: the database's jsonb keeps another one.
  for (const [name, value] of Object.entries(detail).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
    if (value === undefined) continue
    if (!detailName.test(name) || name === 'other' || named.length >= maxDetails - 1) rest.push([name, value])
    else if (typeof value === 'string') named.push([name, isCode(value) ? value : words(value)])
    else if (value === null || typeof value === 'boolean') named.push([name, value])
    else if (typeof value === 'number') named.push([name, Number.isFinite(value) ? value : null])
    else named.push([name, words(JSON.stringify(value))])
  }
  if (rest.length > 0) named.push(['other', words(JSON.stringify(rest))])
  return Object.fromEntries(named)
}

/**
 * The canonical text of an entry, version 1: JSON with a fixed order of keys, no spaces, everything outside printable ASCII escaped. Its UTF-8 bytes are what
 * RFC 6962 hashes. `{"ref": …}` or `"ref"` is a commitment, made by `commit`; the same event and commitments give the same text.
 */
export const leafOf = (e: QueuedEvent, commit: Commit): string => {
  const kindOf = (kind: string) => (kindName.test(kind) ? kind : 'unknown')
  const party = (of: 'actor' | 'object', { kind, id }: { kind: string; id: string }) => {
    const named = kindOf(kind)
    // A device of a patient's browser is as good as a name for the patient.
    const clear = isClear(of, named, id) && !(named === 'device' && e.patient !== undefined)
    return { kind: named, ...(clear ? { id } : { ref: commit(named, id) }) }
  }
  const { device } = e.actor
  const actor = party('actor', e.actor)
  const clearDevice = device !== undefined && 'id' in actor && deviceId.test(device)
  const leaf = {
    v: 1,
    id: e.id,
    at: isoOf(e.at),
    actor: {
      ...actor,
      ...(device === undefined ? {} : { device: clearDevice ? device : { ref: commit('device', device) } }),
    },
    action: isCode(e.action) ? e.action : { ref: commit('words', e.action) },
    object: party('object', e.object),
    outcome: isCode(e.outcome) ? e.outcome : 'failed',
    ...(e.patient === undefined ? {} : { patient: commit('patient', e.patient) }),
    ...(e.room === undefined ? {} : { room: commit('room', e.room) }),
    ...(e.origin === undefined ? {} : { origin: commit('origin', originText(e.origin)) }),
    ...(e.reason === undefined ? {} : { reason: isCode(e.reason) ? e.reason : { ref: commit('words', e.reason) } }),
    ...(e.detail === undefined ? {} : { detail: details(e.detail, commit) }),
  }
  return JSON.stringify(leaf).replace(/[^ -~]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

type Leaf = {
  id: number
  at: string
  actor: { kind: AuditRecord['actor']['kind']; id?: string; ref?: string; device?: string | Ref }
  action: AuditAction | Ref
  object: { kind: AuditRecord['object']['kind']; id?: string; ref?: string }
  outcome: AuditRecord['outcome']
  patient?: string
  room?: string
  origin?: string
  reason?: string | Ref
  detail?: Record<string, Scalar | Ref>
}

const plain = <T extends Scalar>(value: T | Ref): T | string =>
  typeof value === 'object' && value !== null ? value.ref : value

/** An entry as its leaf has it. @throws when the text is no leaf of version 1. */
export const recordOf = (idx: number, text: string): AuditRecord => {
  const leaf = JSON.parse(text) as Leaf & { v: number }
  if (leaf.v !== 1) throw new Error(`entry ${idx} has version ${leaf.v}, which this program does not know`)
  const { device } = leaf.actor
  return {
    idx,
    id: leaf.id,
    at: Date.parse(leaf.at),
    actor: {
      kind: leaf.actor.kind,
      ref: leaf.actor.id ?? leaf.actor.ref ?? '',
      ...(device === undefined ? {} : { device: plain(device) }),
    },
    action: plain(leaf.action) as AuditAction,
    object: { kind: leaf.object.kind, ref: leaf.object.id ?? leaf.object.ref ?? '' },
    outcome: leaf.outcome,
    ...(leaf.patient === undefined ? {} : { patient: leaf.patient }),
    ...(leaf.room === undefined ? {} : { room: leaf.room }),
    ...(leaf.origin === undefined ? {} : { origin: leaf.origin }),
    ...(leaf.reason === undefined ? {} : { reason: plain(leaf.reason) }),
    ...(leaf.detail === undefined
      ? {}
      : { detail: Object.fromEntries(Object.entries(leaf.detail).map(([name, value]) => [name, plain(value)])) }),
  }
}
