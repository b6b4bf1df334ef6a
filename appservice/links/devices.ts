import { minutes } from '../../core/domain/clock.ts'
import type { SessionId } from '../../core/domain/ids.ts'
import type { Log } from '../../core/log.ts'
import { type Homeserver, MatrixRefusal } from '../../core/matrix/homeserver.ts'
import { deleteDevice as deleteAt } from '../../core/matrix/our-users.ts'
import { sweepAttempts } from '../../core/store/links/factors.ts'
import { sweepBuckets } from '../../core/store/links/rate-limits.ts'
import {
  deviceCameLate,
  doomedDevices,
  markDeviceGone,
  type SessionDevice,
} from '../../core/store/links/session-devices.ts'
import { endIdleSessions, endSession, type Session } from '../../core/store/links/sessions.ts'
import { exportDeviceGone, leftExportDevices } from '../../core/store/records/export-rooms.ts'
import { type StoreDeps, transact } from '../../core/store/tx.ts'

export type DeviceDeps = { store: StoreDeps; homeserver: Homeserver; log: Log }

const devicePath = (id: string) => `/_matrix/client/v3/devices/${encodeURIComponent(id)}`

const deleteDevice = async (deps: DeviceDeps, d: SessionDevice): Promise<void> => {
  try {
    await deps.homeserver.request('DELETE', devicePath(d.deviceId), { userId: d.userId, body: {}, timeoutMs: 10_000 })
  } catch (e) {
    if (!(e instanceof MatrixRefusal && e.status === 404)) throw e
  }
  await transact(deps.store, tx => markDeviceGone(tx, d))
}

/** Deletes what must not be there any more; a failure is logged and left to the next sweep. `session` narrows to one. Returns how many went. */
export const deleteDoomed = async (deps: DeviceDeps, session?: SessionId): Promise<number> => {
  let gone = 0
  for (const d of await doomedDevices(deps.store.db, deps.store.clock.now(), session)) {
    try {
      await deleteDevice(deps, d)
      gone++
    } catch (error) {
      deps.log.warn(
        { session: d.sessionId, error: (error as Error).message },
        'a device was not deleted, the sweep tries again',
      )
    }
  }
  return gone
}

/**
 * Makes the session's Matrix device (MSC4190's PUT, as the ghost). When the homeserver cannot, the session ends and the error is thrown: nobody is
 * left with a session that cannot read. A device that came late, after its session had moved on, is deleted again.
 */
export const openDevice = async (deps: DeviceDeps, session: Session): Promise<void> => {
  const device = session.deviceId
  if (!device) throw new Error(`session ${session.id} has no device to make`)
  try {
    await deps.homeserver.request('PUT', devicePath(device), { userId: session.userId, body: {}, timeoutMs: 15_000 })
  } catch (error) {
    await transact(deps.store, tx => endSession(tx, session.id, 'homeserver'))
    throw error
  }
  const late = await transact(deps.store, tx => deviceCameLate(tx, device))
  if (late) await deleteDoomed(deps, session.id)
}

/** An export needs its device for seconds; this old, its process was killed. */
const exportDeviceMs = minutes(15)

const deleteLeftByExports = async ({ store, homeserver }: DeviceDeps): Promise<void> => {
  for (const d of await leftExportDevices(store.db, store.clock.now() - exportDeviceMs)) {
    await deleteAt(homeserver, d.userId, d.deviceId)
    await transact(store, tx => exportDeviceGone(tx, d.deviceId))
  }
}

/**
 * Ends idle sessions and deletes every device that is due (row 16): after a killed tab, a lost `pagehide`, a crash between commit and deletion.
 * Returns counts; safe to run twice and in several processes.
 */
export const sweepSessions = async (deps: DeviceDeps): Promise<{ ended: number; devices: number }> => {
  const ended = await transact(deps.store, endIdleSessions)
  const devices = await deleteDoomed(deps)
  await deleteLeftByExports(deps)
  return { ended, devices }
}

/** Sweeps every `everyMs`; `stop` waits for the running sweep. */
export const startSessionSweep = (deps: DeviceDeps, everyMs = 10_000): { stop(): Promise<void> } => {
  let running: Promise<unknown> = Promise.resolve()
  let sweeps = 0
  const timer = setInterval(() => {
    running = running
      .then(async () => {
        await sweepSessions(deps)
        if (sweeps++ % 360 !== 0) return
        await sweepBuckets(deps.store.db, deps.store.clock.now())
        await sweepAttempts(deps.store.db, deps.store.clock.now())
      })
      .catch((error: Error) => deps.log.error({ error: error.message }, 'the session sweep failed and runs again'))
  }, everyMs)
  return {
    stop: async () => {
      clearInterval(timer)
      await running
    },
  }
}
