import type { UserId } from '../domain/ids.ts'
import { type Homeserver, MatrixRefusal } from './homeserver.ts'
import { dehydratedDeviceOf, deleteDevice, devicesOf } from './our-users.ts'

const gone = (e: unknown): boolean => e instanceof MatrixRefusal && e.status === 404

/** The answer, or undefined where there is no such thing. */
const ifThere = async <T>(asked: Promise<T>): Promise<T | undefined> => {
  try {
    return await asked
  } catch (e) {
    if (gone(e)) return undefined
    throw e
  }
}

/** Destroys the dehydrated device (MSC3814) with every room key that waits in it. False when there is none. */
export const endWaitingDevice = async (homeserver: Homeserver, userId: UserId): Promise<boolean> => {
  const path = '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device'
  const device = await dehydratedDeviceOf(homeserver, userId)
  if (!device) return false
  await ifThere(homeserver.request('DELETE', path, { userId, body: {} }))
  // Some versions of Synapse keep it among the devices.
  await deleteDevice(homeserver, userId, device)
  return true
}

/** Destroys every version of the key backup. False when there is none. */
export const endBackup = async (homeserver: Homeserver, userId: UserId): Promise<boolean> => {
  const path = '/_matrix/client/v3/room_keys/version'
  let found = false
  for (;;) {
    const current = await ifThere(homeserver.request<{ version: string }>('GET', path, { userId }))
    if (!current) return found
    found = true
    await ifThere(homeserver.request('DELETE', `${path}/${encodeURIComponent(current.version)}`, { userId }))
  }
}

const dataPath = (userId: UserId, type: string) =>
  `/_matrix/client/v3/user/${encodeURIComponent(userId)}/account_data/${encodeURIComponent(type)}`

/** Secret storage (m.secret_storage.v1) and what else lies encrypted in a ghost's account data. */
const secrets = [
  'm.cross_signing.master',
  'm.cross_signing.self_signing',
  'm.cross_signing.user_signing',
  'm.megolm_backup.v1',
  'org.matrix.msc3814',
  'io.wardroom.draft',
  'm.secret_storage.default_key',
]

const dataOf = async (homeserver: Homeserver, userId: UserId, type: string): Promise<Record<string, unknown>> =>
  (await ifThere(homeserver.request('GET', dataPath(userId, type), { userId }))) ?? {}

/** Overwrites secret storage and everything in it; the key's own description goes last but one, so that a second try finds it. False when there is none. */
export const endSecretStorage = async (homeserver: Homeserver, userId: UserId): Promise<boolean> => {
  const { key } = (await dataOf(homeserver, userId, 'm.secret_storage.default_key')) as { key?: string }
  for (const type of [...(key ? [`m.secret_storage.key.${key}`] : []), ...secrets])
    if (Object.keys(await dataOf(homeserver, userId, type)).length > 0)
      await homeserver.request('PUT', dataPath(userId, type), { userId, body: {} })
  return key !== undefined
}

/** Is the account deactivated? Where accounts are not the homeserver's own (MSC3861) there is no such call; what is left then opens nothing. */
const deactivate = (homeserver: Homeserver, userId: UserId): Promise<unknown> =>
  ifThere(homeserver.request('POST', '/_matrix/client/v3/account/deactivate', { userId, body: { erase: true } }))

/**
 * Ends an account of ours for good: its devices go, it leaves its rooms, its name is erased, and nobody can use it again. Then looks whether anything is left that
 * could decrypt. Call it after the other three; safe to repeat. @throws when something is left.
 */
export const endAccount = async (homeserver: Homeserver, userId: UserId): Promise<boolean> => {
  const devices = await devicesOf(homeserver, userId)
  for (const device of devices) await deleteDevice(homeserver, userId, device)
  await deactivate(homeserver, userId)
  const left = [
    (await devicesOf(homeserver, userId)).length > 0 ? 'device' : '',
    (await dehydratedDeviceOf(homeserver, userId)) ? 'waiting device' : '',
    (await ifThere(homeserver.request('GET', '/_matrix/client/v3/room_keys/version', { userId }))) ? 'key backup' : '',
    Object.keys(await dataOf(homeserver, userId, 'm.megolm_backup.v1')).length > 0 ? 'secret storage' : '',
  ].filter(what => what !== '')
  if (left.length > 0) throw new Error(`an ended account still has: ${left.join(', ')}`)
  return devices.length > 0
}
