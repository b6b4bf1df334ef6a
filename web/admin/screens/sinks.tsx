import type { JSX } from 'preact'
import type { Sink } from '../../admin-contract.ts'
import { duration } from '../format.ts'
import type { Inside } from '../inside.ts'
import { Copy } from '../parts/copy.tsx'
import { Facts } from '../parts/facts.tsx'
import { Head } from '../parts/head.tsx'
import { Reading, Tag } from '../parts/state.tsx'
import { text } from '../text.ts'
import { useView } from '../use-view.ts'

const words = text.sinks
const tones = { ok: 'good', behind: 'warn', failing: 'bad', paused: 'plain' } as const

/** Where the log is exported to. */
export const Sinks = ({ inside }: { inside: Inside }): JSX.Element => {
  const view = useView(inside, inside.api.sinks, 'sinks')
  return (
    <>
      <Head view="sinks" busy={view.busy} onRefresh={view.reload} />
      <Reading view={view} />
      {view.data?.sinks.length === 0 ? (
        <section class="panel empty">
          <p>{words.none}</p>
          <Copy what={words.noneCommand} />
        </section>
      ) : null}
      <ul class="sinks">
        {view.data?.sinks.map(sink => (
          <li key={sink.name} class="panel">
            <One sink={sink} size={view.data?.size ?? 0} inside={inside} />
          </li>
        ))}
      </ul>
      {view.data && view.data.sinks.length > 0 ? <p class="hint">{words.chat}</p> : null}
    </>
  )
}

const One = ({ sink, size, inside }: { sink: Sink; size: number; inside: Inside }): JSX.Element => {
  const { exact } = inside.times
  const facts: [string, string][] = [
    [words.waiting, sink.lagEntries === 0 ? words.nothing : words.waits(sink.lagEntries, duration(sink.lagMs))],
    [words.lastOk, sink.lastOkAt === null ? words.never : exact(sink.lastOkAt)],
    [
      words.lastError,
      sink.lastErrorCode === null
        ? words.noError
        : [
            sink.lastErrorCode,
            ...(sink.lastErrorAt === null ? [] : [exact(sink.lastErrorAt)]),
            ...(sink.tries > 0 ? [words.tries(sink.tries)] : []),
          ].join(' · '),
    ],
    ...(sink.dead > 0 ? [[words.dead, words.deadCount(sink.dead)] as [string, string]] : []),
    [words.identify, sink.identify ? words.yes : words.no],
    ...(sink.options.length > 0
      ? [[words.options, sink.options.map(([key, value]) => `${key} ${value}`).join(', ')] as [string, string]]
      : []),
  ]
  const done = Math.min(sink.cursor, size)
  return (
    <>
      <div class="panel-head">
        <h2>{sink.name}</h2>
        <Tag tone={tones[sink.state]}>{words.state[sink.state]}</Tag>
      </div>
      <p class="target">
        {sink.type} · <span>{sink.target}</span>
      </p>
      <p>{words.said[sink.state]}</p>
      <div class="progress">
        <div class="progress-words">
          <span>{words.delivered}</span>
          <span>{words.of(done, size)}</span>
        </div>
        <progress max={Math.max(1, size)} value={size === 0 ? 1 : done} aria-label={words.of(done, size)} />
      </div>
      <Facts facts={facts} />
    </>
  )
}
