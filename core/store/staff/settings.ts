import type { Knex } from 'knex'
import type { Instant } from '../../domain/clock.ts'
import { isRefusal } from '../../domain/refusal.ts'
import {
  isSettingKey,
  type SettingKey,
  type Settings,
  settingKeys,
  settingOf,
  settingsFrom,
} from '../../domain/settings/settings.ts'
import type { Tx } from '../tx.ts'

/** Every setting's value as it is now. Values that this version cannot use have their default; `unusableSettings` names them. */
export const readSettings = async (sql: Knex): Promise<Settings> => {
  const rows: { key: string; value: unknown }[] = await sql('setting').select('key', 'value')
  return settingsFrom(Object.fromEntries(rows.map(r => [r.key, r.value])))
}

/** Keys that are stored with a value that this version does not accept. */
export const unusableSettings = async (sql: Knex): Promise<SettingKey[]> => {
  const rows: { key: string; value: unknown }[] = await sql('setting').select('key', 'value')
  const stored = new Map(rows.map(r => [r.key, r.value]))
  return settingKeys.filter(k => stored.has(k) && settingOf(k).kind.revive(stored.get(k)) === undefined)
}

/** A setting's stored text, or null where the default applies. */
export const storedSetting = async (sql: Knex, key: SettingKey): Promise<string | null> => {
  const row = await sql('setting').where({ key }).first('value')
  return row ? String(row.value) : null
}

/** One change: `before` and `after` as text in the setting's own form; null is "not set, the default applied". `n` counts up over all settings. */
export type SettingChange = {
  n: number
  key: string
  before: string | null
  after: string | null
  at: Instant
  by: string
  approvedBy: string | null
}

/**
 * Sets `key` to `value` (null: back to the default) with its history and audit event, in the caller's transaction. `value` must come from the setting's own
 * `kind.parse`. Returns the change, or null when nothing changes.
 */
export const changeSetting = async <K extends SettingKey>(
  tx: Tx,
  change: { key: K; value: Settings[K] | null; by: string; approvedBy?: string | null },
): Promise<SettingChange | null> => {
  const { key, by } = change
  const approvedBy = change.approvedBy ?? null
  const after = change.value === null ? null : settingOf(key).kind.show(change.value)
  await tx.sql.raw('select pg_advisory_xact_lock(hashtext(?))', [`setting:${key}`])
  const before = await storedSetting(tx.sql, key)
  if (before === after) return null
  if (after === null) await tx.sql('setting').where({ key }).delete()
  else
    await tx
      .sql('setting')
      .insert({ key, value: JSON.stringify(after), changed_at: tx.now, changed_by: by })
      .onConflict('key')
      .merge()
  const json = (v: string | null) => (v === null ? null : JSON.stringify(v))
  const [entry] = await tx
    .sql('setting_history')
    .insert({
      key,
      before: json(before),
      after: json(after),
      changed_at: tx.now,
      changed_by: by,
      approved_by: approvedBy,
    })
    .returning('id')
  const n = Number(entry.id)
  await tx.audit({
    actor: { kind: by.startsWith('@') ? 'user' : 'service', id: by },
    action: 'config.change',
    object: { kind: 'setting', id: key },
    outcome: 'done',
    detail: { before, after, change: n, approved_by: approvedBy },
  })
  await tx.sql.raw(`select pg_notify('settings', ?)`, [key])
  return { n, key, before, after, at: tx.now, by, approvedBy }
}

/** The configuration's starting values (as typed in the file): written once, and only where a setting was never changed. Returns the keys that were new. */
export const seedSettings = async (tx: Tx, values: Readonly<Record<string, string>>): Promise<SettingKey[]> => {
  const seeded: SettingKey[] = []
  for (const [key, text] of Object.entries(values)) {
    if (!isSettingKey(key)) throw new Error(`the configuration has no setting ${key}`)
    const value = settingOf(key).kind.parse(text)
    if (isRefusal(value)) throw new Error(`the configuration's ${key} is not usable: ${value.sentence}`)
    if (await tx.sql('setting_history').where({ key }).first('id')) continue
    if (await changeSetting(tx, { key, value: value as Settings[typeof key], by: 'configuration' })) seeded.push(key)
  }
  return seeded
}

type HistoryRow = {
  id: number
  key: string
  before: unknown
  after: unknown
  changed_at: number
  changed_by: string
  approved_by: string | null
}
const toChange = (r: HistoryRow): SettingChange => ({
  n: Number(r.id),
  key: r.key,
  before: r.before === null ? null : String(r.before),
  after: r.after === null ? null : String(r.after),
  at: r.changed_at,
  by: r.changed_by,
  approvedBy: r.approved_by,
})

/** The latest changes, newest first; of one key where given. */
export const settingHistory = async (
  sql: Knex,
  { key, limit = 20 }: { key?: SettingKey; limit?: number },
): Promise<SettingChange[]> => {
  const rows: HistoryRow[] = await sql('setting_history')
    .modify(q => (key ? q.where({ key }) : q))
    .orderBy('id', 'desc')
    .limit(limit)
  return rows.map(toChange)
}

/** One change by its number. */
export const settingChange = async (sql: Knex, n: number): Promise<SettingChange | undefined> => {
  const row: HistoryRow | undefined = await sql('setting_history').where({ id: n }).first()
  return row ? toChange(row) : undefined
}
