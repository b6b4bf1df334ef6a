import type { JSX } from 'preact'
import type { AccessReport } from '../../admin-contract.ts'
import { shortRef } from '../format.ts'
import type { Inside } from '../inside.ts'
import { Bars } from '../parts/charts.tsx'
import { DaysPanel, Panel } from '../parts/panel.tsx'
import { Table } from '../parts/table.tsx'
import { UserId } from '../parts/user-id.tsx'
import { text } from '../text.ts'

const words = text.reports

/** Who opened which patients' records, and who is unlike the others (row 23). */
export const AccessView = ({ data, inside }: { data: AccessReport; inside: Inside }): JSX.Element => {
  const { exact } = inside.times
  if (data.users.length === 0 && data.watching.length === 0) return <p class="panel empty">{words.nothing}</p>
  const marked = data.users.filter(user => user.why.length > 0)
  return (
    <>
      <Panel title={words.marked}>
        {marked.length === 0 ? <p>{words.markedNone}</p> : null}
        <ul class="marked">
          {marked.map(user => (
            <li key={user.user}>
              <strong>
                <UserId id={user.user} />
              </strong>
              <span>{user.why.join(' · ')}</span>
            </li>
          ))}
        </ul>
      </Panel>
      <DaysPanel
        title={words.perDay}
        series={[words.views, words.messages, words.changes]}
        days={data.days.map(d => ({ day: d.day, values: [d.views, d.messages, d.changes] }))}
      />
      {data.users.length > 0 ? (
        <Panel title={words.people}>
          <Bars label={words.people} bars={data.users.slice(0, 12).map(u => ({ name: u.user, value: u.patients }))} />
          <details>
            <summary>{words.table}</summary>
            <Table
              caption={words.people}
              rows={data.users}
              columns={[
                { title: words.who, cell: u => <UserId id={u.user} /> },
                { title: words.patients, cell: u => u.patients, figure: true },
                { title: words.views, cell: u => u.views, figure: true },
                { title: words.messages, cell: u => u.messages, figure: true },
                { title: words.changes, cell: u => u.changes, figure: true },
                { title: words.refused, cell: u => u.refused, figure: true },
                { title: words.late, cell: u => u.outOfHours, figure: true },
              ]}
            />
          </details>
        </Panel>
      ) : null}
      {data.patients.length > 0 ? (
        <Panel title={words.patientsTitle}>
          <Table
            caption={words.patientsTitle}
            rows={data.patients}
            columns={[
              { title: words.patient, cell: p => <code>{shortRef(p.patient)}</code> },
              { title: words.peopleCount, cell: p => p.users, figure: true },
              { title: words.views, cell: p => p.views, figure: true },
            ]}
          />
        </Panel>
      ) : null}
      {data.pairs.length > 0 ? (
        <Panel title={words.pairs}>
          <Table
            caption={words.pairs}
            rows={data.pairs}
            columns={[
              { title: words.who, cell: p => <UserId id={p.user} /> },
              { title: words.patient, cell: p => <code>{shortRef(p.patient)}</code> },
              { title: words.views, cell: p => p.views, figure: true },
              { title: words.messages, cell: p => p.messages, figure: true },
              { title: words.changes, cell: p => p.changes, figure: true },
              { title: words.last, cell: p => exact(p.lastAt) },
            ]}
          />
        </Panel>
      ) : null}
      {data.watching.length > 0 ? (
        <Panel title={words.watching}>
          <Table
            caption={words.watching}
            rows={data.watching}
            columns={[
              { title: words.who, cell: w => <UserId id={w.user} /> },
              { title: words.what, cell: w => <code>{w.what}</code> },
              { title: words.times, cell: w => w.times, figure: true },
              { title: words.last, cell: w => exact(w.lastAt) },
            ]}
          />
        </Panel>
      ) : null}
    </>
  )
}
