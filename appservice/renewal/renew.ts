import { renewalRules, renewalStep } from '../../core/domain/care/renewal.ts'
import { minutes } from '../../core/domain/clock.ts'
import type { DeviceId, UserId } from '../../core/domain/ids.ts'
import { errorFacts } from '../../core/error-facts.ts'
import type { Log } from '../../core/log.ts'
import type { Homeserver } from '../../core/matrix/homeserver.ts'
import { dehydratedDeviceOf, deleteDevice, devicesOf, newDeviceId, putDevice } from '../../core/matrix/our-users.ts'
import {
  beginRenewal,
  brokenRenewals,
  endRenewal,
  type Ghost,
  ghostsToLookAt,
  noteLook,
  orphanedRenewals,
  type RenewalRun,
  renewalOf,
  roomFacts,
} from '../../core/store/links/renewals.ts'
import { type StoreDeps, transact } from '../../core/store/tx.ts'
import type { KeeperClient } from '../keeper/client.ts'

export type RenewalDeps = {
  store: StoreDeps
  homeserver: Homeserver
  keeper: Pick<KeeperClient, 'renew'>
  log: Log
  /** Ends what is under way; it is gone on with at the next start. */
  signal?: AbortSignal
}

/** How many to-device events wait for a ghost's dehydrated device, counted up to `most`; null when there is no such device. Reading deletes none. */
export const waitingEvents = async (homeserver: Homeserver, ghost: UserId, most: number): Promise<number | null> => {
  const device = await dehydratedDeviceOf(homeserver, ghost)
  if (!device) return null
  const path = `/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device/${encodeURIComponent(device)}/events`
  const { events } = await homeserver.request<{ events: unknown[] }>('GET', path, {
    ...{ userId: ghost, deviceId: device },
    query: { limit: most },
  })
  return events.length
}

const finish = async (deps: RenewalDeps, g: Ghost, run: RenewalRun, dehydrated: DeviceId | null): Promise<void> => {
  await deleteDevice(deps.homeserver, g.ghost, run.deviceId)
  if (dehydrated && run.replaces && run.replaces !== dehydrated)
    await deleteDevice(deps.homeserver, g.ghost, run.replaces)
  await transact(deps.store, tx => endRenewal(tx, g, run.deviceId, dehydrated))
}

/** What is left of an earlier attempt: a device with saved keys is gone on with; one without is of no use, and one that is gone had done its work. */
const leftOver = async (deps: RenewalDeps, g: Ghost): Promise<RenewalRun | null> => {
  const run = await renewalOf(deps.store.db, g.personId)
  if (!run) return null
  const there = (await devicesOf(deps.homeserver, g.ghost)).includes(run.deviceId)
  if (run.saved && there) return run
  const now = await dehydratedDeviceOf(deps.homeserver, g.ghost)
  await finish(deps, g, run, run.saved && now !== run.replaces ? now : null)
  return null
}

const fresh = async (deps: RenewalDeps, g: Ghost): Promise<RenewalRun> => ({
  deviceId: newDeviceId(deps.store.random),
  replaces: await dehydratedDeviceOf(deps.homeserver, g.ghost),
  saved: null,
})

/**
 * Replaces a ghost's dehydrated device, or goes on with a replacement that was killed: makes the live device, lets the keeper's process work through the
 * door, deletes the live device. Every step is written down before it is taken. @throws when a peer is away; then the next sweep goes on.
 */
export const renewDevice = async (deps: RenewalDeps, g: Ghost): Promise<'renewed' | 'refused'> => {
  const { store, homeserver } = deps
  const run = (await leftOver(deps, g)) ?? (await fresh(deps, g))
  const bearer = Buffer.from(store.random.bytes(32)).toString('base64url')
  await transact(store, tx => beginRenewal(tx, g, run, bearer))
  if (!run.saved) await putDevice(homeserver, g.ghost, run.deviceId, 'Wardroom (renewing)')
  const answer = await deps.keeper.renew({ personId: g.personId, bearer }, deps.signal)
  if ('refused' in answer) {
    deps.log.info({ person: g.personId, reason: answer.refused }, 'the keeper did not replace a dehydrated device')
    // With saved keys the replacement may have happened: the device stays until it can be gone on with.
    if (!run.saved) await finish(deps, g, run, null)
    return 'refused'
  }
  const dehydrated = await dehydratedDeviceOf(homeserver, g.ghost)
  if (!dehydrated || dehydrated === run.replaces) throw new Error('the homeserver has no new dehydrated device')
  await finish(deps, g, run, dehydrated)
  deps.log.info({ person: g.personId }, 'a dehydrated device was replaced')
  return 'renewed'
}

const lookAt = async (deps: RenewalDeps, g: Ghost): Promise<void> => {
  const { store } = deps
  const waiting = await waitingEvents(deps.homeserver, g.ghost, renewalRules.waiting)
  const now = store.clock.now()
  const step = renewalStep({ waiting, ...(await roomFacts(store.db, g, now)) }, now)
  const next = now + (step === 'enough' ? renewalRules.lookEveryMs : renewalRules.againMs)
  await transact(store, tx => noteLook(tx, g.personId, waiting, next))
  if (step === 'renew') await renewDevice(deps, g)
}

/** Goes on with what was broken off, removes what nobody goes on with, counts the waiting events of some ghosts, and replaces what is due: one after another. */
export const sweepRenewals = async (deps: RenewalDeps): Promise<void> => {
  const { store } = deps
  const each = async <T>(all: readonly T[], work: (one: T) => Promise<unknown>) => {
    for (const one of all) {
      if (deps.signal?.aborted) return
      await work(one).catch(err => {
        if (deps.signal?.aborted) return // we are being stopped; the next start goes on
        deps.log.error({ err: errorFacts(err) }, 'a dehydrated device was not renewed; it is tried again')
      })
    }
  }
  await each(await orphanedRenewals(store.db), g =>
    finish(deps, g, { deviceId: g.deviceId, replaces: null, saved: null }, null),
  )
  await each(await brokenRenewals(store.db, store.clock.now()), g => renewDevice(deps, g))
  await each(await ghostsToLookAt(store.db, store.clock.now(), 20), g => lookAt(deps, g))
}

/** How often the sweep runs; a ghost is looked at once a day. */
export const renewalSweepMs = minutes(1)
