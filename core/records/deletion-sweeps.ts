import { minutes, seconds } from '../domain/clock.ts'
import { startSweeps } from '../queues/sweeps.ts'
import type { Stoppable } from '../start-parts.ts'
import { leavingRecords } from '../store/records/doom.ts'
import { lapseExports } from '../store/records/exports.ts'
import { transact } from '../store/tx.ts'
import { type DeletionDeps, deletionRun } from './deletion.ts'
import { followServers } from './other-servers.ts'
import { removeAgain } from './remove-again.ts'

/**
 * Deletes by retention every five minutes, what was recalled or decided before a kill within a quarter of a minute; follows what other servers do with it, and
 * removes recalled messages once more for clients that missed it. `name` tells the services' sweeps apart: each runs in one process at a time.
 */
export const startDeletion = (d: DeletionDeps, name: string): Stoppable => {
  const { store, log } = d
  const soon = async () => {
    const events = await leavingRecords(store, { classes: d.classes, limit: 1000 })
    if (events.length > 0) await deletionRun(d, { events })
  }
  const due = async () => {
    await deletionRun(d)
    await removeAgain(d)
  }
  const all = startSweeps({ store, name: `${name}-retention`, every: minutes(5), run: due, log })
  const recalled = startSweeps({ store, name: `${name}-recalls`, every: seconds(15), run: soon, log })
  // Requests that nobody approved or used in time.
  const lapse = () => transact(store, lapseExports)
  const exports = startSweeps({ store, name: 'exports', every: minutes(1), run: lapse, log })
  const follow = () => followServers(d)
  const others = startSweeps({ store, name: `${name}-servers`, every: seconds(15), run: follow, log })
  return {
    stop: async () => {
      await others.stop()
      await exports.stop()
      await recalled.stop()
      await all.stop()
    },
  }
}
