import { isPriority, type Priority } from './paging/priority.ts'

/** The reaction that calls the role of the patient's unit, where nothing else is listed for it. */
export const callReaction = '📟'

/** Whom a reaction calls: a role by its key, or (null) the one role of the patient's unit. */
export type Call = { role: string | null; priority: Priority }

type Listed = { key: string; role: string; priority: Priority }

/** The signs that ask for colours, or for a shade of skin, make no other reaction of it. */
const bare = (key: string): string => key.replace(/[\ufe0e\ufe0f]|\ud83c[\udffb-\udfff]/g, '')

/** One entry of the setting: `🫀 cardiology`, `🚨 icu stat` (urgent where nothing else stands there). Undefined: it is none. */
export const readListedCall = (entry: string): Listed | undefined => {
  const [key = '', role = '', priority = 'urgent', more] = entry.trim().split(/\s+/)
  const isKey = key.length > 0 && [...key].length <= 12 && !/[\p{L}\p{N}]/u.test(bare(key))
  if (!isKey || !/^[a-z][a-z0-9_-]{1,39}$/.test(role) || !isPriority(priority) || more !== undefined) return undefined
  return { key: bare(key), role, priority }
}

/** What a reaction of somebody of the staff in a care room calls; undefined where it is only a reaction. `listed`: the setting `oncall.call_reactions`. */
export const calledBy = (key: unknown, listed: readonly string[]): Call | undefined => {
  if (typeof key !== 'string' || key.length > 60) return undefined
  const entry = listed.map(readListedCall).find(l => l?.key === bare(key))
  if (entry) return { role: entry.role, priority: entry.priority }
  return bare(key) === callReaction ? { role: null, priority: 'urgent' } : undefined
}
