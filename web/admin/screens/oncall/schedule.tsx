import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Schedule as Data, ScheduleQuery } from '../../../oncall-contract.ts'
import type { Inside } from '../../inside.ts'
import { text } from '../../oncall-text.ts'
import { Head } from '../../parts/head.tsx'
import { Panel } from '../../parts/panel.tsx'
import { Reading } from '../../parts/state.tsx'
import { Table } from '../../parts/table.tsx'
import { useView } from '../../use-view.ts'
import { nameOf } from './parts.tsx'
import { ScheduleMonth } from './schedule-month.tsx'
import { ScheduleWeek } from './schedule-week.tsx'
import { clockIn, dayAndYear, isoDayAfter, monthAndYear } from './times.ts'

const words = text.schedule

/** The week or month before or after: a day that is in it. */
const other = (data: Data, by: -1 | 1): string => {
  const [first, last] = [data.days[0]?.day ?? data.today, data.days.at(-1)?.day ?? data.today]
  return by < 0 ? isoDayAfter(first, -1) : isoDayAfter(last, 1)
}

const titleOf = (data: Data): string => {
  const [first, last] = [data.days[0]?.day ?? '', data.days.at(-1)?.day ?? '']
  return data.span === 'month' ? monthAndYear(first) : `${dayAndYear(first)} – ${dayAndYear(last)}`
}

/** A role's schedule by the week or by the month. What was chosen stays in memory. */
export const Schedule = ({ inside }: { inside: Inside }): JSX.Element => {
  const [query, setQuery] = useState<ScheduleQuery>(() => ({
    span: 'week',
    ...(inside.role.current === undefined ? {} : { role: inside.role.current }),
  }))
  const view = useView<Data>(inside, () => inside.api.schedule(query), JSON.stringify(query))
  const { data } = view
  const show = (change: Partial<ScheduleQuery>) => {
    if (change.role !== undefined) inside.role.current = change.role
    setQuery({ ...query, ...change })
  }
  const today = () => {
    const { day: _, ...rest } = query
    setQuery(rest)
  }
  return (
    <>
      <Head view="schedule" busy={view.busy} onRefresh={view.reload}>
        {data ? <Choices data={data} query={query} show={show} today={today} /> : null}
      </Head>
      <Reading view={view} />
      {data ? (
        <div class={`schedule ${view.busy || view.problem ? 'stale' : ''}`}>
          <Shown data={data} />
        </div>
      ) : null}
    </>
  )
}

type ChoicesProps = { data: Data; query: ScheduleQuery; show: (c: Partial<ScheduleQuery>) => void; today: () => void }

const Choices = ({ data, query, show, today }: ChoicesProps): JSX.Element => (
  <>
    <div class="inline">
      <label for="role">{words.role}</label>
      <select id="role" value={data.role.key} onChange={event => show({ role: event.currentTarget.value })}>
        {data.roles.map(r => (
          <option key={r.key} value={r.key}>
            {r.name}
          </option>
        ))}
      </select>
    </div>
    <fieldset class="choices">
      <legend class="unseen">{words.span}</legend>
      {(['week', 'month'] as const).map(span => (
        <label key={span} class={span === query.span ? 'chosen' : ''}>
          <input type="radio" name="span" checked={span === query.span} onChange={() => show({ span })} />
          {words[span]}
        </label>
      ))}
    </fieldset>
    <div class="steps">
      <Step words={words.earlier} free={data.earlier} go={() => show({ day: other(data, -1) })} />
      <button type="button" class="plain small" onClick={today}>
        {words.today}
      </button>
      <Step words={words.later} free={data.later} go={() => show({ day: other(data, 1) })} />
      <button type="button" class="plain small" onClick={() => window.print()}>
        {words.print}
      </button>
    </div>
  </>
)

/** Keeps the focus when there is nothing further. */
const Step = ({ words, free, go }: { words: string; free: boolean; go: () => void }): JSX.Element => (
  <button type="button" class="plain small" aria-disabled={!free} onClick={() => free && go()}>
    {words}
  </button>
)

const Shown = ({ data }: { data: Data }): JSX.Element => {
  const gaps = data.on.filter(s => s.duty[0]?.reason.by === 'fallback').length
  return (
    <>
      <div class="schedule-title">
        <h2>
          {data.role.name}, {titleOf(data)}
        </h2>
        <p class="hint">
          {text.zone(data.role.zone)} {text.fallback}: {nameOf(data.names, data.role.fallback)}.
        </p>
        <p role="status" class={gaps > 0 ? 'warn-text' : 'hint'}>
          {gaps > 0 ? words.gapCount(gaps) : words.noGaps}
        </p>
      </div>
      {data.span === 'week' ? <ScheduleWeek data={data} /> : <ScheduleMonth data={data} />}
      <Changed data={data} />
      <Layers data={data} />
    </>
  )
}

const Changed = ({ data }: { data: Data }): JSX.Element => {
  const clock = clockIn(data.role.zone)
  const name = (id: string | null) => (id === null ? undefined : nameOf(data.names, id))
  const rows = [
    ...data.changes.map(c => ({
      ...c,
      said: words.how[c.kind](name(c.person) ?? '', name(c.replaces)),
    })),
    ...data.absences.map(a => ({ ...a, said: words.isAway(nameOf(data.names, a.person)) })),
  ].sort((a, b) => a.from - b.from)
  return (
    <Panel title={words.changed}>
      {rows.length === 0 ? (
        <p class="hint">{words.changedNone}</p>
      ) : (
        <Table
          caption={words.changed}
          first={30}
          rows={rows}
          columns={[
            { title: words.what, cell: r => r.said },
            { title: words.from, cell: r => clock.both(r.from) },
            { title: words.to, cell: r => clock.both(r.to) },
            { title: words.id, cell: r => <code>{r.id}</code> },
          ]}
        />
      )}
    </Panel>
  )
}

const Layers = ({ data }: { data: Data }): JSX.Element | null => {
  const clock = clockIn(data.role.zone)
  const rows = data.layers.flatMap(l => l.shifts.map(s => ({ ...s, layer: l.id })))
  if (rows.length === 0) return null
  return (
    <details class="no-print">
      <summary>{words.table}</summary>
      <Table
        caption={words.table}
        first={30}
        rows={rows}
        columns={[
          { title: text.reasons.layer, cell: r => r.layer },
          { title: words.who, cell: r => nameOf(data.names, r.person) },
          { title: words.from, cell: r => clock.both(r.from) },
          { title: words.to, cell: r => clock.both(r.to) },
        ]}
      />
    </details>
  )
}
