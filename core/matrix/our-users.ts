import type { Random } from '../domain/clock.ts'
import { base32, type DeviceId, type UserId } from '../domain/ids.ts'
import { type Homeserver, MatrixRefusal } from './homeserver.ts'

const localpart = (userId: string) => userId.slice(1, userId.indexOf(':'))
const device = (deviceId: string) => `/_matrix/client/v3/devices/${encodeURIComponent(deviceId)}`

/** A new device id: 80 random bits, capitals as clients show them. */
export const newDeviceId = (random: Random): DeviceId => base32(random.bytes(16)).toUpperCase() as DeviceId

/** Registers a user of our namespace, without a login; says so when it existed already. */
export const ensureUser = async (homeserver: Homeserver, userId: UserId): Promise<'new' | 'known'> => {
  try {
    await homeserver.request('POST', '/_matrix/client/v3/register', {
      body: { type: 'm.login.application_service', username: localpart(userId), inhibit_login: true },
    })
    return 'new'
  } catch (e) {
    if (e instanceof MatrixRefusal && e.errcode === 'M_USER_IN_USE') return 'known'
    throw e
  }
}

/** Creates or renames a device of one of our users; no token is made (MSC4190's PUT, which Synapse offers to application services). */
export const putDevice = async (
  homeserver: Homeserver,
  userId: UserId,
  deviceId: DeviceId,
  displayName: string,
): Promise<void> => {
  await homeserver.request('PUT', device(deviceId), { userId, body: { display_name: displayName } })
}

/** Deletes a device of one of our users; one that is gone already is fine. */
export const deleteDevice = async (homeserver: Homeserver, userId: UserId, deviceId: DeviceId): Promise<void> => {
  try {
    await homeserver.request('DELETE', device(deviceId), { userId, body: {} })
  } catch (e) {
    if (!(e instanceof MatrixRefusal && e.status === 404)) throw e
  }
}

/** The live devices of one of our users. Whether Synapse lists a dehydrated one here depends on its version: compare ids before deleting. */
export const devicesOf = async (homeserver: Homeserver, userId: UserId): Promise<DeviceId[]> => {
  const { devices } = await homeserver.request<{ devices: { device_id: DeviceId }[] }>(
    'GET',
    '/_matrix/client/v3/devices',
    { userId },
  )
  return devices.map(d => d.device_id)
}

/** The id of a user's dehydrated device (MSC3814), or null. */
export const dehydratedDeviceOf = async (homeserver: Homeserver, userId: UserId): Promise<DeviceId | null> => {
  try {
    const answer = await homeserver.request<{ device_id: DeviceId }>(
      'GET',
      '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device',
      { userId },
    )
    return answer.device_id
  } catch (e) {
    if (e instanceof MatrixRefusal && e.status === 404) return null
    throw e
  }
}

/** Deletes every device of one of our users but those in `keep` and the dehydrated one: what a killed process left must not go on listening. Returns how many. */
export const deleteStrayDevices = async (
  homeserver: Homeserver,
  userId: UserId,
  keep: readonly DeviceId[] = [],
): Promise<number> => {
  const all = await devicesOf(homeserver, userId)
  if (all.every(id => keep.includes(id))) return 0
  const dehydrated = await dehydratedDeviceOf(homeserver, userId)
  const strays = all.filter(id => id !== dehydrated && !keep.includes(id))
  for (const id of strays) await deleteDevice(homeserver, userId, id)
  return strays.length
}

export const setDisplayName = async (homeserver: Homeserver, userId: UserId, name: string): Promise<void> => {
  const path = `/_matrix/client/v3/profile/${encodeURIComponent(userId)}/displayname`
  await homeserver.request('PUT', path, { userId, body: { displayname: name } })
}
