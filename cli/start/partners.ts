import { isRefusal } from '../../core/domain/refusal.ts'
import { settingOf } from '../../core/domain/settings/settings.ts'
import type { Secret } from '../../core/secret.ts'
import { openDb } from '../../core/store/db.ts'
import { readSettings, settingHistory } from '../../core/store/staff/settings.ts'

/**
 * The other hospitals' servers that the homeserver is to federate with: the setting `federation.allowed` as it is now, or, before there is a database, its
 * starting value of the configuration.
 */
export const federationPartners = async (
  database: Secret,
  starting: Readonly<Record<string, string>>,
): Promise<readonly string[]> => {
  const key = 'federation.allowed'
  const db = openDb(database.reveal(), { max: 1, name: 'wardroom-start' })
  try {
    const { rows } = await db.raw("select to_regclass('setting_history') is not null as there")
    if (rows[0]?.there && (await settingHistory(db, { key, limit: 1 })).length > 0) return (await readSettings(db))[key]
  } finally {
    await db.destroy()
  }
  const value = settingOf(key).kind.parse(starting[key] ?? '')
  return isRefusal(value) ? [] : (value as readonly string[])
}
