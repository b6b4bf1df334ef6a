import { seconds } from '../../core/domain/clock.ts'
import type { UserId } from '../../core/domain/ids.ts'
import type { Homeserver } from '../../core/matrix/homeserver.ts'
import { noteForeign } from '../../core/store/audit/sources/own-users.ts'
import { roleDevices } from '../../core/store/oncall/role-chats.ts'
import { type StoreDeps, transact } from '../../core/store/tx.ts'

type Keys = { keys?: Record<string, string> }
type KeyQuery = { device_keys?: Record<string, Record<string, unknown>>; master_keys?: Record<string, Keys> }

const atOnce = 200

/**
 * Looks whether sleeping roles have a device or an identity that Wardroom did not make; an awake one looks for itself. It sees devices with keys; one without can
 * read nothing that is encrypted.
 */
export const watchSleepingRoles = async (o: {
  store: StoreDeps
  homeserver: Pick<Homeserver, 'request'>
  isAwake(user: UserId): boolean
}): Promise<void> => {
  const all = (await roleDevices(o.store.db)).filter(r => r.masterKey !== null && !o.isAwake(r.user))
  for (let i = 0; i < all.length; i += atOnce) {
    const roles = all.slice(i, i + atOnce)
    const shown = await o.homeserver.request<KeyQuery>('POST', '/_matrix/client/v3/keys/query', {
      userId: roles[0]?.user,
      body: { device_keys: Object.fromEntries(roles.map(r => [r.user, []])) },
    })
    await transact(o.store, async tx => {
      for (const { user, deviceId, masterKey } of roles) {
        const foreign = Object.keys(shown.device_keys?.[user] ?? {}).filter(id => id !== deviceId)
        const master = Object.values(shown.master_keys?.[user]?.keys ?? {})[0]
        const replaced = master !== undefined && master !== masterKey
        // One that woke meanwhile may have been given another device, after a reset.
        if (!o.isAwake(user)) await noteForeign(tx, { userId: user, foreign, replaced, afterMs: seconds(20) })
      }
    })
  }
}
