import type { JSX } from 'preact'
import type { OpenPages as Data, OpenPage } from '../../../oncall-contract.ts'
import type { Inside } from '../../inside.ts'
import { text } from '../../oncall-text.ts'
import { Facts } from '../../parts/facts.tsx'
import { Head } from '../../parts/head.tsx'
import { Reading, Tag } from '../../parts/state.tsx'
import { useLive } from '../../use-live.ts'
import { AsOf, nameOf } from './parts.tsx'
import { brief, clockIn } from './times.ts'

const words = text.pages
const tones = { stat: 'bad', urgent: 'warn', routine: 'plain' } as const
const stateTones = { asking: 'plain', held: 'plain', open: 'warn', accepted: 'good', exhausted: 'bad' } as const

/** The pages that are open, as they change: the whole screen is read anew every five seconds, and ages go on in between. */
export const OpenPages = ({ inside }: { inside: Inside }): JSX.Element => {
  const view = useLive(inside, again => inside.api.pages(again), 5000)
  const { data } = view
  const free = data?.pages.filter(p => p.acceptedBy.length === 0).length ?? 0
  return (
    <>
      <Head view="pages" busy={view.busy} onRefresh={view.reload} />
      <Reading view={view} />
      {data ? (
        <>
          <p role="status" class="count">
            {data.total === 0 ? words.none : words.count(data.total, free)}
            {data.total > data.pages.length ? ` ${words.more(data.pages.length)}` : ''}
          </p>
          <AsOf time={inside.times.time(data.now)} old={view.old} />
          {data.pages.length > 0 ? (
            <ul class="pages" aria-label={words.list}>
              {data.pages.map(page => (
                <li key={page.ref} class={`panel edge edge-${tones[page.priority]}`}>
                  <One page={page} names={data.names} now={view.now} zone={inside.session.timeZone} />
                </li>
              ))}
            </ul>
          ) : null}
        </>
      ) : null}
    </>
  )
}

type Props = { page: OpenPage; names: Data['names']; now: number; zone: string }

/** What is due is done within a second; this is read every five. */
const lateness = (ms: number): string => (ms > 10_000 ? words.late(brief(ms)) : words.atOnce)

const nextOf = (page: OpenPage, now: number, zone: string): string => {
  const clock = clockIn(zone)
  const at = (what: string, due: number) =>
    words.nextIn(what, clock.hms(due), due > now ? words.inTime(brief(due - now)) : lateness(now - due))
  const due = [
    ...(page.contactAt === null ? [] : [{ what: words.contact, due: page.contactAt }]),
    ...(page.escalatesAt === null
      ? []
      : [
          {
            what: page.escalatesTo === null ? words.after[page.state] : words.escalates[page.escalatesTo],
            due: page.escalatesAt,
          },
        ]),
  ].sort((a, b) => a.due - b.due)
  if (due.length > 0) return due.map(d => at(d.what, d.due)).join('; ')
  return page.state === 'accepted' ? words.untilResolved : words.nothingNext
}

const One = ({ page, names, now, zone }: Props): JSX.Element => {
  const people = (ids: readonly string[]) => ids.map(id => nameOf(names, id)).join(', ')
  const facts: [string, string][] = [
    [words.age, brief(now - page.createdAt)],
    ...(page.state === 'open' ? [[words.step, words.stepOf(page)] as [string, string]] : []),
    ...(page.waitsFor.length > 0 ? [[words.waits, people(page.waitsFor)] as [string, string]] : []),
    ...(page.acceptedBy.length > 0 ? [[words.taken, people(page.acceptedBy)] as [string, string]] : []),
    ...(page.handedTo.length > 0 ? [[words.handed, people(page.handedTo)] as [string, string]] : []),
    [words.next, nextOf(page, now, zone)],
  ]
  return (
    <>
      <div class="panel-head">
        <h2>
          <code>{page.ref}</code>
        </h2>
        <Tag tone={tones[page.priority]}>{text.priorities[page.priority]}</Tag>
        <Tag tone={stateTones[page.state]}>{words.states[page.state]}</Tag>
        <p>
          {page.role ?? nameOf(names, page.target)}
          {page.count > 1 ? ` · ${words.times(page.count)}` : ''}
        </p>
      </div>
      <Facts facts={facts} />
    </>
  )
}
