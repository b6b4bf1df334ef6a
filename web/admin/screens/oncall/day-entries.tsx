import type { JSX } from 'preact'
import type { Schedule, Span } from '../../../oncall-contract.ts'
import { text } from '../../oncall-text.ts'
import { isGap, nameOf, Why } from './parts.tsx'
import { clockIn } from './times.ts'

const words = text.schedule
const hour = 3_600_000

export type Day = Schedule['days'][number]

/** What a day has of something, cut to it. */
export const within = <T extends Span>(day: Span, spans: readonly T[]): T[] =>
  spans
    .filter(s => s.from < day.to && s.to > day.from)
    .map(s => ({ ...s, from: Math.max(s.from, day.from), to: Math.min(s.to, day.to) }))

/** A day in which the clocks change has another length than 24 hours. */
export const oddHours = (day: Span): string | null => {
  const hours = (day.to - day.from) / hour
  return hours === 24 ? null : String(Math.round(hours * 100) / 100)
}

/** `08:00–19:00`, with the offset from UTC on a day in which the clocks change; the end of a day is 24:00. */
export const timesWithin = (day: Day, { from, to }: Span, zone: string): string => {
  if (from <= day.from && to >= day.to) return words.allDay
  const clock = clockIn(zone)
  const time = to - from < 60_000 ? clock.hms : oddHours(day) === null ? clock.hm : clock.withOffset
  return `${time(from)}–${to >= day.to ? '24:00' : time(to)}`
}

/** Who is on in a day, one line for each stretch; where the past is not known, that. */
export const DayEntries = ({ day, data, brief }: { day: Day; data: Schedule; brief?: true }): JSX.Element => {
  const { names, role } = data
  const on = within(day, data.on)
  const away = within(day, data.absences)
  const odd = oddHours(day)
  const unknownTo = Math.min(on[0]?.from ?? day.to, day.to)
  return (
    <>
      {odd === null ? null : <p class="clocks">{words.changesClocks(odd)}</p>}
      <ol class="entries-of-day">
        {unknownTo > day.from ? <li class="hint">{brief ? words.unknownShort : words.unknown}</li> : null}
        {on.map(s => (
          <li key={s.from} class={isGap(s.duty) ? 'gap' : ''}>
            <span class="at">{timesWithin(day, s, role.zone)}</span>
            <span class="on">
              <strong>{s.duty.map(d => nameOf(names, d.person)).join(', ')}</strong>{' '}
              {!brief && s.duty[0]?.reason.by === 'layer' ? (
                <span class="hint">{words.layer(s.duty[0].reason.id ?? '').toLowerCase()}</span>
              ) : null}{' '}
              <Why duty={s.duty} />
            </span>
          </li>
        ))}
        {away.map(a => (
          <li key={`${a.id} ${a.from}`} class="away">
            <span class="at">{timesWithin(day, a, role.zone)}</span>
            <span class="on">{words.awayShort(nameOf(names, a.person))}</span>
          </li>
        ))}
      </ol>
    </>
  )
}
