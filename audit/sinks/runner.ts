import type { AuditRecord } from '../../core/domain/audit/record.ts'
import { maxSinks } from '../../core/domain/audit/sink.ts'
import { errorFacts } from '../../core/error-facts.ts'
import { startDispatcher } from '../../core/queues/dispatcher.ts'
import { readEntries } from '../../core/store/audit/log/entries.ts'
import { resolveRefs } from '../../core/store/audit/subjects.ts'
import { siblingDb } from '../../core/store/db.ts'
import { dueSinks, type Failure, type Turn, type TurnSink, takeSinkTurn } from '../../core/store/sinks/sink-turns.ts'
import { sinkHealth } from '../../core/store/sinks/sinks.ts'
import manifest from '../../package.json' with { type: 'json' }
import type { AuditDeps, AuditPart } from '../deps.ts'
import { errorCode } from './codes.ts'
import { type Delivered, deliver } from './deliver.ts'
import type { Entry, Sink, SinkEnv, SinkType } from './sink.ts'
import { sinkTypes } from './types/index.ts'

export type SinkDeps = Pick<
  AuditDeps,
  'store' | 'sinkFolder' | 'serverName' | 'publicUrl' | 'log' | 'metrics' | 'alert' | 'onSequenced'
>

/** Entries in one batch. */
const batchSize = 200

export const sinkEnv = (d: Pick<AuditDeps, 'sinkFolder' | 'serverName' | 'publicUrl'>): SinkEnv => ({
  folder: d.sinkFolder,
  context: { site: d.serverName, url: d.publicUrl, version: manifest.version },
})

/** Every string of an entry that may be a commitment. */
const refsOf = (r: AuditRecord): string[] =>
  [
    r.actor.ref,
    r.actor.device,
    r.action,
    r.object.ref,
    r.patient,
    r.room,
    r.origin,
    r.reason,
    ...Object.values(r.detail ?? {}),
  ].filter((v): v is string => typeof v === 'string' && /^[\w-]{43}$/.test(v))

/** Entries as the sink may have them: with what their commitments stand for only where it may identify. */
const entriesFor = async (
  d: Pick<AuditDeps, 'store'>,
  sink: TurnSink,
  records: readonly AuditRecord[],
): Promise<Entry[]> => {
  const known = sink.identify ? await resolveRefs(d.store, records.flatMap(refsOf)) : new Map()
  return records.map(record => ({
    record,
    subjects: new Map(refsOf(record).flatMap(ref => (known.has(ref) ? [[ref, known.get(ref)]] : []))),
  }))
}

type Open = { version: number; type: SinkType; sink: Sink }

/**
 * Exports the log: each sink from its own cursor, in order, at least once, in one process at a time. A receiver that is away, slow or wrong delays no other and
 * loses nothing; single entries that it refuses for good are set aside and raise an alert.
 */
export const startSinks = async (
  d: SinkDeps,
  types: readonly SinkType[] = sinkTypes,
): Promise<{ stop(): Promise<void> }> => {
  const { store, log } = d
  const pool = siblingDb(store.db, maxSinks)
  const env = sinkEnv(d)
  const open = new Map<string, Open>()
  let stopping = false
  const closeAll = async () => {
    for (const { sink } of open.values()) await sink.close()
  }

  const opened = async (row: TurnSink): Promise<Open> => {
    const known = open.get(row.name)
    if (known?.version === row.version && known.type.name === row.type) return known
    await known?.sink.close()
    open.delete(row.name)
    const type = types.find(t => t.name === row.type)
    if (!type) throw Object.assign(new Error(`this version has no sinks of type ${row.type}`), { code: 'unknown-type' })
    const fresh = { version: row.version, type, sink: type.open(row, env) }
    open.set(row.name, fresh)
    return fresh
  }

  const told = (row: TurnSink, delivered: Delivered) => {
    const { refused, failure } = delivered
    if (failure && row.tries === 0) log.warn({ sink: row.name, code: failure.code }, 'a sink fails; its entries wait')
    if (!failure && row.tries > 0) log.info({ sink: row.name }, 'a sink works again')
    for (const { idx, code } of refused)
      d.alert({
        code: 'sink.dead_letter',
        ref: row.name,
        sentence: `The sink ${row.name} refused entry ${idx} of the audit log (${code}); it is set aside.`,
      })
  }

  /** Entries that a person wants to be tried again. */
  const sendAgain = async (turn: Turn, { sink }: Open): Promise<Failure | undefined> => {
    const records: AuditRecord[] = []
    for (const idx of turn.again)
      records.push(...(await readEntries(store.db, { from: idx, limit: 1 })).filter(r => r.idx === idx))
    const entries = await entriesFor(d, turn.sink, records)
    // Refused once more, however many: they go back to where they were, and what is new goes on.
    const row = Number.NEGATIVE_INFINITY
    const result = entries.length > 0 ? await deliver(sink, entries, row) : { settled: 0, refused: [] }
    if (stopping && result.failure) return result.failure
    const refused = new Set(result.refused.map(r => r.idx))
    const left = new Set(records.slice(result.settled).map(r => r.idx))
    // What was pruned meanwhile can never be sent; it leaves the list as well.
    const taken = turn.again.filter(idx => !refused.has(idx) && !left.has(idx))
    await turn.settleAgain(taken, result.refused, result.failure)
    told(turn.sink, result)
    return result.failure
  }

  const sendNew = async (turn: Turn, { sink, type }: Open): Promise<void> => {
    const row = turn.sink
    const records = await readEntries(store.db, { from: row.cursor, limit: batchSize })
    if (records.length === 0) return
    const result = await deliver(sink, await entriesFor(d, row, records), row.refusedRow)
    if (stopping && result.failure) return // broken off by ourselves
    const next = result.settled === 0 ? row.cursor : (records[result.settled - 1]?.idx ?? row.cursor - 1) + 1
    const onlyRefused = result.settled > 0 && result.refused.length === result.settled
    const full = records.length === batchSize || result.settled < records.length
    await turn.settle(next, result.refused, {
      failure: result.failure,
      refusedRow: onlyRefused || result.settled === 0 ? row.refusedRow + result.refused.length : 0,
      restMs: full ? 0 : (type.gatherMs ?? 0),
    })
    told(row, result)
  }

  const work = async (turn: Turn): Promise<void> => {
    try {
      const way = await opened(turn.sink)
      if (turn.again.length > 0 && (await sendAgain(turn, way))) return
      if (turn.again.length === 0) await sendNew(turn, way)
    } catch (err) {
      // A certificate that cannot be read, an entry that a format cannot write: visible at the sink, and nothing is skipped.
      log.warn({ err: errorFacts(err), sink: turn.sink.name }, 'a sink broke down; it is tried again')
      await turn.settle(turn.sink.cursor, [], { failure: { code: errorCode(err) }, refusedRow: turn.sink.refusedRow })
    }
  }

  const dispatcher = startDispatcher({
    concurrency: maxSinks,
    find: async (busy, limit) => (await dueSinks(store, busy, limit)).map(key => ({ key })),
    run: name => takeSinkTurn(store, pool, name, work),
    log,
  })
  const health = (pick: 'lagEntries' | 'lagMs' | 'dead') => async () =>
    (await sinkHealth(store.db, store.clock.now())).map(s => ({ labels: { sink: s.name }, value: s[pick] }))
  d.metrics.gauge(
    'wardroom_audit_sink_lag_entries',
    'Entries of the audit log that a sink has not sent.',
    health('lagEntries'),
  )
  d.metrics.gauge('wardroom_audit_sink_lag_ms', 'Age of the oldest entry that a sink has not sent.', health('lagMs'))
  d.metrics.gauge('wardroom_audit_sink_dead', 'Entries that a sink has set aside.', health('dead'))
  const deaf = d.onSequenced(() => dispatcher.poke())
  return {
    stop: async () => {
      deaf()
      stopping = true
      const ended = dispatcher.stop()
      await closeAll() // a receiver that hangs does not hold the stop up
      await ended
      await closeAll()
      await pool.destroy()
    },
  }
}

export const sinks: AuditPart = { name: 'sinks', start: deps => startSinks(deps) }
