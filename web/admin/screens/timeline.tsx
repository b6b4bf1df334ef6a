import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import type { Entry, Timeline as Page, TimelineQuery } from '../../admin-contract.ts'
import { type Inside, problemOf } from '../inside.ts'
import { Head } from '../parts/head.tsx'
import { Reading } from '../parts/state.tsx'
import { text } from '../text.ts'
import { useView } from '../use-view.ts'
import { EntryRow } from './timeline-entry.tsx'
import { Filters } from './timeline-filters.tsx'

const words = text.timeline

type Older = { entries: Entry[]; next: number | null }

/** The log, newest first. What is chosen as a filter stays in memory: a reload forgets it, and no address holds it. */
export const Timeline = ({ inside }: { inside: Inside }): JSX.Element => {
  const { api, session } = inside
  const [query, setQuery] = useState<TimelineQuery>({})
  const [older, setOlder] = useState<Older | null>(null)
  const [more, setMore] = useState<{ busy: boolean; problem: string | null }>({ busy: false, problem: null })
  const view = useView<Page>(inside, () => api.timeline(query), JSON.stringify(query))
  const count = useRef<HTMLParagraphElement>(null)
  const show = (next: TimelineQuery) => {
    // What was pressed may be gone, but for the periods: the focus goes on where the outcome is said.
    if (!document.activeElement?.closest('.quick')) count.current?.focus()
    setOlder(null)
    setMore({ busy: false, problem: null })
    setQuery(next)
  }
  const next = older ? older.next : (view.data?.next ?? null)
  const entries = [...(view.data?.entries ?? []), ...(older?.entries ?? [])]
  const fetchOlder = () => {
    if (next === null || more.busy) return
    setMore({ busy: true, problem: null })
    api.timeline({ ...query, before: next }).then(
      page => {
        setOlder({ entries: [...(older?.entries ?? []), ...page.entries], next: page.next })
        setMore({ busy: false, problem: null })
      },
      error => setMore({ busy: false, problem: problemOf(error, inside) ?? null }),
    )
  }
  const reload = () => {
    setOlder(null)
    view.reload()
  }
  const filtered = Object.keys(query).length > 0
  return (
    <>
      <Head view="timeline" busy={view.busy} onRefresh={reload} />
      {session.roles.includes('compliance') ? null : <p class="notice">{words.adminNote}</p>}
      <Filters inside={inside} query={query} onShow={show} />
      <p class="hint" role="status" ref={count} tabIndex={-1}>
        {view.busy
          ? `${text.loading} …`
          : view.data
            ? `${filtered ? words.more(entries.length) : words.count(view.data.size)}`
            : ''}
      </p>
      {view.problem ? <Reading view={view} /> : null}
      {view.data && !view.problem ? (
        <div class={view.busy ? 'stale' : ''}>
          <List entries={entries} inside={inside} onFilter={only => show({ ...query, ...only })} />
          {entries.length === 0 ? <p class="panel empty">{filtered ? words.none : words.empty}</p> : null}
          {more.problem ? (
            <p class="alert" role="alert">
              {more.problem}
            </p>
          ) : null}
          {next !== null ? (
            <button type="button" class="wide" aria-disabled={more.busy} onClick={fetchOlder}>
              {more.busy ? `${text.loading} …` : words.older}
            </button>
          ) : entries.length > 0 ? (
            <p class="hint end">{words.end}</p>
          ) : null}
        </div>
      ) : null}
    </>
  )
}

type ListProps = { entries: readonly Entry[]; inside: Inside; onFilter: (only: TimelineQuery) => void }

const List = ({ entries, inside, onFilter }: ListProps): JSX.Element => {
  const days: { key: string; at: number; entries: Entry[] }[] = []
  for (const entry of entries) {
    const key = inside.times.key(entry.at)
    const last = days.at(-1)
    if (last?.key === key) last.entries.push(entry)
    else days.push({ key, at: entry.at, entries: [entry] })
  }
  return (
    <>
      {days.map(day => (
        <section key={`${day.key}-${day.entries[0]?.idx}`} class="day">
          <h2>{inside.times.day(day.at)}</h2>
          <ol class="entries">
            {day.entries.map(entry => (
              <EntryRow key={entry.idx} entry={entry} inside={inside} onFilter={onFilter} />
            ))}
          </ol>
        </section>
      ))}
    </>
  )
}
