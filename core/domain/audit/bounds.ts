import type { AuditEvent } from './event.ts'
import { maxDetails } from './leaf.ts'

/** The longest text that an event keeps of one field, in UTF-16 units. */
export const maxField = 4000

const written = (c: string) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Text that every store and sink can hold: NUL and lone surrogates are written out as `\u0000`, what is too long is cut and says how long it was. */
export const boundedText = (text: string): string => {
  const cut = text.length > maxField ? `${text.slice(0, maxField)}…[${text.length}]` : text
  return cut.replace(/\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, written)
}

const anyText = (value: unknown): string => {
  if (typeof value === 'string') return value
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return String(value) // circular, or a bigint
  }
}
const text = (value: unknown) => boundedText(anyText(value))
const maybe = (value: unknown) => (value === undefined || value === null ? undefined : text(value))

const boundedDetail = (detail: Record<string, unknown>): NonNullable<AuditEvent['detail']> => {
  const given = Object.entries(detail).filter(([, value]) => value !== undefined)
  const kept = given.slice(0, given.length > maxDetails ? maxDetails - 1 : maxDetails).map(([name, value]) => {
    const scalar = value === null || typeof value === 'boolean' || Number.isFinite(value)
    return [boundedText(name.slice(0, 200)), scalar ? (value as number | boolean | null) : text(value)]
  })
  if (kept.length < given.length) kept.push(['other', text(Object.fromEntries(given.slice(kept.length)))])
  return Object.fromEntries(kept)
}

/** The event as it may be written, whatever it holds: a hostile or faulty field must never make the effect fail that it records. */
export const boundedEvent = (e: AuditEvent): AuditEvent => ({
  at: Math.trunc(e.at),
  actor: {
    kind: text(e.actor.kind) as AuditEvent['actor']['kind'],
    id: text(e.actor.id),
    ...(e.actor.device === undefined ? {} : { device: text(e.actor.device) }),
  },
  action: text(e.action) as AuditEvent['action'],
  object: { kind: text(e.object.kind) as AuditEvent['object']['kind'], id: text(e.object.id) },
  outcome: e.outcome,
  patient: maybe(e.patient),
  room: maybe(e.room),
  origin: e.origin && { ip: maybe(e.origin.ip), agent: maybe(e.origin.agent) },
  reason: maybe(e.reason),
  detail: e.detail && boundedDetail(e.detail),
})
