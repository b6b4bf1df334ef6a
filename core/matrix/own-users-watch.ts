import { seconds } from '../domain/clock.ts'
import type { Log } from '../log.ts'
import { type Sweeps, startSweeps } from '../queues/sweeps.ts'
import { isFirstIdentity, madeDevices, noteForeign, ownUsers } from '../store/audit/sources/own-users.ts'
import { type StoreDeps, transact } from '../store/tx.ts'
import type { Homeserver } from './homeserver.ts'

type Keys = { keys?: Record<string, string> }
type KeyQuery = { device_keys?: Record<string, Record<string, unknown>>; master_keys?: Record<string, Keys> }

const everyMs = seconds(15)
/** A device that speaks for a room's owner lives 0.2 s, one that enrols a patient a few seconds; none of them has a row. */
const briefMs = seconds(25)
const usersAtOnce = 200

/** One batch of ghosts and room owners: what the homeserver shows of their keys against what we made. */
const lookAt = async (
  store: StoreDeps,
  homeserver: Homeserver,
  users: readonly { userId: string; patient: string }[],
) => {
  const shown = await homeserver.request<KeyQuery>('POST', '/_matrix/client/v3/keys/query', {
    userId: users[0]?.userId,
    body: { device_keys: Object.fromEntries(users.map(u => [u.userId, []])) },
  })
  const made = await madeDevices(
    store.db,
    users.map(u => u.userId),
    store.clock.now(),
  )
  await transact(store, async tx => {
    for (const { userId, patient } of users) {
      const foreign = Object.keys(shown.device_keys?.[userId] ?? {}).filter(id => !made.get(userId)?.has(id))
      const masterKey = Object.values(shown.master_keys?.[userId]?.keys ?? {})[0]
      const replaced = masterKey !== undefined && !(await isFirstIdentity(tx, userId, masterKey))
      await noteForeign(tx, { userId, patient, foreign, replaced, afterMs: briefMs })
    }
  })
}

/**
 * Looks every 15 seconds whether patients' ghosts and the owners of care rooms have a device or an identity that Wardroom did not make: it is in the log within a
 * minute. It sees devices with keys; one without keys can read nothing that is encrypted.
 */
export const watchOwnUsers = (o: {
  store: StoreDeps
  homeserver: Homeserver
  log: Log
  /** How often it is looked whether it is time (3 s). */
  lookMs?: number
}): Sweeps =>
  startSweeps({
    store: o.store,
    name: 'own-users',
    every: everyMs,
    lookMs: o.lookMs ?? everyMs / 5,
    log: o.log,
    run: async () => {
      for (let after = ''; ; ) {
        const users = await ownUsers(o.store.db, after, usersAtOnce)
        if (users.length > 0) await lookAt(o.store, o.homeserver, users)
        if (users.length < usersAtOnce) return
        after = users.at(-1)?.userId ?? ''
      }
    },
  })
