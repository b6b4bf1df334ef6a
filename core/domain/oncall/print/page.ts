import type { Instant } from '../../clock.ts'
import { escapeHtml } from '../../records/export-page.ts'
import { type Priority, priorities } from '../paging/priority.ts'
import type { Segment } from '../schedule/schedule.ts'
import { showTime } from '../words/time-words.ts'
import type { Zones } from '../zones.ts'
import { style } from './style.ts'

/** A number to dial (E.164) and how people read it. */
export type PrintedPhone = { e164: string; shown: string }

/** Whom a schedule names. `phone`: null where they gave none. `role`: it is another role, whose people stand in its own table. `left`: holds no role of the clinic any more. */
export type PrintedPerson = { name: string; phone: PrintedPhone | null; role?: true; left?: true }

/** `segments`: who is on from `from` to `to` of the page, without a gap (`shifts`). `waits`: how long its pages wait for an answer before they call again, ms. */
export type PrintedRole = {
  key: string
  name: string
  zone: string
  fallback: string
  segments: readonly Segment[]
  waits: Readonly<Record<Priority, number>>
}

/** `people`: everybody whom `roles` name, by the name that the schedules use. `zone` is the clinic's. */
export type PrintedDuties = {
  clinic: string
  switchboard: PrintedPhone | null
  madeAt: Instant
  to: Instant
  zone: string
  roles: readonly PrintedRole[]
  people: ReadonlyMap<string, PrintedPerson>
  zones: Zones
}

type Row = { from: Instant; to: Instant; people: readonly string[]; gap: boolean }

/** Segments in which the same people are on are one row, whatever put them on. */
const rowsOf = (segments: readonly Segment[]): Row[] => {
  const rows: Row[] = []
  for (const s of segments) {
    const people = [...new Set([s.person, ...s.also.map(a => a.person)])]
    const gap = s.why.by === 'fallback'
    const last = rows.at(-1)
    const same = last && last.gap === gap && last.people.join(' ') === people.join(' ')
    if (same) last.to = s.to
    else rows.push({ from: s.from, to: s.to, people, gap })
  }
  return rows
}

/** Minutes ahead of UTC. */
const offset = (at: Instant, zone: string, zones: Zones): number => zones.wall(at, zone) - Math.floor(at / 60_000)

const offsetWords = (minutes: number): string => {
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
  return `UTC${minutes < 0 ? '−' : '+'}${hours}${rest === 0 ? '' : `:${String(rest).padStart(2, '0')}`}`
}

const call = (phone: PrintedPhone): string =>
  `<a class="tel" href="tel:${escapeHtml(phone.e164)}">${escapeHtml(phone.shown)}</a>`

const personOf = (d: PrintedDuties, id: string): string => {
  const p = d.people.get(id) ?? { name: id, phone: null }
  const without = p.role
    ? 'see that role'
    : p.left
      ? 'not here any more: call the fallback'
      : 'no number: ask the switchboard'
  const number = p.phone ? call(p.phone) : `<em>${without}</em>`
  return `<span class="person"><strong>${escapeHtml(p.name)}</strong> ${number}</span>`
}

const peopleOf = (d: PrintedDuties, r: Row): string => {
  const people = r.people.map(p => personOf(d, p)).join('')
  return r.gap ? `<span class="nobody">Nobody is on. Call the fallback:</span>${people}` : people
}

const table = (head: readonly string[], rows: readonly string[], caption: string): string =>
  `<table><caption>${caption}</caption><thead><tr>${head.map(h => `<th scope="col">${h}</th>`).join('')}</tr></thead><tbody>
${rows.join('\n')}
</tbody></table>`

const onNow = (d: PrintedDuties): string => {
  const rows = d.roles.map(r => {
    const [now] = rowsOf(r.segments)
    const name = escapeHtml(r.name)
    const where = r.zone === d.zone ? '' : ` (${escapeHtml(r.zone)})`
    const handoff = now && now.to < d.to ? `until ${showTime(now.to, r.zone, d.zones)}${where}` : 'the whole week'
    const then = `<span class="then">No answer: the fallback</span>${personOf(d, r.fallback)}`
    const until = `<span class="when">${handoff}</span>`
    return `<tr><th scope="row">${name}</th><td>${now ? peopleOf(d, now) : ''}${until}${now?.gap ? '' : then}</td></tr>`
  })
  return table(['Role', 'Whom to call'], rows, `When this page was made, ${madeWords(d)}`)
}

const week = (d: PrintedDuties, r: PrintedRole): string => {
  const rows = rowsOf(r.segments)
  const changes = new Set([...rows.map(x => x.from), d.to].map(at => offset(at, r.zone, d.zones))).size > 1
  const time = (at: Instant) =>
    `${showTime(at, r.zone, d.zones)}${changes ? ` (${offsetWords(offset(at, r.zone, d.zones))})` : ''}`
  const note = changes
    ? '<p class="note">The clocks change in this week: each time says how far it is from UTC.</p>'
    : ''
  const end = (to: Instant) => (to >= d.to ? 'the end of this page' : time(to))
  const lines = rows.map(
    x =>
      `<tr${x.gap ? ' class="gap"' : ''}><th scope="row">${time(x.from)}<br>to ${end(x.to)}</th><td>${peopleOf(d, x)}</td></tr>`,
  )
  return `<section><h2>${escapeHtml(r.name)}</h2>
<p>Fallback: ${personOf(d, r.fallback)}</p>
<p>No answer: call again after ${waitWords(r.waits)}.</p>${note}
${table(['When', 'Who is on'], lines, `Times in ${escapeHtml(r.zone)}`)}</section>`
}

/** How long a role waits by itself before it calls again: the same by hand. */
const waitWords = (waits: PrintedRole['waits']): string =>
  [...priorities]
    .sort((a, b) => waits[a] - waits[b])
    .map(p => `${p} ${waits[p] < 60_000 ? `${Math.round(waits[p] / 1000)} seconds` : minutesWords(waits[p])}`)
    .join(', ')
const minutesWords = (ms: number): string => {
  const minutes = Math.round(ms / 60_000)
  return `${minutes} ${minutes === 1 ? 'minute' : 'minutes'}`
}

const byHand = (d: PrintedDuties): string => {
  const board = d.switchboard ? ` (${call(d.switchboard)})` : ''
  return `<section><h2>How to page by hand when chat is down</h2>
<ol><li>Find the role and call whoever is on at this time. Let it ring for half a minute; then send a text.</li>
<li>Say who you are, where you are, how urgent it is (routine, urgent or stat), and the number to call back. Nothing about a patient goes into a text or onto voicemail: “Urgent page. Call …”.</li>
<li>Whoever answers says “I have it”. Only then is the page taken.</li>
<li>No answer or no call back in the time that stands with the role: call once more, then the fallback. Stat: call the person on and the fallback at once.</li>
<li>Nobody answers: the switchboard${board}, and the clinic’s emergency procedure.</li>
<li>Write down when you called whom, and who took it. Enter it in chat when chat is back: pages that were open may be answered there as well.</li></ol></section>`
}

const madeWords = (d: PrintedDuties): string =>
  `${showTime(d.madeAt, d.zone, d.zones)} (${escapeHtml(d.zone)}, ${offsetWords(offset(d.madeAt, d.zone, d.zones))})`

const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

/** Who is on call, as a page of its own that is printed and kept where chat is not needed: HTML without script, nothing from elsewhere. */
export const printedPage = (d: PrintedDuties): string => {
  const title = `On call, ${escapeHtml(d.clinic)}`
  const none = '<p>There are no on-call roles yet.</p>'
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light"><meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${title}</title><style>${style}</style></head><body><main>
<h1>${title}</h1>
<p class="made">Made <strong>${madeWords(d)}</strong>; it reaches until ${showTime(d.to, d.zone, d.zones)}. Schedules change: keep the newest page, destroy older ones. It has private numbers of staff: for the switchboard and the wards only.</p>
${d.roles.length === 0 ? none : `<section><h2>On call now</h2>\n${onNow(d)}</section>`}
${byHand(d)}
${d.roles.map(r => week(d, r)).join('\n')}
</main></body></html>
`
}
