import type { Knex } from 'knex'
import { rules } from '../../domain/audit/alerts/rules.ts'
import type { Count, DigestFacts } from '../../domain/audit/digest.ts'
import type { Period } from '../../domain/audit/period.ts'
import type { Instant } from '../../domain/clock.ts'
import type { Db } from '../db.ts'
import { sinkHealth } from '../sinks/sinks.ts'
import { readSettings } from '../staff/settings.ts'
import type { Tx } from '../tx.ts'
import { logState } from './log/log-state.ts'
import { accessUsers } from './reports.ts'

type Sql = Db | Knex.Transaction

const countsOf = async (sql: Sql, { from, until }: Period): Promise<Count[]> =>
  sql('audit_entry')
    .where('at', '>=', from)
    .where('at', '<', until)
    .groupBy('action', 'outcome')
    .select('action', 'outcome', sql.raw('count(*)::int as n'))

const usersOf = async (sql: Sql, { from, until }: Period): Promise<DigestFacts['users']> =>
  sql('audit_entry')
    .where('at', '>=', from)
    .where('at', '<', until)
    .where({ actor_kind: 'user' })
    .groupBy('actor_ref')
    .orderByRaw('2 desc, 1')
    .limit(20)
    .select(
      { user: 'actor_ref' },
      sql.raw('count(*)::int as times'),
      sql.raw(`count(*) filter (where outcome <> 'done')::int as refused`),
    )

/** Rules about a state, whose alerts stay open until it is over. */
const stateRules = rules.filter(r => r.find === undefined).map(r => r.name)

const alertsOf = async (sql: Sql, { from, until }: Period): Promise<DigestFacts['alerts']> => {
  const { rows } = await sql.raw(
    `select rule, max(severity) as severity, sum(count)::int as times, max(last_idx) as last, bool_or(cleared_at is null and rule = any(:states)) as open
     from alert where last_at >= :from and last_at < :until or cleared_at is null and rule = any(:states) group by rule order by 5 desc, 3 desc, 1`,
    { from, until, states: stateRules },
  )
  return rows
}

/** What a digest of `period` says. */
export const digestFacts = async (sql: Sql, period: Period, now: Instant): Promise<DigestFacts> => {
  const settings = await readSettings(sql)
  const before = { from: period.from - (period.until - period.from), until: period.from }
  const { latest, waiting, pins } = await logState(sql)
  return {
    period,
    timeZone: settings['clinic.time_zone'],
    now,
    counts: await countsOf(sql, period),
    before: await countsOf(sql, before),
    users: await usersOf(sql, period),
    access: await accessUsers(sql, period),
    alerts: await alertsOf(sql, period),
    sinks: await sinkHealth(sql, now),
    log: {
      size: latest?.size ?? 0,
      checkpointAt: latest?.at ?? null,
      waiting: waiting.events,
      oldestWaiting: waiting.oldest,
    },
    pins: pins.map(p => ({ ...p, failing: p.failing !== null })),
  }
}

/** Was the digest of this key queued before, or did the log begin only after it was due? */
export const digestSettled = async (tx: Tx, key: string, due: Instant): Promise<boolean> => {
  if (await tx.sql('outbox').where({ key }).first('id')) return true
  return (await tx.sql('audit_entry').where('at', '<', due).first('idx')) === undefined
}
