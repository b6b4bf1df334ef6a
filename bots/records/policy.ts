import { hours } from '../../core/domain/clock.ts'
import type { UserId } from '../../core/domain/ids.ts'
import type { Coverage, CoverageClass } from '../../core/domain/records/coverage.ts'
import type { Log } from '../../core/log.ts'
import { type Homeserver, isRefusedForGood } from '../../core/matrix/homeserver.ts'
import { ensureUser } from '../../core/matrix/our-users.ts'
import { clearImpossible, noteLeft, noteLookedAt, roomsToLeave } from '../../core/store/records/coverage.ts'
import { readSettings } from '../../core/store/staff/settings.ts'
import { type StoreDeps, transact } from '../../core/store/tx.ts'

export type PolicyDeps = { store: StoreDeps; homeserver: Homeserver; serverName: string; bot: UserId; log: Log }

export const coverageNow = async (store: Pick<StoreDeps, 'db'>): Promise<Coverage> =>
  (await readSettings(store.db))['records.coverage']

/** How long the homeserver goes on adding the bot while Wardroom is away; what it missed is caught up later, but what was said before the bot came is not in the records. */
const lifeMs = hours(24)

/**
 * Tells the Synapse module which new rooms get the bot, as account data of `@wardroom_policy`, a service user that is in no room: only our application service
 * can write it, and the module reads it from Synapse's own cache.
 */
export const publishPolicy = async (d: PolicyDeps, coverage: Coverage): Promise<void> => {
  const userId = `@wardroom_policy:${d.serverName}` as UserId
  await ensureUser(d.homeserver, userId)
  const path = `/_matrix/client/v3/user/${encodeURIComponent(userId)}/account_data/org.wardroom.records`
  const until = coverage === 'none' ? 0 : Date.now() + lifeMs
  await d.homeserver.request('PUT', path, { userId, body: { bot: d.bot, coverage, until } })
}

type Looked = { room: string; class: CoverageClass; state: 'covered' | 'impossible'; reason?: string }

/** Adds the bot to every room that the policy means and that it is not in, where a member may invite; stops when another policy holds meanwhile. */
export const coverRooms = async (d: PolicyDeps, coverage: Coverage): Promise<void> => {
  const met: string[] = []
  for (let after: string | null = coverage === 'none' ? null : ''; after !== null; ) {
    if ((await coverageNow(d.store)) !== coverage) return
    const answer: { rooms: Looked[]; next: string | null } = await d.homeserver.request(
      'POST',
      '/_synapse/client/wardroom_cover',
      { body: { bot: d.bot, coverage, after }, timeoutMs: 120_000 },
    )
    for (const room of answer.rooms) {
      met.push(room.room)
      await transact(d.store, tx => noteLookedAt(tx, room))
    }
    after = answer.next
  }
  await transact(d.store, tx => clearImpossible(tx, met))
}

const leavingAtOnce = 4

/** Leaves the rooms that no policy means any more. One that cannot be left now keeps back no other. */
export const leaveRooms = async (d: PolicyDeps, coverage: Coverage): Promise<void> => {
  const rooms = await roomsToLeave(d.store.db, coverage)
  const failures: unknown[] = []
  const leave = async (room: string) => {
    try {
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/leave`
      await d.homeserver.request('POST', path, { userId: d.bot, body: {} })
    } catch (e) {
      // It is in that room no more, or the room is gone.
      if (!isRefusedForGood(e)) throw e
    }
    await transact(d.store, tx => noteLeft(tx, room))
  }
  const one = async () => {
    for (let room = rooms.shift(); room !== undefined; room = rooms.shift())
      await leave(room).catch(e => failures.push(e))
  }
  await Promise.all(Array.from({ length: leavingAtOnce }, one))
  if (failures.length > 0) throw failures[0]
}
