import type { JSX } from 'preact'
import type { CommandsReport } from '../../admin-contract.ts'
import { Bars } from '../parts/charts.tsx'
import { DaysPanel, Panel } from '../parts/panel.tsx'
import { Table } from '../parts/table.tsx'
import { UserId } from '../parts/user-id.tsx'
import { text } from '../text.ts'

const words = text.reports

/** Which commands were given in a month, by whom, and what was refused. */
export const CommandsView = ({ data }: { data: CommandsReport }): JSX.Element => {
  if (data.commands.length === 0) return <p class="panel empty">{words.nothing}</p>
  return (
    <>
      <DaysPanel
        title={words.perDay}
        series={[words.given, words.refused]}
        days={data.days.map(d => ({ day: d.day, values: [d.times - d.refused, d.refused] }))}
      />
      <Panel title={words.commandsTitle}>
        <Bars
          label={words.commandsTitle}
          bars={data.commands.slice(0, 15).map(c => ({
            name: `!${c.command}`,
            value: c.times,
            parts: [c.times - c.refused - c.failed, c.refused + c.failed],
          }))}
        />
        <details>
          <summary>{words.table}</summary>
          <Table
            caption={words.commandsTitle}
            rows={data.commands}
            columns={[
              { title: words.command, cell: c => <code>!{c.command}</code> },
              { title: words.total, cell: c => c.times, figure: true },
              { title: words.refused, cell: c => c.refused, figure: true },
              { title: words.failed, cell: c => c.failed, figure: true },
              { title: words.peopleCount, cell: c => c.users, figure: true },
            ]}
          />
        </details>
      </Panel>
      <Panel title={words.commandUsers}>
        <Table
          caption={words.commandUsers}
          rows={data.users}
          columns={[
            { title: words.who, cell: u => <UserId id={u.user} /> },
            { title: words.total, cell: u => u.times, figure: true },
            { title: words.refused, cell: u => u.refused, figure: true },
            { title: words.failed, cell: u => u.failed, figure: true },
            { title: words.commandsCount, cell: u => u.commands, figure: true },
          ]}
        />
      </Panel>
      {data.reasons.length > 0 ? (
        <Panel title={words.reasons}>
          <Table
            caption={words.reasons}
            rows={data.reasons}
            columns={[
              { title: words.command, cell: r => <code>!{r.command}</code> },
              { title: words.reason, cell: r => <code>{r.reason}</code> },
              { title: words.number, cell: r => r.n, figure: true },
            ]}
          />
        </Panel>
      ) : null}
    </>
  )
}
