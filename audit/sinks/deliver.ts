import { refusedInARow } from '../../core/domain/audit/sink.ts'
import type { Failure } from '../../core/store/sinks/sink-turns.ts'
import { errorCode } from './codes.ts'
import type { Entry, RefusedItem, Sink } from './sink.ts'

/** The first `settled` entries need not be sent again; `refused` of them are set aside, `failure` is why the others must wait. */
export type Delivered = { settled: number; refused: readonly RefusedItem[]; failure?: Failure }

const sendOnce = (sink: Sink, entries: readonly Entry[]) =>
  sink.send(entries).catch(err => ({ kind: 'wait' as const, code: errorCode(err) }))

/**
 * Sends a batch. One that is refused as a whole is halved until the entry is found that the receiver does not take. `row`: entries refused in a row before
 * this; where everything is refused for long, it is the receiver that is wrong: then entries wait and are not set aside.
 */
export const deliver = async (sink: Sink, entries: readonly Entry[], row = 0): Promise<Delivered> => {
  const delivery = await sendOnce(sink, entries)
  if (delivery.kind === 'wait') return { settled: 0, refused: [], failure: delivery }
  if (delivery.kind === 'unfit') {
    if (entries.length > 1) return deliver(sink, entries.slice(0, Math.ceil(entries.length / 2)), row)
    return unlessAll({ settled: 1, refused: [{ idx: entries[0]?.record.idx ?? 0, code: delivery.code }] }, row)
  }
  const refused = delivery.refused ?? []
  if (delivery.kind === 'taken') return unlessAll({ settled: entries.length, refused }, row)
  const from = entries.findIndex(e => e.record.idx >= delivery.from)
  const settled = from < 0 ? entries.length : from
  return unlessAll({ settled, refused: refused.filter(r => r.idx < delivery.from), failure: delivery }, row)
}

const unlessAll = (d: Delivered, row: number): Delivered => {
  const [first] = d.refused
  if (!first || d.refused.length < d.settled || row + d.refused.length <= refusedInARow) return d
  return { settled: 0, refused: [], failure: { code: `refuses-all:${first.code}` } }
}
