import type { Knex } from 'knex'
import type { Actor } from '../../domain/audit/event.ts'
import { badSinkName, isSinkName, maxSinks, type SinkState, sinkState } from '../../domain/audit/sink.ts'
import type { Instant } from '../../domain/clock.ts'
import { type Refusal, refuse } from '../../domain/refusal.ts'
import type { Tx } from '../tx.ts'

/** A sink as it was added. `options` may hold secrets; `shown` has them replaced. */
export type NewSink = {
  name: string
  type: string
  target: string
  options: Record<string, string>
  shown: Record<string, string>
  identify: boolean
}

type Row = {
  name: string
  type: string
  target: string
  options: string
  shown: string
  identify: boolean
  state: 'on' | 'paused'
  next_idx: number
  tries: number
  refused_row: number
  last_error: string | null
  last_ok_at: number | null
  changed_at: number
}

const optionsContext = 'audit_sink.options'
const objectOf = (name: string) => ({ kind: 'sink' as const, id: name })

const note = (
  tx: Tx,
  action: 'sink.add' | 'sink.remove' | 'sink.change' | 'sink.pause' | 'sink.resume' | 'sink.replay',
  name: string,
  by: Actor,
  detail?: Record<string, string | number | boolean>,
) => tx.audit({ actor: by, action, object: objectOf(name), outcome: 'done', detail })

const unknown = (name: string) => refuse('unknown-sink', `There is no sink ${name}; see !audit sink list.`)

/**
 * Adds a sink that begins with the first entry of the log that still exists, or after the last one where `fromNow`. Refuses a name that is taken, and with
 * `exclusive` another sink of that type to the same target.
 */
export const addSink = async (
  tx: Tx,
  s: NewSink,
  by: Actor,
  { fromNow = false, exclusive = false } = {},
): Promise<Refusal | undefined> => {
  if (!isSinkName(s.name)) return refuse('bad-name', badSinkName)
  await tx.sql.raw(`select pg_advisory_xact_lock(hashtext('audit_sink'))`)
  const others: Row[] = await tx.sql('audit_sink')
  if (others.some(o => o.name === s.name)) return refuse('name-taken', `There is a sink ${s.name} already.`)
  const same = others.find(o => o.type === s.type && o.target === s.target)
  if (exclusive && same) return refuse('target-taken', `The sink ${same.name} writes there already.`)
  if (others.length >= maxSinks) return refuse('too-many', `There are ${maxSinks} sinks already; remove one first.`)
  const next = fromNow ? 'coalesce((select max(idx) + 1 from audit_entry), 0)' : '0'
  await tx.sql('audit_sink').insert({
    name: s.name,
    type: s.type,
    target: s.target,
    options: await tx.deps.seal.close(optionsContext, JSON.stringify(s.options)),
    shown: JSON.stringify(s.shown),
    identify: s.identify,
    next_idx: tx.sql.raw(`(${next})`),
    created_at: tx.now,
    created_by: by.id,
    changed_at: tx.now,
  })
  await note(tx, 'sink.add', s.name, by, { type: s.type, identify: s.identify })
  return undefined
}

/** Removes a sink with its cursor and what it had set aside. */
export const removeSink = async (tx: Tx, name: string, by: Actor): Promise<Refusal | undefined> => {
  if ((await tx.sql('audit_sink').where({ name }).delete()) === 0) return unknown(name)
  await note(tx, 'sink.remove', name, by)
  return undefined
}

/** Pauses a sink, or lets it go on at once from where it was. */
export const setSinkState = async (
  tx: Tx,
  name: string,
  state: 'on' | 'paused',
  by: Actor,
): Promise<Refusal | undefined> => {
  const change = { state, tries: 0, due_at: 0, refused_row: 0 }
  if ((await tx.sql('audit_sink').where({ name }).update(change)) === 0) return unknown(name)
  await note(tx, state === 'on' ? 'sink.resume' : 'sink.pause', name, by)
  return undefined
}

/** Whether a sink's entries carry what commitments stand for. */
export const setSinkIdentify = async (
  tx: Tx,
  name: string,
  identify: boolean,
  by: Actor,
): Promise<Refusal | undefined> => {
  const change = { identify, changed_at: tx.now }
  if ((await tx.sql('audit_sink').where({ name }).update(change)) === 0) return unknown(name)
  await note(tx, 'sink.change', name, by, { identify })
  return undefined
}

/** Sends everything from the first entry at or after `from` again; gives the entry's index. It never skips entries that were not sent yet. */
export const replaySink = async (tx: Tx, name: string, from: Instant, by: Actor): Promise<number | Refusal> => {
  const row: Row | undefined = await tx.sql('audit_sink').where({ name }).forUpdate().first()
  if (!row) return unknown(name)
  const first = await tx.sql('audit_entry').where('at', '>=', from).min<{ idx: number | null }>('idx as idx').first()
  const idx = Math.min(row.next_idx, first?.idx ?? row.next_idx)
  const change = { next_idx: idx, tries: 0, due_at: 0, refused_row: 0 }
  await tx.sql('audit_sink').where({ name }).update(change)
  await note(tx, 'sink.replay', name, by, { from: idx, until: row.next_idx })
  return idx
}

/** Lets the sink try again what it had set aside; gives how many entries. */
export const replayDead = async (tx: Tx, name: string, by: Actor): Promise<number | Refusal> => {
  if (!(await tx.sql('audit_sink').where({ name }).forUpdate().first('name'))) return unknown(name)
  const entries = await tx.sql('audit_sink_dead').where({ sink: name }).update({ again: true })
  await tx.sql('audit_sink').where({ name }).update({ tries: 0, due_at: 0, refused_row: 0 })
  await note(tx, 'sink.replay', name, by, { dead: entries })
  return entries
}

export type DeadEntry = { idx: number; code: string; at: Instant; again: boolean; action: string | null }

/** What a sink's receiver refused for good, oldest first; undefined when there is no such sink. */
export const deadEntries = async (sql: Knex, name: string, limit = 100): Promise<DeadEntry[] | undefined> => {
  if (!(await sql('audit_sink').where({ name }).first('name'))) return undefined
  return sql('audit_sink_dead as d')
    .leftJoin('audit_entry as e', 'e.idx', 'd.idx')
    .where('d.sink', name)
    .orderBy('d.idx')
    .limit(limit)
    .select('d.idx', 'd.code', 'd.at', 'd.again', 'e.action')
}

/** How one sink is, for the list, the admin page and the alerts. */
export type SinkHealth = {
  name: string
  type: string
  target: string
  /** Options as a person may read them. */
  shown: Record<string, string>
  identify: boolean
  state: SinkState
  /** The first entry that its receiver has not settled. */
  cursor: number
  lagEntries: number
  /** Age of the oldest entry that waits; 0 when none does. */
  lagMs: number
  /** Entries set aside. */
  dead: number
  /** Failed tries in a row. */
  tries: number
  lastErrorCode: string | null
  lastErrorAt: Instant | null
  lastOkAt: Instant | null
}

/** Every sink in the order of names. `now` by the caller's clock. */
export const sinkHealth = async (sql: Knex, now: Instant): Promise<SinkHealth[]> => {
  const { rows } = await sql.raw(`
    select s.*, greatest(0, coalesce((select max(idx) + 1 from audit_entry), 0) - s.next_idx) as lag,
           (select at from audit_entry where idx >= s.next_idx order by idx limit 1) as oldest,
           (select count(*)::int from audit_sink_dead where sink = s.name) as dead
    from audit_sink s order by s.name`)
  return (rows as (Row & { lag: number; oldest: number | null; dead: number; last_error_at: number | null })[]).map(
    r => {
      const lagMs = r.oldest === null ? 0 : Math.max(0, now - r.oldest)
      return {
        name: r.name,
        type: r.type,
        target: r.target,
        shown: JSON.parse(r.shown) as Record<string, string>,
        identify: r.identify,
        state: sinkState({ paused: r.state === 'paused', tries: r.tries, lagEntries: r.lag, lagMs }),
        cursor: r.next_idx,
        lagEntries: r.lag,
        lagMs,
        dead: r.dead,
        tries: r.tries,
        lastErrorCode: r.last_error,
        lastErrorAt: r.last_error_at,
        lastOkAt: r.last_ok_at,
      }
    },
  )
}
