import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Responses as Data, ResponseRow } from '../../../oncall-contract.ts'
import type { Inside } from '../../inside.ts'
import { text } from '../../oncall-text.ts'
import { Bars, Legend } from '../../parts/charts.tsx'
import { Head } from '../../parts/head.tsx'
import { Panel } from '../../parts/panel.tsx'
import { Reading } from '../../parts/state.tsx'
import { Table } from '../../parts/table.tsx'
import { useView } from '../../use-view.ts'
import { brief } from './times.ts'

const words = text.responses
const periods = [7, 30] as const

const nameOf = (row: ResponseRow): string => (row.role === null ? words.people : row.name)
const shown = (ms: number | null): string => (ms === null ? '–' : brief(ms))

/** How soon pages were taken, by role and priority. */
export const Responses = ({ inside }: { inside: Inside }): JSX.Element => {
  const [days, setDays] = useState<7 | 30>(7)
  const view = useView<Data>(inside, () => inside.api.responses({ days }), String(days))
  const data = view.data?.days === days ? view.data : null
  return (
    <>
      <Head view="responses" busy={view.busy} onRefresh={view.reload}>
        <fieldset class="choices">
          <legend class="unseen">{words.period}</legend>
          {periods.map(one => (
            <label key={one} class={one === days ? 'chosen' : ''}>
              <input type="radio" name="days" checked={one === days} onChange={() => setDays(one)} />
              {words.last(one)}
            </label>
          ))}
        </fieldset>
      </Head>
      <Reading view={data || view.problem ? view : { ...view, data: null }} />
      {data && data.rows.length === 0 ? <p class="panel empty">{words.none}</p> : null}
      {data && data.rows.length > 0 ? <Figures rows={data.rows} /> : null}
    </>
  )
}

const barOf = (row: ResponseRow) => {
  const { median, p90, p99 } = row
  const taken = median !== null && p90 !== null && p99 !== null
  return {
    name: `${nameOf(row)}, ${text.priorities[row.priority]}`,
    note: words.pagesNote(row.pages),
    value: p99 ?? 0,
    parts: taken ? [median, p90 - median, p99 - p90] : [0],
    shown: taken ? words.figures(brief(median), brief(p90), brief(p99)) : words.noneTaken,
  }
}

const Figures = ({ rows }: { rows: readonly ResponseRow[] }): JSX.Element => (
  <Panel title={words.chart}>
    <p class="hint">{words.about}</p>
    <Legend series={words.series} />
    <div class="wide-figures">
      <Bars label={words.chart} bars={rows.map(barOf)} />
    </div>
    <details>
      <summary>{words.table}</summary>
      <Table
        caption={words.chart}
        rows={rows}
        first={60}
        columns={[
          { title: words.role, cell: nameOf },
          { title: words.priority, cell: r => text.priorities[r.priority] },
          { title: words.pages, cell: r => r.pages, figure: true },
          { title: words.taken, cell: r => r.accepted, figure: true },
          { title: words.untaken, cell: r => r.untaken, figure: true },
          { title: words.median, cell: r => shown(r.median), figure: true },
          { title: words.p90, cell: r => shown(r.p90), figure: true },
          { title: words.p99, cell: r => shown(r.p99), figure: true },
        ]}
      />
    </details>
  </Panel>
)
