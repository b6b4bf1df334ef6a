import type { UserId } from '../../core/domain/ids.ts'
import { isRefusal } from '../../core/domain/refusal.ts'
import type { Role } from '../../core/domain/roles.ts'
import { isSettingKey, settingOf } from '../../core/domain/settings/settings.ts'
import type { Secret } from '../../core/secret.ts'
import { openDb } from '../../core/store/db.ts'
import { keeperGrants } from '../../core/store/links/keeper.ts'
import { migrate } from '../../core/store/migrate.ts'
import { grantByConfiguration } from '../../core/store/staff/roles.ts'
import { changeSetting, settingHistory } from '../../core/store/staff/settings.ts'
import { type StoreDeps, transact } from '../../core/store/tx.ts'
import { Explained } from '../command.ts'

/**
 * Brings the schema up to date, lets the keeper's role do what it must, and gives the settings their starting values: one that was ever
 * changed stays as it is. Gives the names of the steps applied.
 * @throws Explained when the database cannot be reached.
 */
export const prepareDatabase = async (
  { url, keeperUrl }: { url: Secret; keeperUrl: Secret },
  deps: Omit<StoreDeps, 'db'>,
  settings: Record<string, string>,
  grants: readonly { userId: string; role: Role }[] = [],
): Promise<string[]> => {
  const db = openDb(url.reveal(), { max: 2, name: 'wardroom-start' })
  try {
    await db.raw('select 1').catch(cause => {
      const { host } = new URL(url.reveal())
      throw new Explained(`The database at ${host} cannot be used: ${(cause as Error).message}.`, { cause })
    })
    const applied = await migrate(db)
    const keeper = new URL(keeperUrl.reveal()).username
    if (keeper !== new URL(url.reveal()).username) await db.raw(keeperGrants(keeper))
    for (const [key, text] of Object.entries(settings)) await giveStartingValue({ ...deps, db }, key, text)
    for (const { userId, role } of grants)
      await transact({ ...deps, db }, tx => grantByConfiguration(tx, userId as UserId, role))
    return applied
  } finally {
    await db.destroy()
  }
}

const giveStartingValue = async (deps: StoreDeps, key: string, text: string): Promise<void> => {
  if (!isSettingKey(key)) return // the configuration's check has refused it already
  const value = settingOf(key).kind.parse(text)
  if (isRefusal(value) || (await settingHistory(deps.db, { key, limit: 1 })).length > 0) return
  await transact(deps, tx => changeSetting(tx, { key, value: value as never, by: 'configuration' }))
}
