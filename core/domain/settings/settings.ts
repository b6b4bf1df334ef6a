import { catalogue } from './catalogue/index.ts'
import type { Setting } from './setting.ts'

export type SettingKey = keyof typeof catalogue
type ValueOf<S> = S extends Setting<infer T> ? T : never
/** Every setting's value, by key. */
export type Settings = { [K in SettingKey]: ValueOf<(typeof catalogue)[K]> }

export const settingKeys = Object.keys(catalogue) as SettingKey[]
export const isSettingKey = (key: string): key is SettingKey => Object.hasOwn(catalogue, key)

/** One entry of the catalogue with its value's type hidden: for code that handles any setting. */
export const settingOf = (key: SettingKey): Setting<unknown> => catalogue[key] as unknown as Setting<unknown>

/** The values when nothing was ever changed. */
export const defaultSettings = (): Settings =>
  Object.fromEntries(settingKeys.map(k => [k, catalogue[k].default])) as Settings

/** Values from stored text (`show`'s form); a key that is absent, unknown or no longer usable has its default. */
export const settingsFrom = (stored: Readonly<Record<string, unknown>>): Settings =>
  Object.fromEntries(settingKeys.map(k => [k, settingOf(k).kind.revive(stored[k]) ?? catalogue[k].default])) as Settings
