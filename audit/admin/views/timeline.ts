import { z } from 'zod'
import { entryOf } from '../../../core/domain/audit/catalogue.ts'
import { type AuditAction, auditActions } from '../../../core/domain/audit/event.ts'
import { isClear } from '../../../core/domain/audit/leaf.ts'
import { addDays, isDay, startOfDay } from '../../../core/domain/audit/period.ts'
import type { AuditRecord } from '../../../core/domain/audit/record.ts'
import { fieldText, sentenceOf, unresolved } from '../../../core/domain/audit/sentence.ts'
import { shownTo, visibleActions } from '../../../core/domain/audit/visible.ts'
import { readPatientCode } from '../../../core/domain/care/patient.ts'
import { findEntries, logSize, readEntries } from '../../../core/store/audit/entries.ts'
import { refOf, resolveRefs } from '../../../core/store/audit/subjects.ts'
import { patientByCode } from '../../../core/store/patients/patients.ts'
import type { Tx } from '../../../core/store/tx.ts'
import type { Entry, Named, Timeline, TimelineQuery } from '../../../web/admin-contract.ts'
import { deny } from '../within.ts'
import { type Seen, view } from './view.ts'

const page = 50
const name = z.string().trim().min(1).max(255)
const day = z.string().refine(isDay)
const body = z.strictObject({
  actor: name.optional(),
  patient: name.optional(),
  room: name.optional(),
  object: name.optional(),
  action: z.enum(auditActions).optional(),
  outcome: z.enum(['done', 'refused', 'failed']).optional(),
  since: day.optional(),
  until: day.optional(),
  before: z.int().min(0).optional(),
}) satisfies z.ZodType<TimelineQuery>

const commitment = /^[A-Za-z0-9_-]{43}$/
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
const kindOf = (text: string): string | undefined => ids.find(([pattern]) => pattern.test(text))?.[1]

type Field = 'actor' | 'patient' | 'room' | 'object'
/** What may be typed in clear: people of the staff, services, commands, settings. Nothing else, so that no name that somebody types gets into the log. */
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
type Asked = { ref: string | null; value?: string }

const ask = async (tx: Tx, field: Field, text: string | undefined): Promise<Asked | 'bad' | undefined> => {
  if (text === undefined) return undefined
  const deps = { db: tx.sql, seal: tx.deps.seal }
  if (commitment.test(text)) return { ref: text, value: (await resolveRefs(deps, [text])).get(text)?.value }
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
  return clear[field]?.test(text) ? { ref: text, value: text } : 'bad'
}

const named = (of: 'actor' | 'object', { kind, ref }: { kind: string; ref: string }): Named => ({
  kind,
  id: ref,
  committed: ref !== '' && (commitment.test(ref) || !isClear(of, kind, ref)),
})

const entry = (r: AuditRecord, known: ReadonlyMap<string, unknown>): Entry => ({
  idx: r.idx,
  id: r.id,
  at: r.at,
  actor: { ...named('actor', r.actor), ...(r.actor.device === undefined ? {} : { device: r.actor.device }) },
  action: r.action,
  // An entry of a later version has an action that this one does not know.
  title: entryOf(r.action)?.title ?? r.action,
  sentence: sentenceOf(r),
  object: named('object', r.object),
  outcome: r.outcome,
  ...(r.patient === undefined
    ? {}
    : { patient: r.patient, ...(known.has(r.patient) ? {} : { erased: true as const }) }),
  ...(r.room === undefined ? {} : { room: r.room }),
  ...(r.origin === undefined ? {} : { origin: r.origin }),
  ...(r.reason === undefined ? {} : { reason: fieldText(r.reason, unresolved) }),
  detail: Object.entries(r.detail ?? {}).map(([key, value]) => [key, fieldText(value, unresolved)]),
})

const dayNumber = (iso: string): number => Number(iso.replaceAll('-', ''))

/**
 * Who looked for what. A patient and a room go where the log commits to them; anything else as the log names it. What was never in the log, or was erased, stays
 * unnamed.
 */
const seenOf = (q: TimelineQuery, asked: Partial<Record<Field, Asked>>): Seen => {
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

/** The log, newest first. An administrator gets what runs the service; a filter that could lead to a patient is refused them. */
export const timeline = view({
  name: 'timeline',
  body,
  read: async ({ tx, session, settings }, q) => {
    const officer = session.roles.includes('compliance')
    const visible = visibleActions(session.roles)
    const leads = (text: string | undefined) =>
      text !== undefined && (commitment.test(text) || kindOf(text) !== undefined)
    if (!officer && (q.patient !== undefined || q.room !== undefined || leads(q.actor) || leads(q.object)))
      return deny(403, 'forbidden', 'role')
    if (q.action && !visible.includes(q.action as AuditAction)) return deny(403, 'forbidden', 'role')
    const asked: Partial<Record<Field, Asked>> = {}
    for (const field of ['actor', 'patient', 'room', 'object'] as const) {
      const a = await ask(tx, field, q[field])
      if (a === 'bad') return deny(400, 'bad-request', 'bad-filter')
      if (a) asked[field] = a
    }
    const zone = settings['clinic.time_zone']
    const none = Object.values(asked).some(a => a.ref === null)
    const records = none
      ? []
      : await findEntries(tx.sql, {
          ...Object.fromEntries(Object.entries(asked).map(([key, a]) => [key, a.ref])),
          ...(q.action ? { actions: [q.action as AuditAction] } : officer ? {} : { actions: visible }),
          ...(q.outcome ? { outcome: q.outcome } : {}),
          ...(q.since ? { since: startOfDay(q.since, zone) } : {}),
          ...(q.until ? { until: startOfDay(addDays(q.until, 1), zone) } : {}),
          ...(q.before === undefined ? {} : { before: q.before }),
          limit: page + 1,
        })
    const entries = records.slice(0, page).flatMap(r => shownTo(session.roles, r) ?? [])
    const last = records.length > page ? records[page - 1] : undefined
    const patients = entries.flatMap(r => r.patient ?? [])
    const known = await resolveRefs({ db: tx.sql, seal: tx.deps.seal }, patients)
    const answer: Timeline = {
      entries: entries.map(r => entry(r, known)),
      next: last?.idx ?? null,
      size: await logSize(tx.sql),
      now: tx.now,
    }
    return { answer, seen: seenOf(q, asked) }
  },
})
