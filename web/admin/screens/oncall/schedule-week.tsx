import type { JSX } from 'preact'
import type { Schedule, Span } from '../../../oncall-contract.ts'
import { text } from '../../oncall-text.ts'
import { Tag } from '../../parts/state.tsx'
import { DayEntries } from './day-entries.tsx'
import { isGap, nameOf } from './parts.tsx'
import { clockIn, dayName, dayNumber, weekdayShort } from './times.ts'

const words = text.schedule

type Block = Span & { words: string; look: string }
type Row = { name: string; blocks: Block[] }

/** People keep their colour through the week; it says nothing that their name does not. */
const coloursOf = (data: Schedule): ((person: string) => string) => {
  const people = [
    ...new Set([
      ...data.on.flatMap(s => s.duty.map(d => d.person)),
      ...data.layers.flatMap(l => l.shifts.map(s => s.person)),
    ]),
  ]
  return person => `person-${people.indexOf(person) % 6}`
}

const rowsOf = (data: Schedule): Row[] => {
  const colour = coloursOf(data)
  const name = (id: string) => nameOf(data.names, id)
  return [
    {
      name: words.onCall,
      blocks: data.on.map(s => ({
        ...s,
        words: isGap(s.duty) ? text.gap : s.duty.map(d => name(d.person)).join(', '),
        look: isGap(s.duty) ? 'block-gap' : colour(s.duty[0]?.person ?? ''),
      })),
    },
    ...data.layers.map(l => ({
      name: words.layer(l.id),
      blocks: l.shifts.map(s => ({ ...s, words: name(s.person), look: `${colour(s.person)} faint` })),
    })),
    {
      name: words.byHand,
      blocks: data.changes.map(c => ({
        ...c,
        words: words.how[c.kind](
          c.person === null ? '' : name(c.person),
          c.replaces === null ? undefined : name(c.replaces),
        ),
        look: 'block-hand',
      })),
    },
    { name: words.away, blocks: data.absences.map(a => ({ ...a, words: name(a.person), look: 'block-away' })) },
  ].filter(row => row.blocks.length > 0)
}

/** A week at a glance, and day by day. */
export const ScheduleWeek = ({ data }: { data: Schedule }): JSX.Element => {
  const length = data.to - data.from
  const place = ({ from, to }: Span) => {
    const [first, last] = [Math.max(from, data.from), Math.min(to, data.to)]
    return { left: `${(100 * (first - data.from)) / length}%`, width: `${(100 * (last - first)) / length}%` }
  }
  const clock = clockIn(data.role.zone)
  return (
    <>
      <section class="panel">
        <div class="glance" role="img" aria-label={words.chart}>
          <div class="glance-row glance-head">
            <span class="glance-name" />
            <div class="glance-bar">
              {data.days.map(day => (
                <span key={day.day} class={`glance-day ${day.day === data.today ? 'now' : ''}`} style={place(day)}>
                  {weekdayShort(day.day)}
                  <br />
                  {dayNumber(day.day)}
                </span>
              ))}
            </div>
          </div>
          {rowsOf(data).map(row => (
            <div key={row.name} class="glance-row">
              <span class="glance-name">{row.name}</span>
              <div class="glance-bar">
                {data.days.slice(1).map(day => (
                  <span key={day.day} class="glance-line" style={{ left: place(day).left }} />
                ))}
                {row.blocks.map(b => (
                  <span
                    key={`${b.from} ${b.words}`}
                    class={`block ${b.look}`}
                    style={place(b)}
                    title={`${b.words}, ${clock.both(b.from)} – ${clock.both(b.to)}`}
                  >
                    <span>{b.words}</span>
                  </span>
                ))}
                {data.now >= data.from && data.now < data.to ? (
                  <span class="glance-now" style={{ left: place({ from: data.now, to: data.now }).left }} />
                ) : null}
              </div>
            </div>
          ))}
        </div>
      </section>
      <section class="panel">
        <h2>{words.days}</h2>
        <div class="week-days">
          {data.days.map(day => (
            <section key={day.day} class="week-day">
              <h3>
                {dayName(day.day)} {day.day === data.today ? <Tag tone="plain">{words.today}</Tag> : null}
              </h3>
              <DayEntries day={day} data={data} />
            </section>
          ))}
        </div>
      </section>
    </>
  )
}
