import express from 'express'
import pg from 'pg'
import { listen } from '../../core/http/listen.ts'
import { transactionsRouter } from '../../core/http/transactions.ts'
import { createLog } from '../../core/log.ts'
import { startInbox } from '../../core/queues/inbox-worker.ts'
import { secret } from '../../core/secret.ts'
import { database } from '../../test/support/database.ts'
import { ownPostgres } from '../../test/support/own-postgres.ts'
import type { Bench } from '../bench.ts'
import { figure, median } from '../figure.ts'

const rounds = 5
const perRound = 2000
const perTransaction = 100
const rooms = 60

const event = (n: number) => ({
  event_id: `$${n.toString().padStart(43, 'x')}`,
  room_id: `!room${n % rooms}:wardroom.test`,
  type: 'm.room.encrypted',
  sender: '@ann:wardroom.test',
  origin_server_ts: 1_700_000_000_000 + n,
  content: { algorithm: 'm.megolm.v1.aes-sha2', ciphertext: 'A'.repeat(600), session_id: 'B'.repeat(43) },
})

const batches = (from: number) =>
  Array.from({ length: perRound / perTransaction }, (_, b) =>
    Array.from({ length: perTransaction }, (_, i) => event(from + b * perTransaction + i)),
  )

const perSecond = async (work: () => Promise<void>): Promise<number> => {
  const from = performance.now()
  await work()
  return perRound / ((performance.now() - from) / 1000)
}

/** The same events into a bare table with the same keys, in as many durable commits. */
const plainInserts = async (client: pg.Client, from: number) => {
  for (const batch of batches(from)) {
    const column = (of: (e: ReturnType<typeof event>) => unknown) => batch.map(of)
    await client.query(
      `insert into bench_plain (event_id, room_id, type, sender, ts, event)
       select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[])`,
      [
        column(e => e.event_id),
        column(e => e.room_id),
        column(e => e.type),
        column(e => e.sender),
        column(e => e.origin_server_ts),
        column(e => JSON.stringify(e)),
      ],
    )
  }
}

/** Events a second from the homeserver's PUT to answered, and to handled, with durable commits, against plain inserts of the same bytes. */
export const inbox: Bench = {
  area: 'bridge',
  figures: ['inbox_events_per_s', 'inbox_stored_per_s'],
  run: async say => {
    say(`inbox: ${rounds} rounds of ${perRound} events, ${perTransaction} a transaction, ${rooms} rooms`)
    const postgres = await ownPostgres({})
    const d = await database({ url: postgres.url })
    const log = createLog('bench', 'warn')
    const client = new pg.Client({ connectionString: postgres.url })
    const hsToken = 'bench'
    const app = express().use(transactionsRouter({ source: 'ghosts', hsToken: secret(hsToken), store: d.store, log }))
    const server = await listen(app)
    try {
      await client.connect()
      await client.query(
        `create table bench_plain (id bigint generated always as identity primary key, event_id text unique, room_id text, type text, sender text,
         ts bigint, event text)`,
      )
      const put = async (from: number) => {
        for (const [n, events] of batches(from).entries()) {
          const response = await fetch(`${server.url}/_matrix/app/v1/transactions/${from + n}`, {
            method: 'PUT',
            headers: { authorization: `Bearer ${hsToken}`, 'content-type': 'application/json' },
            body: JSON.stringify({ events }),
          })
          if (response.status !== 200) throw new Error(`a transaction was answered ${response.status}`)
          await response.body?.cancel()
        }
      }
      const worker = () =>
        startInbox({ source: 'ghosts', store: d.store, log, handle: async () => ({ kind: 'ignore' }) })
      /** Stored, answered and handled, the worker running beside the endpoint as it does in a service. */
      const through = async (from: number) => {
        const running = await worker()
        await put(from)
        await running.idle()
        await running.stop()
      }
      const handleRest = async () => {
        const running = await worker()
        await running.idle()
        await running.stop()
      }
      const plain: number[] = []
      const stored: number[] = []
      const whole: number[] = []
      // Taking turns, so that whatever else the machine does weighs on all three; the first round warms up and does not count.
      for (let r = 0; r <= rounds; r++) {
        const from = r * 2 * perRound
        const alone = await perSecond(() => plainInserts(client, from))
        const answered = await perSecond(() => put(from))
        await handleRest()
        const all = await perSecond(() => through(from + perRound))
        if (r === 0) continue
        plain.push(alone)
        stored.push(answered)
        whole.push(all)
      }
      const baseline = median(plain)
      const rate = { unit: 'events/s', baseline }
      // A homeserver on two cores makes some 40 events a second: after an outage the inbox must catch up far faster.
      return [
        figure({ ...rate, name: 'bridge.inbox_events_per_s', value: median(whole), goal: { atLeast: 1000 } }),
        figure({ ...rate, name: 'bridge.inbox_stored_per_s', value: median(stored), goal: { ratioAtLeast: 0.25 } }),
      ]
    } finally {
      await server.stop()
      await client.end()
      await d.drop()
      await postgres.end()
    }
  },
}
