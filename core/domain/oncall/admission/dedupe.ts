import { type Instant, minutes, seconds } from '../../clock.ts'
import type { Phase } from '../paging/page.ts'
import { isHigher, type Priority } from '../paging/priority.ts'

/** What makes two messages or alarms one: the source's own key where it gives one; otherwise what, where and for whom. */
export type Incoming = {
  source: string
  /** Whom the page is for, as written in the policy: `role cardiology`. */
  target: string
  key?: string
  /** The kind of alarm or the words of the message, and the place or patient: compared, and never shown. */
  what: string
  where?: string
  priority: Priority
}

/** Tells duplicates; to be hashed before it is stored, because it may hold words. Fields cannot run into one another. */
export const correlationKey = (i: Incoming): string => {
  const norm = (s: string) => s.normalize('NFKC').trim().toLowerCase().replace(/\s+/gu, ' ')
  return JSON.stringify(
    i.key === undefined
      ? ['content', i.source, i.target, norm(i.what), norm(i.where ?? '')]
      : ['key', i.source, i.target, i.key],
  )
}

/** An earlier page of the same source and target, with what it was for. */
export type Earlier = {
  id: string
  key: string
  priority: Priority
  phase: Phase
  createdAt: Instant
}

export type DedupeRules = {
  /** How long after its creation an accepted page still takes duplicates; a page for which somebody is still being called takes them as long as it is. */
  acceptedMs: number
  /** More different keys from one source to one target within `stormMs` than this are one storm. */
  stormAfter: number
  stormMs: number
}
export const dedupeDefaults: DedupeRules = { acceptedMs: minutes(10), stormAfter: 5, stormMs: seconds(60) }

export type Joined = { do: 'new' } | { do: 'join'; page: string; because: 'duplicate' | 'storm'; raise: boolean }

/** One that was called out in vain calls nobody any more: what joined it would reach nobody. */
const isAlive = (p: Phase): boolean => p !== 'resolved' && p !== 'accepted' && p !== 'exhausted'

/**
 * A page of its own, or one more of an earlier page (row 39): the same key, or one of a storm. `raise`: the newcomer is of a higher priority, which the page
 * takes over. A stat item is never hidden behind a page that somebody has accepted as something less, nor behind a storm that is not itself ringing as stat.
 */
export const dedupe = (
  incoming: Pick<Incoming, 'priority'> & { key: string },
  earlier: readonly Earlier[],
  rules: DedupeRules,
  now: Instant,
): Joined => {
  const { key, priority } = incoming
  // A clock that went back makes a page look as if it came from the future: it is as new as can be.
  const age = (p: Earlier) => Math.max(0, now - p.createdAt)
  const newest = [...earlier].sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
  const same = newest.find(
    p =>
      p.key === key &&
      (isAlive(p.phase) || (p.phase === 'accepted' && age(p) <= rules.acceptedMs && !isHigher(priority, p.priority))),
  )
  if (same) return { do: 'join', page: same.id, because: 'duplicate', raise: isHigher(priority, same.priority) }
  const recent = newest.filter(p => age(p) <= rules.stormMs)
  if (new Set(recent.map(p => p.key)).size < rules.stormAfter) return { do: 'new' }
  const host = recent.find(p => p.phase === 'open' && (priority === 'stat' ? p.priority === 'stat' : true))
  return host
    ? { do: 'join', page: host.id, because: 'storm', raise: isHigher(priority, host.priority) }
    : { do: 'new' }
}
