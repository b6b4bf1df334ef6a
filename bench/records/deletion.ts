import { createHash, randomBytes } from 'node:crypto'
import type { EventShape } from '../../core/domain/audit/room-event.ts'
import { hours } from '../../core/domain/clock.ts'
import type { UserId } from '../../core/domain/ids.ts'
import { createLog } from '../../core/log.ts'
import { createHomeserver, type Homeserver } from '../../core/matrix/homeserver.ts'
import { type DeletionDeps, deletionRun } from '../../core/records/deletion.ts'
import { secret } from '../../core/secret.ts'
import { type Db, openDb } from '../../core/store/db.ts'
import { noteRecords } from '../../core/store/records/note.ts'
import { changePolicy } from '../../core/store/records/policies.ts'
import { transact } from '../../core/store/tx.ts'
import { systemClock } from '../../core/system.ts'
import { database } from '../../test/support/database.ts'
import { ownPostgres } from '../../test/support/own-postgres.ts'
import { stack, stopStack } from '../../test/support/stack.ts'
import { afterRun } from '../after-run.ts'
import type { Bench } from '../bench.ts'
import { figure, median } from '../figure.ts'
import { scaled } from '../scale.ts'

const events = scaled(10_000, 200)
const bareEvents = scaled(2000, 200)
const rounds = 3
const perRound = scaled(120, 10)

type Json = Record<string, unknown>

/** Canonical JSON of the Matrix specification, for what events hold. */
const canonical = (v: unknown): string =>
  Array.isArray(v)
    ? `[${v.map(canonical).join(',')}]`
    : typeof v === 'object' && v !== null
      ? `{${Object.entries(v)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, value]) => `${JSON.stringify(key)}:${canonical(value)}`)
          .join(',')}}`
      : JSON.stringify(v)

/** An event's id is the hash of what a removal leaves of it. */
const eventId = ({ signatures: _s, unsigned: _u, age_ts: _a, ...event }: Json): string =>
  `$${createHash('sha256')
    .update(canonical({ ...event, content: {} }))
    .digest('base64url')}`

/**
 * Copies of a room's newest event straight into Synapse's database, each with ciphertext and an id of its own: sending as many would take minutes and measures
 * something else.
 */
const seed = async (synapse: Db, sent: string, count: number): Promise<EventShape[]> => {
  const row = await synapse('events').where({ event_id: sent }).first()
  const stored = await synapse('event_json').where({ event_id: sent }).first()
  const { lowest } = (await synapse('events').min({ lowest: 'stream_ordering' }).first()) as { lowest: number }
  const made: EventShape[] = []
  for (let from = 0; from < count; from += 1000) {
    const some = Array.from({ length: Math.min(1000, count - from) }, (_, i) => {
      const json = JSON.parse(stored.json) as Json & { content: Json }
      json.content = { ...json.content, ciphertext: randomBytes(300).toString('base64') }
      json.hashes = { sha256: randomBytes(32).toString('base64').replace('=', '') }
      const event_id = eventId(json)
      return { event_id, json, stream_ordering: Math.min(0, lowest) - 1 - from - i }
    })
    await synapse.batchInsert(
      'events',
      some.map(({ event_id, stream_ordering }) => ({ ...row, event_id, stream_ordering })),
      200,
    )
    await synapse.batchInsert(
      'event_json',
      some.map(({ event_id, json }) => ({ ...stored, event_id, json: JSON.stringify(json) })),
      200,
    )
    made.push(...some.map(({ event_id, json }) => ({ ...json, event_id }) as unknown as EventShape))
  }
  return made
}

const destroyBare = async (homeserver: Homeserver, userId: string, ids: readonly string[]): Promise<void> => {
  for (let n = 0; n < ids.length; n += 200)
    await homeserver.request('POST', '/_synapse/client/wardroom_destroy', {
      userId,
      body: { events: ids.slice(n, n + 200) },
    })
}

const redactBare = async (
  homeserver: Homeserver,
  userId: string,
  room: string,
  ids: readonly string[],
): Promise<void> => {
  for (const id of ids)
    await homeserver.request(
      'PUT',
      `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/redact/${encodeURIComponent(id)}/${randomBytes(8).toString('hex')}`,
      { userId, body: { reason: 'retention' } },
    )
}

/** Runs `work` and gives how much the process's memory grew at the most, in MB. */
const grown = async (work: () => Promise<void>): Promise<number> => {
  const mb = () => process.memoryUsage.rss() / 1048576
  const before = mb()
  let most = before
  const timer = setInterval(() => {
    most = Math.max(most, mb())
  }, 20)
  await work()
  clearInterval(timer)
  return Math.max(most, mb()) - before
}

/** What a deletion run destroys and redacts a second, certificates and audit entries included, beside the homeserver's bare calls. */
export const recordsDeletion: Bench = {
  area: 'records',
  figures: ['destroyed_per_s', 'redactions_per_s', 'memory_mb'],
  run: async say => {
    say(`records: ${events} events destroyed, ${rounds} rounds of ${perRound} removals`)
    afterRun(stopStack)
    const s = await stack()
    // The homeserver's database may forget in a power cut and so is quicker; ours may not.
    const postgres = await ownPostgres({})
    const d = await database({ url: postgres.url })
    const store = { ...d.store, clock: systemClock }
    const synapse = openDb(s.postgresUrl('synapse'), { max: 2, name: 'bench' })
    try {
      const homeserver = createHomeserver({ url: s.synapse.url, asToken: secret(s.bots.asToken) })
      const userId = `@wardroom_${randomBytes(4).toString('hex')}:${s.synapse.serverName}` as UserId
      const localpart = userId.slice(1, userId.indexOf(':'))
      const body = { type: 'm.login.application_service', username: localpart, inhibit_login: true }
      await homeserver.request('POST', '/_matrix/client/v3/register', { body })
      const { room_id: room } = await homeserver.request<{ room_id: string }>('POST', '/_matrix/client/v3/createRoom', {
        userId,
        body: { preset: 'private_chat' },
      })
      const content = { algorithm: 'm.megolm.v1.aes-sha2', ciphertext: 'A'.repeat(400), session_id: 'B'.repeat(43) }
      const { event_id: sent } = await homeserver.request<{ event_id: string }>(
        'PUT',
        `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.encrypted/first`,
        { userId, body: content },
      )
      const all = await seed(synapse, sent, events + 2 * bareEvents + 2 * (rounds + 1) * perRound)
      const take = (count: number) => all.splice(0, count)
      const note = async (some: readonly EventShape[]) => {
        const old = some.map(e => ({ ...e, origin_server_ts: Date.now() - hours(48) }))
        for (let n = 0; n < old.length; n += 500)
          await transact(store, tx => noteRecords(tx, { events: old.slice(n, n + 500), receipts: [] }))
      }
      const value = { from: 'sent' as const, keepMs: hours(24) }
      const scope = { kind: 'organisation' as const }
      await transact(store, tx => changePolicy(tx, { scope, minimum: false, value }, { by: '@bench:h' }))
      const deletion = (speaks: boolean): DeletionDeps => ({
        store,
        homeserver,
        classes: ['staff'],
        speaker: async () => (speaks ? userId : null),
        log: createLog('bench', 'error'),
      })
      const rate = async (count: number, work: () => Promise<unknown>) => {
        const from = performance.now()
        await work()
        return count / ((performance.now() - from) / 1000)
      }
      const gone = async (speaks: boolean, count: number) => {
        const n = await deletionRun(deletion(speaks))
        if (n !== count) throw new Error(`${n} of ${count} events were destroyed`)
      }

      let bare = 0
      // The first time warms up the homeserver and does not count.
      for (let r = 0; r < 2; r++) {
        const ids = take(bareEvents).map(e => e.event_id)
        bare = await rate(bareEvents, () => destroyBare(homeserver, userId, ids))
      }
      await note(take(events))
      let destroyed = 0
      const memory = await grown(async () => {
        destroyed = await rate(events, () => gone(false, events))
      })
      const redacted: number[] = []
      const bareRedacted: number[] = []
      // Taking turns; the first round warms up and does not count.
      for (let r = 0; r <= rounds; r++) {
        const ids = take(perRound).map(e => e.event_id)
        const a = await rate(perRound, () => redactBare(homeserver, userId, room, ids))
        await note(take(perRound))
        const b = await rate(perRound, () => gone(true, perRound))
        if (r === 0) continue
        bareRedacted.push(a)
        redacted.push(b)
      }
      return [
        figure({
          name: 'records.destroyed_per_s',
          ...{ value: destroyed, unit: 'events/s', baseline: bare, goal: { atLeast: 1000 } },
          note: `${events} events in a real Synapse, with their entries in the audit log and certificates; baseline: the module's calls alone`,
        }),
        figure({
          name: 'records.redactions_per_s',
          ...{ value: median(redacted), unit: 'events/s', baseline: median(bareRedacted), goal: { ratioAtLeast: 0.8 } },
          note: `a whole run over ${perRound} events: decided, removed in the room, destroyed, certified; baseline: the same number of redaction calls`,
        }),
        figure({
          name: 'records.memory_mb',
          ...{ value: memory, unit: 'MB', goal: { atMost: 100 } },
          note: `by which the process grows at the most while it deletes ${events} events`,
        }),
      ]
    } finally {
      await synapse.destroy()
      await d.drop()
      await postgres.end()
    }
  },
}
