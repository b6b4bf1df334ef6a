import { entryOf } from './catalogue/index.ts'
import type { AuditRecord } from './record.ts'

/** What a commitment stands for, where it could be resolved (`resolveRefs`). */
export type Resolved = { kind: string; value: string }
export type Resolve = (ref: string) => Resolved | undefined

export const unresolved: Resolve = () => undefined

const commitment = /^[A-Za-z0-9_-]{43}$/

/** Control characters, line and paragraph separators, and what turns the direction of writing: they could make a line look like another one. */
const deceptive = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]|\p{Cs}/gu

/** One line of bounded length, whatever the field held. */
export const oneLine = (text: string, max = 300): string => {
  const plain = text.replace(deceptive, '\ufffd')
  const letters = [...plain]
  return letters.length > max ? `${letters.slice(0, max - 1).join('')}…` : plain
}

/** What a field says: the resolved value, a shortened commitment, or the clear text. */
export const fieldText = (value: string | number | boolean | null, resolve: Resolve): string => {
  if (value === null) return '-'
  const text = String(value)
  const known = resolve(text)
  if (known) return oneLine(known.value)
  return commitment.test(text) ? `#${text.slice(0, 8)}` : oneLine(text)
}

const nouns: Partial<Record<AuditRecord['object']['kind'], string>> = {
  patient: 'patient',
  person: 'person',
  room: 'room',
  link: 'link',
  session: 'page session',
  text: 'text',
  event: 'message',
  job: 'job',
  approval: 'proposal',
  device: 'device',
}

/** The object in a sentence: its noun, unless it names itself. */
export const objectText = (r: Pick<AuditRecord, 'object'>, resolve: Resolve): string => {
  const noun = nouns[r.object.kind]
  const said = fieldText(r.object.ref, resolve)
  return noun && !said.startsWith('@') ? `${noun} ${said}` : said || r.object.kind
}

export const actorText = (r: Pick<AuditRecord, 'actor'>, resolve: Resolve): string => {
  const { kind, ref } = r.actor
  const said = fieldText(ref, resolve)
  switch (kind) {
    case 'user':
      return said
    case 'service':
      return `Wardroom (${said})`
    case 'peer':
      return `The peer ${said}`
    case 'person':
      return said === '' ? 'A patient or caregiver' : `Patient or caregiver ${said}`
    default:
      return 'Somebody unknown'
  }
}

const fill = (template: string, value: (key: string) => string | undefined): string => {
  const put = (text: string, missing: (key: string) => string): string =>
    text.replace(/\{(\w+)\}/g, (_, key: string) => value(key) ?? missing(key))
  const optional = template.replace(/\[([^\]]*)\]/g, (_, part: string) => {
    let whole = true
    const filled = put(part, () => {
      whole = false
      return ''
    })
    return whole ? filled.replaceAll('{', '\ufe5b') : ''
  })
  return put(optional, () => 'somebody').replaceAll('\ufe5b', '{')
}

/**
 * One entry as a sentence for a timeline, on one line and bounded, in plain English: "@kim:clinic.example tried to give the command !role grant and was refused
 * (forbidden)." Without time, patient and room, which the timeline has in columns of their own.
 */
export const sentenceOf = (r: AuditRecord, resolve: Resolve = unresolved): string => {
  const entry = entryOf(r.action)
  const value = (key: string): string | undefined => {
    if (key === 'object') return objectText(r, resolve)
    if (key === 'reason') return r.reason === undefined ? undefined : fieldText(r.reason, resolve)
    const detail = r.detail?.[key]
    return detail === undefined || detail === null ? undefined : fieldText(detail, resolve)
  }
  const actor = actorText(r, resolve)
  // An action of a later version, or one that was not ours: it is told as it stands.
  if (!entry) return `${actor}: ${oneLine(r.action)} ${objectText(r, resolve)} (${oneLine(r.outcome)}).`
  const why = r.reason === undefined ? '' : ` (${fieldText(r.reason, resolve)})`
  if (r.outcome === 'done') return `${actor} ${fill(entry.did, value)}${why}.`
  const instead = r.outcome === 'refused' ? entry.refused : entry.failed
  if (instead) return `${actor} ${fill(instead, value)}${why}.`
  const end = r.outcome === 'refused' ? 'and was refused' : 'and it failed'
  return `${actor} tried to ${fill(entry.tried, value)} ${end}${why}.`
}
