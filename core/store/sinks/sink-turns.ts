import type { Knex } from 'knex'
import { retryAt } from '../../domain/audit/sink.ts'
import type { Db } from '../db.ts'
import { type StoreDeps, type Tx, txOn } from '../tx.ts'

/** A sink as the runner needs it. `version` changes with its options. */
export type TurnSink = {
  name: string
  type: string
  target: string
  options: Record<string, string>
  identify: boolean
  version: number
  cursor: number
  /** Failed tries in a row. */
  tries: number
  /** Entries given up one after the other. */
  refusedRow: number
}

export type RefusedEntry = { idx: number; code: string }
export type Failure = { code: string /** How long the receiver asked to wait, ms. */; after?: number }

/** Sinks that have something to send and are due, except those in `busy`. */
export const dueSinks = async (deps: StoreDeps, busy: readonly string[], limit: number): Promise<string[]> => {
  const { rows } = await deps.db.raw(
    `select name from audit_sink s where state = 'on' and due_at <= ? and not (name = any(?::text[])) and (
       next_idx <= (select max(idx) from audit_entry) or exists (select 1 from audit_sink_dead d where d.sink = s.name and d.again))
     order by due_at, name limit ?`,
    [deps.clock.now(), [...busy], limit],
  )
  return (rows as { name: string }[]).map(r => r.name)
}

const openSink = async (deps: StoreDeps, r: Record<string, unknown>): Promise<TurnSink> => ({
  name: r.name as string,
  type: r.type as string,
  target: r.target as string,
  options: JSON.parse(await deps.seal.open('audit_sink.options', r.options as string)) as Record<string, string>,
  identify: r.identify as boolean,
  version: r.changed_at as number,
  cursor: r.next_idx as number,
  tries: r.tries as number,
  refusedRow: r.refused_row as number,
})

/** One sink with its options, for a test; undefined when there is none. */
export const sinkByName = async (deps: StoreDeps, name: string): Promise<TurnSink | undefined> => {
  const row = await deps.db('audit_sink').where({ name }).first()
  return row ? openSink(deps, row) : undefined
}

/** How a turn ended; `restMs`: how long to let entries gather before the next one. */
export type TurnOutcome = { failure?: Failure; refusedRow: number; restMs?: number }

/** One sink, taken: what it has to send, and what is written down when that was tried. */
export type Turn = {
  sink: TurnSink
  /** Entries set aside that are to be tried again, before anything new. */
  again: number[]
  /** The entries before `next` are settled; `refused` of them are set aside, `failure` is why the rest must wait. Ignored where a person moved the cursor meanwhile. */
  settle(next: number, refused: readonly RefusedEntry[], outcome: TurnOutcome): Promise<void>
  /** The same for entries that were set aside: `taken` leave the list. */
  settleAgain(taken: readonly number[], refused: readonly RefusedEntry[], failure?: Failure): Promise<void>
}

const setAside = async (tx: Tx, sink: TurnSink, refused: readonly RefusedEntry[]): Promise<void> => {
  for (const { idx, code } of refused) {
    const row = { sink: sink.name, idx, code, at: tx.now, again: false }
    await tx.sql('audit_sink_dead').insert(row).onConflict(['sink', 'idx']).merge()
    // Its own record being refused as well must not make another one, for ever.
    const entry = await tx.sql('audit_entry').where({ idx }).first('action')
    if (entry?.action === 'sink.dead_letter') continue
    await tx.audit({
      actor: { kind: 'service', id: 'audit.sinks' },
      action: 'sink.dead_letter',
      object: { kind: 'sink', id: sink.name },
      outcome: 'failed',
      reason: code,
      detail: { idx },
    })
  }
}

const outcomeColumns = (tx: Tx, sink: TurnSink, progress: boolean, failure?: Failure, restMs = 0) => {
  if (!failure) return { tries: 0, due_at: tx.now + restMs, last_error: null, last_error_at: null, last_ok_at: tx.now }
  const tries = progress ? 1 : sink.tries + 1
  const spread = (tx.deps.random.bytes(1)[0] ?? 0) / 256
  return {
    tries,
    due_at: retryAt(tx.now, tries - 1, spread, failure.after),
    last_error: failure.code.slice(0, 200),
    last_error_at: tx.now,
    ...(progress ? { last_ok_at: tx.now } : {}),
  }
}

const turnOn = (at: () => Tx, sink: TurnSink, again: number[]): Turn => ({
  sink,
  again,
  settle: async (next, refused, { failure, refusedRow, restMs }) => {
    const tx = at()
    const columns = outcomeColumns(tx, sink, next > sink.cursor, failure, restMs)
    const moved = await tx
      .sql('audit_sink')
      .where({ name: sink.name, next_idx: sink.cursor })
      .update({ next_idx: next, refused_row: refusedRow, ...columns })
    if (moved > 0) await setAside(tx, sink, refused)
  },
  settleAgain: async (taken, refused, failure) => {
    const tx = at()
    await tx.sql('audit_sink_dead').where({ sink: sink.name }).whereIn('idx', taken).delete()
    const progress = taken.length + refused.length > 0
    const found = await tx
      .sql('audit_sink')
      .where({ name: sink.name })
      .update(outcomeColumns(tx, sink, progress, failure))
    if (found > 0) await setAside(tx, sink, refused)
  },
})

/**
 * Runs `work` with the sink in one process at a time: on a lock that goes with the transaction, so that a killed process frees it at once and one that has
 * lost its connection can no longer move the cursor. Commands on the sink do not wait for it. False when another process has it, or it is gone or paused.
 */
export const takeSinkTurn = async (
  deps: StoreDeps,
  pool: Db,
  name: string,
  work: (turn: Turn) => Promise<void>,
): Promise<boolean> =>
  pool.transaction(async (sql: Knex.Transaction) => {
    const { rows } = await sql.raw(`select pg_try_advisory_xact_lock(hashtext('audit_sink'), hashtext(?)) as got`, [
      name,
    ])
    if (!rows[0]?.got) return false
    const row = await sql('audit_sink').where({ name, state: 'on' }).first()
    if (!row) return false
    const again = await sql('audit_sink_dead')
      .where({ sink: name, again: true })
      .orderBy('idx')
      .limit(100)
      .select('idx')
    const sink = await openSink(deps, row)
    await work(
      turnOn(
        () => txOn(deps, sql), // the time when it is settled, not when it was begun
        sink,
        again.map(r => r.idx as number),
      ),
    )
    return true
  })
