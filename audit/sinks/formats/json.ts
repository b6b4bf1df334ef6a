import type { Entry } from '../sink.ts'

/** JSON on one line whose bytes are all printable ASCII, so that no reader can see a line's end, a control character or half a character inside it. */
export const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(/[^ -~]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)

/**
 * An entry as JSON receivers get it. `ref` is a commitment (43 characters of base64url) or a clear identifier; `resolved`, only where the sink may identify,
 * maps commitments to what they stand for.
 */
export const exported = ({ record: r, subjects }: Entry) => ({
  idx: r.idx,
  id: r.id,
  at: new Date(r.at).toISOString(),
  actor: r.actor,
  action: r.action,
  object: r.object,
  outcome: r.outcome,
  patient: r.patient,
  room: r.room,
  origin: r.origin,
  reason: r.reason,
  detail: r.detail,
  ...(subjects.size > 0 ? { resolved: Object.fromEntries(subjects) } : {}),
})

export const jsonLine = (entry: Entry): string => asciiJson(exported(entry))
