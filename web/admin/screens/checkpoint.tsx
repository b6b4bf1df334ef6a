import type { JSX } from 'preact'
import type { Checkpoint as Data } from '../../admin-contract.ts'
import { ago, duration, number } from '../format.ts'
import type { Inside } from '../inside.ts'
import { Copy } from '../parts/copy.tsx'
import { Head } from '../parts/head.tsx'
import { Reading, Tag } from '../parts/state.tsx'
import { Table } from '../parts/table.tsx'
import { text } from '../text.ts'
import { useView } from '../use-view.ts'

const words = text.checkpoint

/** How the log stands, and who outside holds what of it. */
export const Checkpoint = ({ inside }: { inside: Inside }): JSX.Element => {
  const view = useView(inside, inside.api.checkpoint, 'checkpoint')
  return (
    <>
      <Head view="checkpoint" busy={view.busy} onRefresh={view.reload} />
      <Reading view={view} />
      {view.data ? <State data={view.data} inside={inside} /> : null}
    </>
  )
}

/** A minute is the longest that an event may wait before somebody must look (the rule `stale checkpoint`). */
const standing = ({ waiting }: Data): { tone: 'good' | 'warn' | 'bad'; name: string; said: string } => {
  const age = duration(waiting.ms)
  if (waiting.events === 0) return { tone: 'good', name: words.fresh, said: words.freshText }
  if (waiting.ms < 60_000) return { tone: 'warn', name: words.waiting, said: words.waitingText(waiting.events, age) }
  return { tone: 'bad', name: words.stale, said: words.staleText(waiting.events, age) }
}

const State = ({ data, inside }: { data: Data; inside: Inside }): JSX.Element => {
  const { latest, now } = data
  const is = standing(data)
  const { exact } = inside.times
  const size = latest?.size ?? 0
  const behind = (covered: number) => (covered >= size ? words.current : words.behind(size - covered))
  return (
    <>
      <section class="panel" aria-label={is.name}>
        <div class="panel-head">
          <Tag tone={is.tone}>{is.name}</Tag>
          <p>{is.said}</p>
        </div>
        {latest ? (
          <dl class="figures">
            <div>
              <dt>{words.size}</dt>
              <dd>{number(latest.size)}</dd>
            </div>
            <div>
              <dt>{words.age}</dt>
              <dd>
                {ago(now - latest.at)} <small>{exact(latest.at)}</small>
              </dd>
            </div>
            <div>
              <dt>{words.kept}</dt>
              <dd>
                #{number(data.first)} <small>{data.first === 0 ? words.all : words.pruned}</small>
              </dd>
            </div>
          </dl>
        ) : (
          <p>{words.none}</p>
        )}
        {latest ? (
          <dl class="facts wide-facts">
            <div>
              <dt>{words.root}</dt>
              <dd>
                <Copy what={latest.root} />
                <p class="hint">{words.rootHint}</p>
              </dd>
            </div>
            <div>
              <dt>{words.name}</dt>
              <dd>
                <code>{data.origin}</code>
              </dd>
            </div>
          </dl>
        ) : null}
        {latest ? (
          <details>
            <summary>{words.note}</summary>
            <pre>{latest.note}</pre>
          </details>
        ) : null}
      </section>
      <section class="panel">
        <h2>{words.pins}</h2>
        {data.pins.length === 0 ? <p class="warn-text">{words.pinsNone}</p> : null}
        {data.pins.length > 0 ? (
          <Table
            caption={words.pins}
            rows={data.pins}
            columns={[
              { title: words.place, cell: p => p.place },
              { title: words.covers, cell: p => number(p.size), figure: true },
              { title: words.held, cell: p => (p.at > 0 ? ago(now - p.at) : '–') },
              {
                title: words.state,
                cell: p =>
                  p.failing ? (
                    <Tag tone="bad">
                      {words.failing} ({p.failing})
                    </Tag>
                  ) : (
                    behind(p.size)
                  ),
              },
            ]}
          />
        ) : null}
      </section>
      <section class="panel">
        <h2>{words.witnesses}</h2>
        {data.witnesses.length === 0 ? (
          <p>{words.witnessesNone}</p>
        ) : (
          <Table
            caption={words.witnesses}
            rows={data.witnesses}
            columns={[
              { title: words.witness, cell: w => w.name },
              { title: words.covers, cell: w => number(w.size), figure: true },
              { title: words.held, cell: w => ago(now - w.at) },
              { title: words.state, cell: w => behind(w.size) },
            ]}
          />
        )}
      </section>
    </>
  )
}
