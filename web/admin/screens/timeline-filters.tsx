import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { ActionChoice, Outcome, TimelineQuery } from '../../admin-contract.ts'
import { daysBefore, shortRef } from '../format.ts'
import type { Inside } from '../inside.ts'
import { text } from '../text.ts'

const words = text.filters

type Props = { inside: Inside; query: TimelineQuery; onShow: (query: TimelineQuery) => void }
type Draft = Record<'actor' | 'patient' | 'room' | 'action' | 'outcome' | 'since' | 'until', string>

const empty: Draft = { actor: '', patient: '', room: '', action: '', outcome: '', since: '', until: '' }
const draftOf = (query: TimelineQuery): Draft => ({ ...empty, ...named(query) })
const named = ({ before: _, object: _o, ...rest }: TimelineQuery): Partial<Draft> => rest

/** What is shown of the log: the period at once, the other fields on request; what is chosen stands below in any case. */
export const Filters = ({ inside, query, onShow }: Props): JSX.Element => {
  const { session } = inside
  const officer = session.roles.includes('compliance')
  const [draft, setDraft] = useState<Draft>(() => draftOf(query))
  const [open, setOpen] = useState(false)
  useEffect(() => setDraft(draftOf(query)), [query])
  const set = (name: keyof Draft) => (event: { currentTarget: HTMLInputElement | HTMLSelectElement }) =>
    setDraft({ ...draft, [name]: event.currentTarget.value })
  const submit = (event: Event) => {
    event.preventDefault()
    const given = Object.fromEntries(
      Object.entries(draft)
        .map(([name, value]) => [name, value.trim()])
        .filter(([, value]) => value !== ''),
    ) as TimelineQuery
    onShow({ ...given, ...(query.object ? { object: query.object } : {}) })
    setOpen(false)
  }
  const period = (days: number | null) => {
    const { since: _s, until: _u, ...rest } = query
    onShow(days === null ? rest : { ...rest, since: daysBefore(session.today, days - 1) })
  }
  const chips = chipsOf(query, session.actions)
  return (
    <section class="panel filters" aria-label={words.title}>
      <div class="filters-top">
        <fieldset class="quick">
          <legend class="unseen">{words.quick}</legend>
          {(
            [
              [words.today, 1],
              [words.week, 7],
              [words.month, 30],
              [words.all, null],
            ] as const
          ).map(([name, days]) => (
            <button
              key={name}
              type="button"
              class="plain small"
              aria-pressed={
                days === null
                  ? !query.since && !query.until
                  : query.since === daysBefore(session.today, days - 1) && !query.until
              }
              onClick={() => period(days)}
            >
              {name}
            </button>
          ))}
        </fieldset>
        <button type="button" class="fold" aria-expanded={open} aria-controls="filters" onClick={() => setOpen(!open)}>
          {chips.length > 0 ? words.titleWith(chips.length) : words.title}
        </button>
      </div>
      <form id="filters" hidden={!open} onSubmit={submit}>
        <Field name="actor" label={words.actor} hint={words.actorHint} value={draft.actor} onInput={set('actor')} />
        {officer ? (
          <>
            <Field
              name="patient"
              label={words.patient}
              hint={words.patientHint}
              value={draft.patient}
              onInput={set('patient')}
            />
            <Field name="room" label={words.room} hint={words.roomHint} value={draft.room} onInput={set('room')} />
          </>
        ) : null}
        <div class="field two">
          <label for="filter-action">{words.action}</label>
          <select id="filter-action" value={draft.action} onChange={set('action')}>
            <option value="">{words.anyAction}</option>
            {grouped(session.actions).map(([group, choices]) => (
              <optgroup key={group} label={text.groups[group] ?? group}>
                {choices.map(choice => (
                  <option key={choice.action} value={choice.action}>
                    {choice.title}
                  </option>
                ))}
              </optgroup>
            ))}
          </select>
        </div>
        <div class="field">
          <label for="filter-outcome">{words.outcome}</label>
          <select id="filter-outcome" value={draft.outcome} onChange={set('outcome')}>
            <option value="">{words.anyOutcome}</option>
            {(['done', 'refused', 'failed'] satisfies Outcome[]).map(outcome => (
              <option key={outcome} value={outcome}>
                {text.outcomes[outcome]}
              </option>
            ))}
          </select>
        </div>
        <div class="field">
          <label for="filter-since">{words.since}</label>
          <input id="filter-since" type="date" max={session.today} value={draft.since} onInput={set('since')} />
        </div>
        <div class="field">
          <label for="filter-until">{words.until}</label>
          <input id="filter-until" type="date" max={session.today} value={draft.until} onInput={set('until')} />
        </div>
        <div class="form-end">
          <button type="submit" class="main">
            {words.apply}
          </button>
        </div>
      </form>
      {chips.length > 0 ? (
        <ul class="chips" aria-label={words.shown}>
          {chips.map(({ key, label }) => (
            <li key={key}>
              <button
                type="button"
                class="chip"
                aria-label={words.remove(label)}
                onClick={() => onShow(without(query, key))}
              >
                {label} <span aria-hidden="true">×</span>
              </button>
            </li>
          ))}
          <li>
            <button type="button" class="chip chip-clear" onClick={() => onShow({})}>
              {words.clear}
            </button>
          </li>
        </ul>
      ) : null}
    </section>
  )
}

const without = (query: TimelineQuery, key: keyof TimelineQuery): TimelineQuery =>
  Object.fromEntries(Object.entries(query).filter(([name]) => name !== key))

const grouped = (actions: readonly ActionChoice[]): [string, ActionChoice[]][] =>
  [...Map.groupBy(actions, choice => choice.group)].map(([group, choices]) => [
    group,
    choices.toSorted((a, b) => a.title.localeCompare(b.title)),
  ])

/** A commitment is shown shortened wherever it stands. */
const short = (value: string): string => (/^[\w-]{43}$/.test(value) ? shortRef(value) : value)

const chipsOf = (
  query: TimelineQuery,
  actions: readonly ActionChoice[],
): { key: keyof TimelineQuery; label: string }[] =>
  (['actor', 'patient', 'room', 'object', 'action', 'outcome', 'since', 'until'] as const).flatMap(key => {
    const value = query[key]
    if (value === undefined) return []
    const said =
      key === 'action'
        ? (actions.find(choice => choice.action === value)?.title ?? value)
        : key === 'outcome'
          ? text.outcomes[value as Outcome]
          : short(value)
    return [{ key, label: `${words[key]}: ${said}` }]
  })

type FieldProps = {
  name: string
  label: string
  hint: string
  value: string
  onInput: (event: { currentTarget: HTMLInputElement }) => void
}

const Field = ({ name, label, hint, value, onInput }: FieldProps): JSX.Element => (
  <div class="field two">
    <label for={`filter-${name}`}>{label}</label>
    <input
      id={`filter-${name}`}
      type="text"
      autocomplete="off"
      autocapitalize="off"
      spellcheck={false}
      maxLength={255}
      aria-describedby={`hint-${name}`}
      value={value}
      onInput={onInput}
    />
    <small class="hint" id={`hint-${name}`}>
      {hint}
    </small>
  </div>
)
