import type { JSX } from 'preact'
import { number } from '../format.ts'
import { UserId } from './user-id.tsx'

/** A row of a bar chart: its words, its figure (as `shown` where given), and how it is made up (shares are drawn one after the other). */
export type Bar = { name: string; value: number; parts?: number[]; note?: string; shown?: string }

/** Bars side by side with their words and figures: the list says by itself what the drawing shows. */
export const Bars = ({ bars, label }: { bars: readonly Bar[]; label: string }): JSX.Element => {
  const most = Math.max(1, ...bars.map(bar => bar.value))
  return (
    <ul class="bars" aria-label={label}>
      {bars.map(bar => (
        <li key={bar.name}>
          <span class="bar-name">
            <UserId id={sentenceCase(bar.name)} />
            {bar.note ? <small>{bar.note}</small> : null}
          </span>
          <span class="bar-figure">{bar.shown ?? number(bar.value)}</span>
          <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">
            <rect class="bar-rail" x="0" y="0" width="100" height="10" />
            {offsets(bar.parts ?? [bar.value]).map(([from, part], i) => (
              <rect
                key={`${i}-${from}`}
                class={`series-${i}`}
                x={(100 * from) / most}
                y="0"
                width={(100 * part) / most}
                height="10"
              />
            ))}
          </svg>
        </li>
      ))}
    </ul>
  )
}

const sentenceCase = (words: string): string =>
  /^[a-z]/.test(words) ? words.replace(/^./, c => c.toUpperCase()) : words

/** Each part with where it begins. */
const offsets = (parts: readonly number[]): [number, number][] => {
  let at = 0
  return parts.map(part => {
    const from = at
    at += part
    return [from, part]
  })
}

/** What the colours mean. */
export const Legend = ({ series }: { series: readonly string[] }): JSX.Element => (
  <p class="legend" aria-hidden="true">
    {series.map((name, i) => (
      <span key={name}>
        <svg viewBox="0 0 10 10" width="14" height="14" aria-hidden="true" focusable="false">
          <rect class={`series-${i}`} width="10" height="10" rx="2" />
        </svg>
        {name}
      </span>
    ))}
  </p>
)

export type Day = { day: string; values: number[] }

/** A month as columns, one a day, its series stacked. Words stand around the drawing, so that a phone shows them as large as any others. */
export const Days = ({
  days,
  series,
  label,
}: {
  days: readonly Day[]
  series: readonly string[]
  label: string
}): JSX.Element => {
  const sums = days.map(d => d.values.reduce((a, b) => a + b, 0))
  const most = niceTop(Math.max(1, ...sums))
  const wide = 10
  const totals = series.map((name, i) => `${name}: ${number(days.reduce((n, d) => n + (d.values[i] ?? 0), 0))}`)
  return (
    <div class="days">
      {series.length > 1 ? <Legend series={series} /> : null}
      <div class="plot">
        <span class="plot-top" aria-hidden="true">
          {number(most)}
        </span>
        <span class="plot-half" aria-hidden="true">
          {number(most / 2)}
        </span>
        <svg
          viewBox={`0 0 ${days.length * wide} 100`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`${label} ${totals.join(', ')}.`}
        >
          <path class="grid" d={`M0 0.500H${days.length * wide}M0 50H${days.length * wide}`} />
          {days.map((day, d) => (
            <g key={day.day}>
              <title>{`${day.day}: ${series.map((name, i) => `${name} ${day.values[i] ?? 0}`).join(', ')}`}</title>
              <rect class="hover" x={d * wide} y="0" width={wide} height="100" />
              {offsets(day.values).map(([from, value], i) => (
                <rect
                  key={series[i]}
                  class={`series-${i}`}
                  x={d * wide + 1.5}
                  width={wide - 3}
                  y={100 - (100 * (from + value)) / most}
                  height={(100 * value) / most}
                />
              ))}
            </g>
          ))}
        </svg>
        <p class="plot-days" aria-hidden="true">
          {days
            .filter((_, i) => i === 0 || (i + 1) % 5 === 0)
            .map(({ day }) => (
              <span key={day}>{Number(day.slice(8))}</span>
            ))}
        </p>
      </div>
    </div>
  )
}

/** The next even number of the form 2, 4, 6, 8, 10, 12, 16, 20 …, so that half of it is whole. */
const niceTop = (most: number): number => {
  for (let unit = 1; ; unit *= 10)
    for (const step of [2, 4, 6, 8, 10, 12, 16]) if (step * unit >= most) return step * unit
}
