import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Report, ReportName } from '../../admin-contract.ts'
import { monthName, monthsUntil } from '../format.ts'
import type { Inside } from '../inside.ts'
import { Head } from '../parts/head.tsx'
import { Reading } from '../parts/state.tsx'
import { text } from '../text.ts'
import { useView } from '../use-view.ts'
import { AccessView } from './report-access.tsx'
import { CommandsView } from './report-commands.tsx'
import { LinksView } from './report-links.tsx'

const words = text.reports

/** A month in figures: which report, which month. */
export const Reports = ({ inside }: { inside: Inside }): JSX.Element => {
  const { session, api } = inside
  const [report, setReport] = useState<ReportName>(session.reports[0] ?? 'commands')
  const [month, setMonth] = useState(session.today.slice(0, 7))
  const view = useView(inside, () => api.report({ report, month }), `${report} ${month}`)
  const data = view.data?.report === report && view.data.month === month ? view.data : null
  return (
    <>
      <Head view="reports" busy={view.busy} onRefresh={view.reload}>
        {session.reports.length > 1 ? (
          <fieldset class="choices">
            <legend class="unseen">{words.which}</legend>
            {session.reports.map(one => (
              <label key={one} class={one === report ? 'chosen' : ''}>
                <input type="radio" name="report" checked={one === report} onChange={() => setReport(one)} />
                {words.names[one]}
              </label>
            ))}
          </fieldset>
        ) : null}
        <div class="inline">
          <label for="month">{words.month}</label>
          <select id="month" value={month} onChange={event => setMonth(event.currentTarget.value)}>
            {monthsUntil(session.today).map(one => (
              <option key={one} value={one}>
                {monthName(one)}
              </option>
            ))}
          </select>
        </div>
      </Head>
      <Reading view={data || view.problem ? view : { ...view, data: null }} />
      {data ? <One data={data} inside={inside} /> : null}
    </>
  )
}

const One = ({ data, inside }: { data: Report; inside: Inside }): JSX.Element => {
  switch (data.report) {
    case 'access':
      return <AccessView data={data.data} inside={inside} />
    case 'links':
      return <LinksView data={data.data} />
    case 'commands':
      return <CommandsView data={data.data} />
  }
}
