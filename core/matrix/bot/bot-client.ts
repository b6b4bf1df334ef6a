import { ClientEvent, Filter, type MatrixClient, type SyncState } from 'matrix-js-sdk'
import { type CryptoApi, CryptoEvent } from 'matrix-js-sdk/lib/crypto-api/index.js'
import { type Alerts, logAlerts } from '../../alerts.ts'
import { seconds } from '../../domain/clock.ts'
import type { DeviceId, UserId } from '../../domain/ids.ts'
import { errorFacts } from '../../error-facts.ts'
import type { Log } from '../../log.ts'
import { noteForeign } from '../../store/audit/sources/own-users.ts'
import { type StoreDeps, transact } from '../../store/tx.ts'
import type { Homeserver } from '../homeserver.ts'
import { olmMachineOf, onLostChanges } from '../olm-machine.ts'
import { devicesOf } from '../our-users.ts'
import { masterKeyOf } from './signers.ts'

type ClientDeps = { homeserver: Homeserver; userId: UserId; log: Log; alert?: Alerts }

const stateTypes = [
  'm.room.create',
  'm.room.encryption',
  'm.room.member',
  'm.room.history_visibility',
  'm.room.power_levels',
  'm.room.join_rules',
  'm.room.tombstone',
]

/**
 * To-device messages, device lists, own account data and the room state that encryption needs; events come from the inbox. Synapse repeats the answer to a
 * first sync for two minutes, with its old key counts and rooms, so that a restart asks through another filter; the 32 differ in nothing else.
 */
const syncFilter = (userId: UserId, epoch: number) =>
  Filter.fromJson(userId, '', {
    presence: { types: [], not_senders: [`@start-${epoch % 32}:wardroom.invalid`] },
    room: {
      timeline: { limit: 1, types: stateTypes },
      state: { types: stateTypes, lazy_load_members: false },
      ephemeral: { types: [] },
      account_data: { types: [] },
    },
  })

/**
 * How long the homeserver may keep a sync waiting. When two people's data are written at the same moment, Synapse can wake a sync before there is anything
 * to be seen, and not again: what came (a room key, an answer of its own) is then told only when the wait ends, after half a minute as clients usually ask.
 */
const pollMs = seconds(5)

/**
 * Starts the sync; it goes on through outages of the homeserver. A device that was deleted there ends the process, and so does a sync that could not be
 * taken in: before the next one, which would tell the homeserver to forget what that one brought. The next process is given it again.
 */
export const startSync = async (
  d: ClientDeps,
  client: MatrixClient,
  crypto: CryptoApi,
  { deviceId, epoch }: { deviceId: DeviceId; epoch: number },
  die: (reason: string) => void,
) => {
  const lost = (err: unknown) => {
    d.log.error({ err: errorFacts(err), bot: d.userId }, 'a sync could not be taken in')
    die('a sync could not be taken in')
  }
  onLostChanges(crypto, lost)
  client.on(ClientEvent.SyncUnexpectedError, lost)
  const prepared = new Promise<void>((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error('the first sync took too long')), seconds(90))
    client.on(ClientEvent.Sync, (state: SyncState) => {
      if (state === 'PREPARED' || state === 'SYNCING') {
        clearTimeout(limit)
        resolve()
      }
      // At the first sync that fails; js-sdk speaks of an error at the third, up to a quarter of a minute later.
      if (state !== 'RECONNECTING' && state !== 'ERROR') return
      devicesOf(d.homeserver, d.userId).then(
        ids => ids.includes(deviceId) || die(`the device ${deviceId} was deleted at the homeserver`),
        err => d.log.warn({ err: errorFacts(err), bot: d.userId }, 'the homeserver is away'),
      )
    })
  })
  await client.startClient({
    filter: syncFilter(d.userId, epoch),
    disablePresence: true,
    initialSyncLimit: 1,
    pollTimeout: pollMs,
  })
  await prepared
}

/** How often the homeserver is asked, beside what the sync tells: a device without keys changes no list. */
const lookMs = seconds(20)

/**
 * Somebody else's device, or another identity, on our own user is an event of the audit log, and an alert, within half a minute. Returns how to stop it.
 */
export const watchOwnUser = (
  d: ClientDeps & { store: StoreDeps },
  client: MatrixClient,
  crypto: CryptoApi,
  deviceId: DeviceId,
  masterKey: string,
): (() => Promise<void>) => {
  const alert = d.alert ?? logAlerts(d.log)
  const look = async () => {
    const foreign = (await devicesOf(d.homeserver, d.userId)).filter(id => id !== deviceId)
    const replaced = (await masterKeyOf(olmMachineOf(crypto), d.userId)) !== masterKey
    if (foreign.length > 0)
      alert({ code: 'bot.foreign-device', ref: d.userId, sentence: 'a bot has a device that Wardroom did not make' })
    if (replaced)
      alert({ code: 'bot.identity', ref: d.userId, sentence: 'the cross-signing keys of a bot were replaced' })
    await transact(d.store, tx => noteForeign(tx, { userId: d.userId, foreign, replaced, afterMs: 0 }))
  }
  let running: Promise<void> = Promise.resolve()
  const soon = () => {
    running = running
      .then(look)
      .catch(err => d.log.warn({ err: errorFacts(err), bot: d.userId }, 'the own devices could not be checked'))
  }
  const onDevices = (users: string[]) => {
    if (users.includes(d.userId)) soon()
  }
  client.on(CryptoEvent.DevicesUpdated, onDevices)
  const timer = setInterval(soon, lookMs)
  soon()
  return async () => {
    clearInterval(timer)
    client.off(CryptoEvent.DevicesUpdated, onDevices)
    await running
  }
}
