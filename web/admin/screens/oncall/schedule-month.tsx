import type { JSX } from 'preact'
import type { Schedule } from '../../../oncall-contract.ts'
import { text } from '../../oncall-text.ts'
import { type Day, DayEntries } from './day-entries.tsx'
import { dayName, dayNumber, weekdayShort } from './times.ts'

const words = text.schedule

/** Monday 0 … Sunday 6, of an ISO day. */
const weekdayOf = (day: string): number => (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7

const weekdays = ['2026-11-16', '2026-11-17', '2026-11-18', '2026-11-19', '2026-11-20', '2026-11-21', '2026-11-22']

/** The days in weeks from Monday on; undefined for those of another month. */
const weeksOf = (days: readonly Day[]): (Day | undefined)[][] => {
  const weeks: (Day | undefined)[][] = []
  for (const day of days) {
    const at = weekdayOf(day.day)
    let week = weeks.at(-1)
    if (!week || at === 0 || week[at] !== undefined) {
      week = new Array<Day | undefined>(7).fill(undefined)
      weeks.push(week)
    }
    week[at] = day
  }
  return weeks
}

/** A month as a calendar; on a phone a list of days. */
export const ScheduleMonth = ({ data }: { data: Schedule }): JSX.Element => (
  <section class="panel">
    <table class="month">
      <caption class="unseen">{words.days}</caption>
      <thead>
        <tr>
          {weekdays.map(day => (
            <th key={day} scope="col">
              {weekdayShort(day)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {weeksOf(data.days).map((week, w) => (
          <tr key={week.find(d => d)?.day ?? w}>
            {week.map((day, i) =>
              day ? (
                <td key={day.day} class={day.day === data.today ? 'today' : ''}>
                  <p class="date">
                    <span aria-hidden="true" class="date-short">
                      {dayNumber(day.day)}
                    </span>
                    <span class="date-long">{dayName(day.day)}</span>
                  </p>
                  <DayEntries day={day} data={data} brief />
                </td>
              ) : (
                <td key={weekdays[i]} class="no-day" />
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  </section>
)
