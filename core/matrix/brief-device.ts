import type { Clock, Random } from '../domain/clock.ts'
import type { EventId, RoomId, UserId } from '../domain/ids.ts'
import type { Log } from '../log.ts'
import { systemClock } from '../system.ts'
import { awaitOwnSignature, takeOverIdentity } from './cross-signing.ts'
import { canEncryptIn, encryptFor, findSpoken, jobKey, putEncrypted } from './encrypt.ts'
import type { Homeserver } from './homeserver.ts'
import { openMemoryClient } from './memory-client.ts'
import { deleteDevice, deleteStrayDevices, newDeviceId, putDevice } from './our-users.ts'

/** `txnId`: a stable hash of the job, shown in clear beside the ciphertext, so that a resend is recognised. */
export type Utterance = { type: string; content: Record<string, unknown>; txnId: string }

export type BriefSpeech = {
  homeserver: Homeserver
  /** A service user made by `createServiceIdentity`, joined to the room. */
  userId: UserId
  roomId: RoomId
  contents: readonly Utterance[]
  /** The 32-byte key of its secret storage. */
  k: Uint8Array
  random: Random
  clock?: Clock
  log?: Log
}

/**
 * Speaks in an encrypted room through a device that lives about 0.2 s: create, sign, wait until the signature is seen, send, delete. What was spoken
 * already under the same `txnId`, also before a crash, is not repeated. Devices that a killed attempt left are deleted first.
 * Returns the events in the order of `contents`. @throws when the room is not encrypted or the homeserver refuses; then nothing of the device stays.
 */
export const speakBriefly = async (o: BriefSpeech): Promise<EventId[]> => {
  const clock = o.clock ?? systemClock
  await deleteStrayDevices(o.homeserver, o.userId)
  const spoken = await findSpoken(
    o.homeserver,
    o.userId,
    o.roomId,
    o.contents.map(c => c.txnId),
  )
  const missing = o.contents.filter(c => !spoken.has(c.txnId))
  if (missing.length > 0) await throughPassingDevice(o, clock, missing, spoken)
  return o.contents.map(c => spoken.get(c.txnId)!)
}

const throughPassingDevice = async (
  o: BriefSpeech,
  clock: Clock,
  missing: readonly Utterance[],
  spoken: Map<string, EventId>,
) => {
  const deviceId = newDeviceId(o.random)
  await putDevice(o.homeserver, o.userId, deviceId, 'Wardroom (speaking)')
  try {
    const live = await openMemoryClient({ ...o, deviceId, rooms: [o.roomId], secretStorageKey: () => o.k })
    try {
      const { client, crypto } = live
      await takeOverIdentity(client, crypto, o.userId)
      await awaitOwnSignature(crypto, o.userId, deviceId, clock)
      if (!(await canEncryptIn(client, crypto, o.roomId))) throw new Error(`the room ${o.roomId} is not encrypted`)
      for (const { type, content, txnId } of missing) {
        const wire = await encryptFor(client, crypto, o.roomId, type, content)
        const acting = { userId: o.userId, deviceId }
        spoken.set(txnId, await putEncrypted(o.homeserver, acting, o.roomId, txnId, { ...wire, [jobKey]: txnId }))
      }
    } finally {
      live.stop()
    }
  } finally {
    await deleteDevice(o.homeserver, o.userId, deviceId)
  }
}
