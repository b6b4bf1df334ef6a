import type { JSX } from 'preact'
import type { LinksReport } from '../../admin-contract.ts'
import { shortRef } from '../format.ts'
import { Bars } from '../parts/charts.tsx'
import { DaysPanel, Panel } from '../parts/panel.tsx'
import { Table } from '../parts/table.tsx'
import { text } from '../text.ts'

const words = text.reports

/** What became of a month's links and texts. */
export const LinksView = ({ data }: { data: LinksReport }): JSX.Element => {
  const happened = [...data.funnel, ...data.texts, ...data.ended].some(step => step.n > 0)
  if (!happened) return <p class="panel empty">{words.nothing}</p>
  return (
    <>
      <Panel title={words.funnel}>
        <Bars label={words.funnel} bars={data.funnel.map(f => ({ name: f.step, value: f.n }))} />
      </Panel>
      <DaysPanel
        apart
        title={words.perDay}
        series={[words.created, words.tapped, words.verified, words.refused]}
        days={data.days.map(d => ({ day: d.day, values: [d.created, d.tapped, d.verified, d.refused] }))}
      />
      <Panel title={words.texts}>
        <Bars label={words.texts} bars={data.texts.map(t => ({ name: t.state, value: t.n }))} />
      </Panel>
      <Panel title={words.ended}>
        <Bars label={words.ended} bars={data.ended.map(e => ({ name: e.how, value: e.n }))} />
      </Panel>
      {data.reasons.length > 0 ? (
        <Panel title={words.reasons}>
          <Table
            caption={words.reasons}
            rows={data.reasons}
            columns={[
              { title: words.what, cell: r => <code>{r.action}</code> },
              { title: words.reason, cell: r => <code>{r.reason}</code> },
              { title: words.number, cell: r => r.n, figure: true },
            ]}
          />
        </Panel>
      ) : null}
      {data.trouble.length > 0 ? (
        <Panel title={words.trouble}>
          <Table
            caption={words.trouble}
            rows={data.trouble}
            columns={[
              { title: words.patient, cell: t => <code>{shortRef(t.patient)}</code> },
              { title: words.refused, cell: t => t.refused, figure: true },
              { title: words.locked, cell: t => t.locked, figure: true },
              { title: words.textsFailed, cell: t => t.textsFailed, figure: true },
            ]}
          />
        </Panel>
      ) : null}
    </>
  )
}
