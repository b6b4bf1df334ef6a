import type { ComponentChildren, JSX } from 'preact'
import { number } from '../format.ts'
import { text } from '../text.ts'
import { type Day, Days } from './charts.tsx'
import { Table } from './table.tsx'

/** A section with a title. */
export const Panel = ({ title, children }: { title: string; children: ComponentChildren }): JSX.Element => (
  <section class="panel">
    <h2>{title}</h2>
    {children}
  </section>
)

type DaysProps = {
  title: string
  series: readonly string[]
  days: readonly Day[]
  /** Series that add up to nothing get a drawing each. */
  apart?: boolean
}

/** A month day by day: the drawing, and the same figures as a table below it. */
export const DaysPanel = ({ title, series, days, apart = false }: DaysProps): JSX.Element => (
  <Panel title={title}>
    {apart ? (
      <div class="small-charts">
        {series.map((name, i) => (
          <div key={name}>
            <h3>
              {name} <span>{number(days.reduce((n, d) => n + (d.values[i] ?? 0), 0))}</span>
            </h3>
            <Days
              days={days.map(d => ({ day: d.day, values: [d.values[i] ?? 0] }))}
              series={[name]}
              label={text.reports.chartOf(title)}
            />
          </div>
        ))}
      </div>
    ) : (
      <Days days={days} series={series} label={text.reports.chartOf(title)} />
    )}
    <details>
      <summary>{text.reports.table}</summary>
      <Table
        caption={title}
        cards={false}
        rows={days}
        columns={[
          { title: text.reports.day, cell: d => d.day },
          ...series.map((name, i) => ({ title: name, cell: (d: Day) => d.values[i] ?? 0, figure: true as const })),
        ]}
      />
    </details>
  </Panel>
)
