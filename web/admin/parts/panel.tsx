import type { ComponentChildren, JSX } from 'preact'
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

/** A month day by day: the drawing, and the same figures as a table below it. */
export const DaysPanel = ({
  title,
  series,
  days,
}: {
  title: string
  series: readonly string[]
  days: readonly Day[]
}): JSX.Element => (
  <Panel title={title}>
    <Days days={days} series={series} label={text.reports.chartOf(title)} />
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
