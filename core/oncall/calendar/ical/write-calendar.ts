import { createHash } from 'node:crypto'
import type { Instant } from '../../../domain/clock.ts'
import { basicTime } from './values.ts'

/** One event of a feed. `summary` is what a calendar shows, `name` who is on duty; nothing else of ours leaves, and nothing of a patient's is there to leave. */
export type FeedShift = {
  /** Whole seconds, as every instant here: iCalendar knows no others. */
  from: Instant
  to: Instant
  name: string
  uid: string
  summary: string
  /** How often this UID's event was changed; 0 unless given. */
  sequence?: number
  /** When it was last changed: its DTSTAMP, so that an unchanged feed is the same to the byte. */
  changedAt: Instant
}

export type Feed = {
  /** What calendar programs call the subscription, e.g. `Cardiology on call`. */
  title: string
  /** How often programs should look again. */
  refreshMinutes: number
}

/** A UID that stays the same as long as the person's duty begins at the same instant, and that tells no one who it is. `host` is the clinic's server name. */
export const feedUid = (scope: string, duty: { person: string; from: Instant }, host: string): string =>
  `${createHash('sha256')
    .update(JSON.stringify([scope, duty.person, duty.from]))
    .digest('hex')
    .slice(0, 32)}@${host}`

/** A text as a feed can carry it: whole characters, control characters and line ends as spaces, trimmed. */
export const feedText = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\uFEFF]+/gu, ' ')
    .trim()

const escaped = (text: string): string => feedText(text).replace(/[\\;,]/g, mark => `\\${mark}`)

const octets = (text: string) => Buffer.byteLength(text, 'utf8')

/** Breaks a line so that none is longer than 75 octets, between characters (RFC 5545 3.1). */
const folded = (line: string): string => {
  if (octets(line) <= 75) return line
  const lines: string[] = []
  let part = ''
  let size = 0
  for (const character of line) {
    const more = octets(character)
    if (size + more > 75) {
      lines.push(part)
      part = ' '
      size = 1
    }
    part += character
    size += more
  }
  return [...lines, part].join('\r\n')
}

const utc = (at: Instant): string => `${basicTime(at)}Z`

const eventOf = (shift: FeedShift): string[] => [
  'BEGIN:VEVENT',
  `UID:${escaped(shift.uid)}`,
  `DTSTAMP:${utc(shift.changedAt)}`,
  `LAST-MODIFIED:${utc(shift.changedAt)}`,
  `SEQUENCE:${shift.sequence ?? 0}`,
  `DTSTART:${utc(shift.from)}`,
  `DTEND:${utc(shift.to)}`,
  `SUMMARY:${escaped(shift.summary)}`,
  ...(feedText(shift.name) === feedText(shift.summary) ? [] : [`X-WARDROOM-NAME;VALUE=TEXT:${escaped(shift.name)}`]),
  'STATUS:CONFIRMED',
  // Being on call does not make somebody busy for a meeting.
  'TRANSP:TRANSPARENT',
  'END:VEVENT',
]

/** The duties as an iCalendar feed (RFC 5545, RFC 7986) that calendar programs subscribe to: UTC times, each shift an event of its own, in the order given. `readCalendar` reads the same shifts from it. */
export const writeCalendar = (shifts: readonly FeedShift[], feed: Feed): string => {
  const refresh = `PT${Math.max(1, Math.round(feed.refreshMinutes))}M`
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Wardroom//On call//EN',
    'CALSCALE:GREGORIAN',
    'METHOD:PUBLISH',
    `NAME:${escaped(feed.title)}`,
    `X-WR-CALNAME:${escaped(feed.title)}`,
    `REFRESH-INTERVAL;VALUE=DURATION:${refresh}`,
    `X-PUBLISHED-TTL:${refresh}`,
    ...shifts.flatMap(eventOf),
    'END:VCALENDAR',
  ]
  return `${lines.map(folded).join('\r\n')}\r\n`
}
