import type { Content, Item, Lang, Mark, Talk, Team } from './item.ts'
import type { TalkWords } from './text/en.ts'

export type Row =
  | { kind: 'day'; key: string; label: string }
  | {
      kind: 'message'
      key: string
      id: string
      mine: boolean
      /** The sender's name and role, only on the first message of a run by the same person. */
      from: { name: string; role: string } | null
      /** The name for the screen reader, on every message. */
      who: string
      content: Content
      quote: { who: string; body: string } | null
      time: string
      notes: string[]
      reactions: string[]
      /** Said by the system: drawn as a note. */
      automatic: boolean
      mark: Mark
      /** The words of the mark; only the last message of an unbroken run of the same mark shows them. */
      markText: string | null
    }

export type TalkView = { rows: Row[]; older: Talk['older']; lastId: string | null; lastFromTeam: string | null }

export type ViewInput = { talk: Talk; team: Team; lang: Lang; words: TalkWords; now: number; timeZone?: string }

const runGap = 5 * 60_000
const locales: Record<Lang, string> = { en: 'en-US', es: 'es-US' }

/** The rows of the message list: day separators, runs of one sender, times and marks in words. Pure. */
export const talkView = ({ talk, team, lang, words, now, timeZone }: ViewInput): TalkView => {
  const zone = timeZone === undefined ? {} : { timeZone }
  const time = new Intl.DateTimeFormat(locales[lang], { hour: 'numeric', minute: '2-digit', ...zone })
  const dayKey = new Intl.DateTimeFormat('en-CA', { year: 'numeric', month: '2-digit', day: '2-digit', ...zone })
  const dayName = new Intl.DateTimeFormat(locales[lang], { weekday: 'long', month: 'long', day: 'numeric', ...zone })
  const oldDay = new Intl.DateTimeFormat(locales[lang], { month: 'long', day: 'numeric', year: 'numeric', ...zone })
  const today = dayKey.format(now)
  const yesterday = dayKey.format(now - 86_400_000)
  const dayLabel = (at: number, key: string): string =>
    key === today
      ? words.today
      : key === yesterday
        ? words.yesterday
        : (now - at < 300 * 86_400_000 ? dayName : oldDay).format(at)
  const known = (id: string, automatic = false) =>
    team[id] ?? { name: automatic ? words.automatic : words.someone, role: '' }
  const nameOf = (id: string, automatic = false) => (id === talk.me ? words.you : known(id, automatic).name)

  const rows: Row[] = []
  let previous: Item | null = null
  let previousDay = ''
  talk.items.forEach((item, index) => {
    const day = dayKey.format(item.at)
    const newDay = day !== previousDay
    if (newDay) rows.push({ kind: 'day', key: `day-${day}-${item.id}`, label: capital(dayLabel(item.at, day)) })
    const mine = item.sender === talk.me
    const sameRun = !newDay && previous?.sender === item.sender && item.at - previous.at < runGap
    rows.push({
      kind: 'message',
      key: item.key ?? item.id,
      id: item.id,
      mine,
      from: mine || sameRun ? null : known(item.sender, item.automatic),
      who: nameOf(item.sender, item.automatic),
      content: item.content,
      quote: item.quote ? { who: words.answerTo(nameOf(item.quote.sender)), body: item.quote.body } : null,
      time: time.format(item.at),
      notes: [...(item.edited ? [words.edited] : []), ...(item.bySms ? [words.bySms] : [])],
      reactions: item.reactions ?? [],
      automatic: item.automatic === true,
      mark: item.mark,
      markText: mine && showsMark(talk, index) ? markText(item.mark, words) : null,
    })
    previous = item
    previousDay = day
  })
  const fromTeam = talk.items.findLast(item => item.sender !== talk.me)
  return { rows, older: talk.older, lastId: talk.items.at(-1)?.id ?? null, lastFromTeam: fromTeam?.id ?? null }
}

const markText = (mark: Mark, words: TalkWords): string | null =>
  ({ received: null, sending: words.sending, sent: words.sent, read: words.read, failed: words.failed })[mark]

const showsMark = (talk: Talk, index: number): boolean => {
  const item = talk.items[index]!
  if (item.mark === 'failed' || item.mark === 'sending') return true
  const next = talk.items.slice(index + 1).find(later => later.sender === talk.me)
  return next === undefined || next.mark !== item.mark
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/**
 * Marks as read what another member has read: everything of ours up to the last of their receipts. `order` has the id of every event of the room,
 * messages or not; `receipts` maps a user to the event that they have read up to.
 */
export const withReadMarks = (items: Item[], order: string[], receipts: Record<string, string>, me: string): Item[] => {
  const place = new Map(order.map((id, index) => [id, index]))
  const others = Object.entries(receipts).filter(([user]) => user !== me)
  const upTo = Math.max(-1, ...others.map(([, event]) => place.get(event) ?? -1))
  return items.map(item =>
    item.mark === 'sent' && (place.get(item.id) ?? Number.POSITIVE_INFINITY) <= upTo ? { ...item, mark: 'read' } : item,
  )
}

/** A size in words, e.g. `340 kB` or `2.1 MB`. */
export const sizeText = (bytes: number, lang: Lang, words: TalkWords): string => {
  if (bytes <= 0) return ''
  const mb = bytes / 1_000_000
  const number = new Intl.NumberFormat(locales[lang], { maximumFractionDigits: mb >= 1 ? 1 : 0 })
  return mb >= 1
    ? `${number.format(mb)} ${words.unit.mb}`
    : `${number.format(Math.max(1, bytes / 1000))} ${words.unit.kb}`
}

/** Seconds as `1:05`. */
export const clockText = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`
