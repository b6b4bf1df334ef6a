import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Entry, Named, TimelineQuery } from '../../admin-contract.ts'
import { shortRef } from '../format.ts'
import type { Inside } from '../inside.ts'
import { Copy } from '../parts/copy.tsx'
import { Fact } from '../parts/facts.tsx'
import { Icon } from '../parts/icons.tsx'
import { Tag } from '../parts/state.tsx'
import { text } from '../text.ts'

const words = text.timeline
const tones = { done: 'good', refused: 'warn', failed: 'bad' } as const

type Props = { entry: Entry; inside: Inside; onFilter: (only: TimelineQuery) => void }

/** One entry: when, what in a sentence, and everything else on request. */
export const EntryRow = ({ entry, inside, onFilter }: Props): JSX.Element => {
  const [open, setOpen] = useState(false)
  const id = `entry-${entry.idx}`
  return (
    <li class={`entry ${open ? 'open' : ''}`}>
      <button
        type="button"
        class="entry-line"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}
      >
        <span class="entry-time">{inside.times.time(entry.at)}</span>
        <span class="entry-words">
          {entry.sentence}
          {entry.patient ? (
            <span class="entry-about">
              {words.patient} {entry.erased ? `${shortRef(entry.patient)} (${words.erased})` : shortRef(entry.patient)}
            </span>
          ) : null}
        </span>
        {entry.outcome === 'done' ? null : <Tag tone={tones[entry.outcome]}>{text.outcomes[entry.outcome]}</Tag>}
        <Icon of="down" />
      </button>
      {open ? (
        <div class="entry-more" id={id}>
          <EntryFacts entry={entry} inside={inside} onFilter={onFilter} />
        </div>
      ) : null}
    </li>
  )
}

const shown = (named: Named): string => (named.committed ? shortRef(named.id) : named.id || words.hidden)

const EntryFacts = ({ entry, inside, onFilter }: Props): JSX.Element => {
  const officer = inside.session.roles.includes('compliance')
  const hidden =
    entry.actor.committed || entry.object.committed || entry.patient || entry.room || entry.origin ? officer : false
  const only = (what: string, id: string, filter: TimelineQuery) => (
    <button type="button" class="only" aria-label={words.onlyFor(what, id)} onClick={() => onFilter(filter)}>
      {words.only}
    </button>
  )
  return (
    <>
      <dl class="facts">
        <Fact name={words.entry}>
          <code>#{entry.idx}</code>
        </Fact>
        <Fact name={words.time}>{inside.times.exact(entry.at)}</Fact>
        <Fact name={words.action}>
          {entry.title} <code>{entry.action}</code> {only(words.action, entry.title, { action: entry.action })}
        </Fact>
        <Fact name={words.by}>
          {text.kinds[entry.actor.kind] ?? entry.actor.kind} <code>{shown(entry.actor)}</code>{' '}
          {entry.actor.id ? only(words.by, shown(entry.actor), { actor: entry.actor.id }) : null}
        </Fact>
        {entry.actor.device ? (
          <Fact name={words.device}>
            <code>{/^[\w-]{43}$/.test(entry.actor.device) ? shortRef(entry.actor.device) : entry.actor.device}</code>
          </Fact>
        ) : null}
        {entry.patient ? (
          <Fact name={words.patient}>
            <code>{shortRef(entry.patient)}</code> {entry.erased ? `(${words.erased}) ` : ''}
            {only(words.patient, shortRef(entry.patient), { patient: entry.patient })}
          </Fact>
        ) : null}
        {entry.room ? (
          <Fact name={words.room}>
            <code>{shortRef(entry.room)}</code> {only(words.room, shortRef(entry.room), { room: entry.room })}
          </Fact>
        ) : null}
        <Fact name={words.object}>
          {entry.object.kind} <code>{shown(entry.object)}</code>{' '}
          {entry.object.id ? only(words.object, shown(entry.object), { object: entry.object.id }) : null}
        </Fact>
        {entry.origin ? (
          <Fact name={words.origin}>
            <code>{shortRef(entry.origin)}</code>
          </Fact>
        ) : null}
        {entry.reason ? (
          <Fact name={words.reason}>
            <code>{entry.reason}</code>
          </Fact>
        ) : null}
        {entry.detail.map(([name, value]) => (
          <Fact key={name} name={name}>
            <code>{value}</code>
          </Fact>
        ))}
      </dl>
      {hidden ? (
        <div class="reveal">
          <p>{words.reveal}</p>
          <Copy what={words.revealCommand(entry.idx)} label={words.copyReveal} />
        </div>
      ) : null}
    </>
  )
}
