import type { Instant } from '../../clock.ts'
import { guardWords } from '../admission/misdirection.ts'
import { type News, nobodySaidSo } from './page.ts'
import { targetWords } from './policy.ts'
import type { Priority } from './priority.ts'

/** How a bot writes people and times: a display name for a person's id, a wall time in the reader's zone. */
export type Wording = { name(person: string): string; time(at: Instant): string }

const priorityWords: Record<Priority, string> = { routine: 'Routine', urgent: 'Urgent', stat: 'STAT' }

const list = (people: readonly string[], w: Wording, last: 'and' | 'or' = 'and'): string => {
  const names = people.map(w.name)
  return names.length < 2 ? (names[0] ?? 'nobody') : `${names.slice(0, -1).join(', ')} ${last} ${names.at(-1)}`
}

const sentence = (news: News, w: Wording): string => {
  switch (news.kind) {
    case 'created':
      return `${priorityWords[news.priority]} page received.`
    case 'guard':
      return `${guardWords(news.reasons, w.name)} ${news.right.length > 0 ? `Page ${list(news.right, w, 'or')} instead?` : 'Page all the same?'}`
    case 'guard_unanswered':
      return `No answer from you: ${list(news.people, w)} ${news.people.length === 1 ? 'is' : 'are'} paged.`
    case 'held':
      return `Goes out at ${w.time(news.until)}. If it cannot wait, raise its priority.`
    case 'asked':
      return `Calling ${list(news.people, w)}.`
    case 'nobody':
      return `Nobody is there for step ${news.step + 1}; going on.`
    case 'quiet':
      return `${w.name(news.person)} is not to be disturbed until ${w.time(news.until)}: the message is in the chat, no call yet.`
    case 'unreachable':
      return `${w.name(news.person)} cannot be reached.`
    case 'accepted':
      return news.need > 1
        ? `${w.name(news.person)} has accepted: ${news.have} of ${news.need}.`
        : `${w.name(news.person)} has accepted.`
    case 'declined':
      return `${w.name(news.person)} has declined.`
    case 'given_back':
      return `${w.name(news.person)} has given the page back; calling others.`
    case 'ignored':
      return `No answer from ${list(news.people, w, 'or')} in time.`
    case 'handing_over':
      return `${w.name(news.from)} is handing over to ${list(news.to, w, 'or')}.`
    case 'handed_over':
      return `${w.name(news.person)} has taken over from ${w.name(news.from)}.`
    case 'handover_failed':
      return `${list(news.to, w, 'and')} did not take over: the page stays with ${w.name(news.from)}.`
    case 'raised':
      return `Raised to ${priorityWords[news.priority].toLowerCase()}.`
    case 'joined':
      return `Joined to a page that is under way, now standing for ${news.count} messages.`
    case 'exhausted':
      return `${news.have > 0 ? `Only ${news.have} of ${news.need} accepted` : 'Nobody accepted'}. Calling the fallback: ${fallbackName(news.fallback, w)}. Call by telephone if it cannot wait.`
    case 'fallback_failed':
      return `The fallback, ${fallbackName(news.fallback, w)}, has not answered or cannot be reached either. Nobody has this page: call by telephone now.`
    case 'resolved':
      return news.by === nobodySaidSo
        ? 'Closed, as nobody said for a long time that it is done.'
        : `Resolved by ${w.name(news.by)}.`
  }
}

const fallbackName = (f: Extract<News, { kind: 'exhausted' }>['fallback'], w: Wording): string =>
  f.kind === 'user' ? w.name(f.user) : targetWords(f)

/** What the sender reads about a page, beginning with its reference: `7Q4K: Ann Lee has accepted.` Never the message itself. */
export const newsWords = (ref: string, news: News, wording: Wording): string => `${ref}: ${sentence(news, wording)}`
