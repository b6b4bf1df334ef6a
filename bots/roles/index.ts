import { seconds } from '../../core/domain/clock.ts'
import type { UserId } from '../../core/domain/ids.ts'
import { errorFacts } from '../../core/error-facts.ts'
import type { Log } from '../../core/log.ts'
import { startBot } from '../../core/matrix/bot/bot.ts'
import type { Homeserver } from '../../core/matrix/homeserver.ts'
import type { Metrics } from '../../core/metrics.ts'
import { type Inbox, startInbox } from '../../core/queues/inbox-worker.ts'
import { startOutbox } from '../../core/queues/outbox-worker.ts'
import { startSweeps } from '../../core/queues/sweeps.ts'
import { startParts } from '../../core/start-parts.ts'
import { siblingDb } from '../../core/store/db.ts'
import { onCallRole } from '../../core/store/oncall/read.ts'
import { prepareRole, unpreparedRoles } from '../../core/store/oncall/role-chats.ts'
import { type StoreDeps, transact } from '../../core/store/tx.ts'
import { roleJobs } from './jobs.ts'
import { onRoleMessage } from './messages.ts'
import { rolePool } from './pool.ts'
import { watchSleepingRoles } from './watch.ts'

export type RolesOptions = {
  store: StoreDeps
  homeserver: Homeserver
  log: Log
  metrics: Metrics
  /** How many roles are awake at a time, and for how long without work. */
  most?: number
  idleMs?: number
}

/** Connections for the crypto stores of all roles together. */
const connections = 6

/**
 * Runs the users of all on-call roles, `@role_cardiology`: people write to them in direct chats, and whoever is on duty is paged. However many there are, a few are
 * awake; a message, an invitation or something to say wakes one.
 */
export const startRoles = (o: RolesOptions): Promise<{ awake(): number; stop(): Promise<void> }> =>
  startParts(async started => {
    const { store, homeserver, log, metrics } = o
    const crypto = siblingDb(store.db, connections)
    started({ stop: () => crypto.destroy() })
    let inbox: Inbox | undefined
    const nameOf = async (user: UserId) => (await transact(store, tx => onCallRole(tx, user)))?.role.name ?? 'On call'
    const open = async (userId: UserId) => {
      const displayName = await nameOf(userId)
      const options = { pool: crypto, startsAfresh: true, leaseTtlMs: seconds(5) }
      const bot = await startBot({ homeserver, store, userId, displayName, log, ...options })
      bot.keyArrived(roomId => {
        inbox
          ?.wake(roomId)
          .catch(err => log.warn({ err: errorFacts(err), roomId }, 'waiting events could not be woken; they wait on'))
      })
      return bot
    }
    const pool = started(rolePool({ open, log, most: o.most, idleMs: o.idleMs }))
    const d = { store, homeserver, pool, log }
    await transact(store, async tx => {
      for (const role of await unpreparedRoles(tx.sql)) await tx.enqueue(prepareRole(role, `start ${tx.now}`))
    })
    started(await startOutbox({ queue: 'roles', store, handlers: roleJobs(d), log, metrics }))
    inbox = started(
      await startInbox({ source: 'roles', store, handle: onRoleMessage(d), refuseReplays: true, log, metrics }),
    )
    const watch = () => watchSleepingRoles({ store, homeserver, isAwake: pool.isAwake })
    started(startSweeps({ store, name: 'role-users', every: seconds(15), run: watch, log }))
    return { awake: pool.awake }
  })
