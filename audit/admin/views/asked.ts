import { readPatientCode } from '../../../core/domain/care/patient.ts'
import { findEntries, readEntries } from '../../../core/store/audit/log/entries.ts'
import { refOf, resolveRefs } from '../../../core/store/audit/subjects.ts'
import { patientByCode } from '../../../core/store/patients/patients.ts'
import type { Tx } from '../../../core/store/tx.ts'
import type { TimelineQuery } from '../../../web/admin-contract.ts'
import type { Seen } from './view.ts'

export const commitment = /^[A-Za-z0-9_-]{43}$/
const ids: [RegExp, string][] = [
  [/^pt_[0-9a-z]{4,40}$/, 'patient'],
  [/^ps_[0-9a-z]{4,40}$/, 'person'],
  [/^ln_[0-9a-z]{4,40}$/, 'link'],
  [/^se_[0-9a-z]{4,40}$/, 'session'],
  [/^tx_[0-9a-z]{4,40}$/, 'text'],
  [/^![^\s]{3,254}$/, 'room'],
  [/^\$[^\s]{3,254}$/, 'event'],
  [/^@[pr]_[0-9a-z]{4,40}:/, 'user'],
]
/** What kind of identifier a text is, of those that the log commits to. */
export const kindOf = (text: string): string | undefined => ids.find(([pattern]) => pattern.test(text))?.[1]

export type Field = 'actor' | 'patient' | 'room' | 'object'
/** What may be typed in clear: people of the staff, services, commands, settings. */
const clear: Record<Field, RegExp | null> = {
  actor: /^(@[a-z0-9._=/+-]+:[a-z0-9.:-]+|[a-z][a-z0-9_.:-]{0,63})$/,
  object: /^[a-z@][A-Za-z0-9 _.:@/!=-]{0,119}$/,
  patient: null,
  room: null,
}
const committed: Record<Field, readonly string[]> = {
  actor: ['person', 'user'],
  patient: ['patient'],
  room: ['room'],
  object: ids.map(([, kind]) => kind),
}

/** What somebody typed or chose: as the log has it (null when it was never in the log), and by its own identifier where that is known. */
export type Asked = { ref: string | null; value?: string }

/** Reads one field of a filter; 'bad' when it is no identifier that may stand there. */
export const ask = async (tx: Tx, field: Field, text: string | undefined): Promise<Asked | 'bad' | undefined> => {
  if (text === undefined) return undefined
  const deps = { db: tx.sql, seal: tx.deps.seal }
  if (commitment.test(text)) {
    const subject = (await resolveRefs(deps, [text])).get(text)
    return { ref: text, value: subject && committed[field].includes(subject.kind) ? subject.value : undefined }
  }
  if (field === 'patient') {
    const code = readPatientCode(text)
    const patient = code ? await patientByCode(tx.sql, code) : undefined
    if (code) return patient ? { ref: await refOf(deps, 'patient', patient.id), value: patient.id } : { ref: null }
  }
  const entry = /^#(\d{1,12})$/.exec(text)?.[1]
  if (entry && (field === 'patient' || field === 'room')) {
    const [found] = await readEntries(tx.sql, { from: Number(entry), limit: 1 })
    const ref = found?.idx === Number(entry) ? found[field] : undefined
    return ref ? ask(tx, field, ref) : { ref: null }
  }
  const kind = kindOf(text)
  if (kind) return committed[field].includes(kind) ? { ref: await refOf(deps, kind, text), value: text } : 'bad'
  if (!clear[field]?.test(text)) return 'bad'
  // What the log does not hold already is not written into it by a filter: it could be a patient's name.
  const known = (await findEntries(tx.sql, { [field]: text, limit: 1 })).length > 0
  return known ? { ref: text, value: text } : { ref: null }
}

const dayNumber = (iso: string): number => Number(iso.replaceAll('-', ''))

/**
 * Who looked for what. A patient and a room go where the log commits to them; anything else as the log names it. What was never in the log, or was erased, stays
 * unnamed.
 */
export const seenOf = (q: TimelineQuery, asked: Partial<Record<Field, Asked>>): Seen => {
  const own = (field: 'patient' | 'room') => {
    const a = asked[field]
    if (!a) return {}
    return a.ref && a.value ? { [field]: a.value } : {}
  }
  const unnamed = (['patient', 'room'] as const).filter(f => asked[f] && !(asked[f].ref && asked[f].value))
  return {
    ...own('patient'),
    ...own('room'),
    detail: {
      ...Object.fromEntries(unnamed.map(field => [field, 'unknown'])),
      ...(asked.actor ? { actor: asked.actor.ref ?? 'unknown' } : {}),
      ...(asked.object ? { object: asked.object.ref ?? 'unknown' } : {}),
      ...(q.action ? { action: q.action } : {}),
      ...(q.outcome ? { outcome: q.outcome } : {}),
      ...(q.since ? { since: dayNumber(q.since) } : {}),
      ...(q.until ? { until: dayNumber(q.until) } : {}),
      ...(q.before === undefined ? {} : { before: q.before }),
    },
  }
}
