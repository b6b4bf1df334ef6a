import type { JSX } from 'preact'
import type { Alert } from '../../admin-contract.ts'
import type { Inside } from '../inside.ts'
import { Head } from '../parts/head.tsx'
import { Reading, Tag } from '../parts/state.tsx'
import { text } from '../text.ts'
import { useView } from '../use-view.ts'

const words = text.alerts
const tones = { critical: 'bad', warning: 'warn', notice: 'plain' } as const

/** What the rules found: what goes on first. */
export const Alerts = ({ inside }: { inside: Inside }): JSX.Element => {
  const view = useView(inside, inside.api.alerts, 'alerts')
  const found = view.data?.alerts ?? []
  const parts: [string, Alert[]][] = [
    [words.open, found.filter(a => a.goesOn)],
    [words.past, found.filter(a => !a.goesOn)],
  ]
  return (
    <>
      <Head view="alerts" busy={view.busy} onRefresh={view.reload} />
      <Reading view={view} />
      {view.data && found.length === 0 ? <p class="panel empty">{words.none}</p> : null}
      {parts
        .filter(([, alerts]) => alerts.length > 0)
        .map(([title, alerts]) => (
          <section key={title} class="alerts">
            <h2>{title}</h2>
            <ul>
              {alerts.map(alert => (
                <li key={alert.id} class={`panel edge edge-${tones[alert.severity]}`}>
                  <One alert={alert} inside={inside} />
                </li>
              ))}
            </ul>
          </section>
        ))}
    </>
  )
}

const One = ({ alert, inside }: { alert: Alert; inside: Inside }): JSX.Element => {
  const { exact } = inside.times
  return (
    <>
      <div class="panel-head">
        <Tag tone={tones[alert.severity]}>{words.severity[alert.severity]}</Tag>
        <p class="when">
          {alert.firstAt === alert.lastAt
            ? exact(alert.lastAt)
            : `${words.since} ${exact(alert.firstAt)} · ${words.last} ${exact(alert.lastAt)}`}
          {alert.clearedAt === null ? '' : ` · ${words.over} ${exact(alert.clearedAt)}`}
        </p>
      </div>
      <p class="what">{alert.sentence}</p>
      {alert.next ? (
        <p>
          <strong>{words.next}:</strong> {alert.next}
        </p>
      ) : null}
      <p class="hint">
        {words.rule} <code>{alert.rule}</code>
        {alert.entry === null ? '' : ` · ${words.entry(alert.entry)}`}
        {alert.count > 1 ? ` · ${words.count(alert.count)}` : ''}
      </p>
    </>
  )
}
