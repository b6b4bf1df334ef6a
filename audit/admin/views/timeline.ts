import { z } from 'zod'
import { entryOf } from '../../../core/domain/audit/catalogue/index.ts'
import { type AuditAction, auditActions } from '../../../core/domain/audit/event.ts'
import { isClear } from '../../../core/domain/audit/leaf.ts'
import { addDays, isDay, startOfDay } from '../../../core/domain/audit/period.ts'
import type { AuditRecord } from '../../../core/domain/audit/record.ts'
import { fieldText, sentenceOf, unresolved } from '../../../core/domain/audit/sentence.ts'
import { shownTo, visibleActions } from '../../../core/domain/audit/visible.ts'
import { findEntries, logSize } from '../../../core/store/audit/log/entries.ts'
import { resolveRefs } from '../../../core/store/audit/subjects.ts'
import type { Entry, Named, Timeline, TimelineQuery } from '../../../web/admin-contract.ts'
import { deny } from '../within.ts'
import { type Asked, ask, commitment, type Field, kindOf, seenOf } from './asked.ts'
import { view } from './view.ts'

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

/** The log, newest first. An administrator gets what runs the service; a filter that could lead to a patient is refused them. */
export const timeline = view({
  name: 'timeline',
  needs: ['compliance', 'admin'],
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
