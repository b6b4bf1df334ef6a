import type { Knex } from 'knex'
import type { Instant } from '../../domain/clock.ts'
import { base58Token, newId } from '../../domain/ids.ts'
import type { Priority } from '../../domain/oncall/paging/priority.ts'
import { type Refusal, refuse } from '../../domain/refusal.ts'
import type { Db } from '../db.ts'
import { tokenHash } from '../links/links.ts'
import type { Tx } from '../tx.ts'

type Sql = Db | Knex.Transaction

/** A machine or a system that may raise alarms for one on-call role. */
export type AlarmSource = {
  id: string
  name: string
  role: string
  priority: Priority
  addedAt: Instant
  addedBy: string
  usedAt: Instant | null
}

type Row = {
  id: string
  name: string
  target: string
  priority: Priority
  added_at: Instant
  added_by: string
  used_at: Instant | null
}
const toSource = (r: Row): AlarmSource => ({
  id: r.id,
  name: r.name,
  role: r.target,
  priority: r.priority,
  addedAt: r.added_at,
  addedBy: r.added_by,
  usedAt: r.used_at,
})

/** Lets a source raise alarms; its token is given once and stored hashed. Refuses a name that is taken. */
export const addAlarmSource = async (
  tx: Tx,
  source: { name: string; role: string; priority: Priority },
  by: string,
): Promise<{ id: string; token: string } | Refusal> => {
  const id = newId<string>('sr', tx.deps.random)
  const token = base58Token(tx.deps.random.bytes(16))
  const row = { id, name: source.name, token_hash: tokenHash(token), target: source.role, priority: source.priority }
  const added = await tx
    .sql('alarm_source')
    .insert({ ...row, added_at: tx.now, added_by: by })
    .onConflict(tx.sql.raw('(name) where revoked_at is null'))
    .ignore()
    .returning('id')
  if (added.length === 0) return refuse('name-taken', `There is a source ${source.name} already.`)
  await tx.audit({
    actor: { kind: 'user', id: by },
    action: 'alarm.add_source',
    object: { kind: 'alarm_source', id },
    outcome: 'done',
    detail: { role: source.role, priority: source.priority },
  })
  return { id, token }
}

export const alarmSources = async (sql: Sql): Promise<AlarmSource[]> =>
  ((await sql('alarm_source').whereNull('revoked_at').orderBy('name')) as Row[]).map(toSource)

/** Refuses a source that there is not. */
export const revokeAlarmSource = async (tx: Tx, name: string, by: string): Promise<AlarmSource | Refusal> => {
  const rows: Row[] = await tx
    .sql('alarm_source')
    .where({ name })
    .whereNull('revoked_at')
    .update({ revoked_at: tx.now, revoked_by: by })
    .returning('*')
  const source = rows[0] && toSource(rows[0])
  if (!source) return refuse('unknown-source', `There is no source ${name}; !oncall source list shows them.`)
  await tx.audit({
    actor: { kind: 'user', id: by },
    action: 'alarm.revoke_source',
    object: { kind: 'alarm_source', id: source.id },
    outcome: 'done',
  })
  return source
}

export const alarmSourceByToken = async (sql: Sql, token: string): Promise<AlarmSource | undefined> => {
  const row = await sql('alarm_source')
    .where({ token_hash: tokenHash(token) })
    .whereNull('revoked_at')
    .first()
  return row && toSource(row as Row)
}

export type KnownAlarm = { body: string; answer: Readonly<Record<string, unknown>> }

/** What was answered to this key before; nobody else answers it until the transaction ends. */
export const claimAlarm = async (tx: Tx, source: string, key: string): Promise<KnownAlarm | undefined> => {
  await tx.sql.raw('select pg_advisory_xact_lock(hashtextextended(?, 25))', [`${source} ${key}`])
  return tx.sql('alarm').where({ source_id: source, key }).first('body', 'answer')
}

/** The answer, for whoever asks again with the same key. */
export const keepAlarm = async (
  tx: Tx,
  a: { source: string; key: string; body: string; page: string; answer: Readonly<Record<string, unknown>> },
): Promise<void> => {
  const row = {
    source_id: a.source,
    key: a.key,
    body: a.body,
    page_id: a.page,
    answer: JSON.stringify(a.answer),
    at: tx.now,
  }
  await tx.sql('alarm').insert(row)
  await tx.sql('alarm_source').where({ id: a.source }).update({ used_at: tx.now })
}
