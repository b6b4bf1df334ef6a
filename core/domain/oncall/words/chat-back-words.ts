import { type Instant, minutes } from '../../clock.ts'
import type { Page } from '../paging/page.ts'
import type { Wording } from '../paging/page-words.ts'

/** A page that went on while chat was away. `target`: the role's key or the person's name. */
export type PageMeanwhile = { page: Page; target: string }

const state = ({ phase, acceptedBy }: Page, w: Wording): string => {
  const has = acceptedBy.map(w.name).join(' and ')
  if (phase === 'resolved') return has === '' ? 'resolved' : `taken by ${has}, resolved`
  if (phase === 'accepted') return `taken by ${has}`
  if (phase === 'exhausted') return 'NOBODY HAS TAKEN IT; the fallback was called'
  if (phase === 'open') return 'is being called now'
  return phase === 'held' ? 'waits for the next digest' : 'waits for its sender’s answer'
}

const most = 30

/** What is said when chat is back: from when to when it was away and what became of each page, by its reference; never what a page is about. */
export const chatBackWords = (
  { from, until, pages }: { from: Instant; until: Instant; pages: readonly PageMeanwhile[] },
  w: Wording,
): string => {
  const lines = pages.slice(0, most).map(p => `${p.page.ref} (${p.page.priority}, ${p.target}): ${state(p.page, w)}`)
  const lasted = until - from
  const when =
    lasted < minutes(1)
      ? `for ${Math.max(1, Math.round(lasted / 1000))} seconds at ${w.time(until)}`
      : `from ${w.time(from)} to ${w.time(until)}`
  return [
    `Chat was away ${when}. It is back.`,
    pages.length === 0 ? 'No page went out meanwhile.' : 'Meanwhile pages went by text and call:',
    ...lines,
    ...(pages.length > most ? [`… and ${pages.length - most} more: !pages`] : []),
  ].join('\n')
}
