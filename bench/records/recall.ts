import { setTimeout as pause } from 'node:timers/promises'
import { openDb } from '../../core/store/db.ts'
import { eventually } from '../../test/support/eventually.ts'
import type { Bench } from '../bench.ts'
import { figure, median, quantile } from '../figure.ts'
import { scaled } from '../scale.ts'
import { ward } from '../ward.ts'

const count = scaled(40, 3)
/** On the average, so that recalls fall into every moment between two of the deletion's looks. */
const apartMs = 2000
const limitMs = 120_000

/** How long a recalled message is still there: a clinician's client begins to send `!recall` → its content is destroyed here, and their client shows a removed message. */
export const recordsRecall: Bench = {
  area: 'records',
  figures: ['recall_gone_p99'],
  run: async say => {
    const { world, lee, patients } = await ward(say)
    const rooms = (await patients(4)).map(p => p.room)
    const chat = await world.chatOf(lee)
    const db = openDb(world.wardroom.config.database.url.reveal(), { max: 2, name: 'bench' })
    try {
      say(`records: ${count} recalls, ${apartMs / 1000} s apart on the average`)
      const sent: { room: string; event: string }[] = []
      for (let n = 0; n < count; n++) {
        const room = rooms[n % rooms.length] ?? ''
        sent.push({ room, event: await lee.send(room, `message ${n}, to the wrong patient`) })
      }
      const ids = sent.map(s => s.event)
      await eventually(async () => (await db('record').whereIn('event_id', ids)).length === count, {
        ...{ timeout: limitMs, interval: 100, what: 'the records' },
      })
      const begun = new Map<string, number>()
      const answered: number[] = []
      for (const [n, { room, event }] of sent.entries()) {
        const from = Date.now()
        begun.set(event, from)
        const said = await world.ask(lee, chat, `!recall https://matrix.to/#/${room}/${event}`)
        if (!said.includes('within a minute')) throw new Error(`it was not recalled: ${said}`)
        answered.push(Date.now() - from)
        // Spread evenly, and the same in each run.
        await pause(((n * 0.618) % 1) * 2 * apartMs)
      }
      await eventually(
        async () => (await db('record').whereIn('event_id', ids).whereNull('destroyed_at')).length === 0,
        {
          ...{ timeout: limitMs, interval: 100, what: 'the last of them gone' },
        },
      )
      const removed = new Set(lee.seen().flatMap(s => (s.redacted ? [s.eventId] : [])))
      const shown = ids.filter(id => !removed.has(id))
      if (shown.length > 0) throw new Error(`${shown.length} of ${count} are still shown`)
      const rows: { event_id: string; destroyed_at: number }[] = await db('record').whereIn('event_id', ids)
      const took = rows.map(r => r.destroyed_at - (begun.get(r.event_id) ?? 0))
      return [
        figure({
          name: 'records.recall_gone_p99',
          value: quantile(took, 0.99),
          unit: 'ms',
          goal: { atMost: 60_000 },
          note: `99th percentile of ${count}, median ${median(took)}; the command itself is answered in ${median(answered)} ms (median); the deletion looks every 15 s`,
        }),
      ]
    } finally {
      await db.destroy()
    }
  },
}
