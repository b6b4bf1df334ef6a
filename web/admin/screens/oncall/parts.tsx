import type { JSX } from 'preact'
import type { Duty, Names } from '../../../oncall-contract.ts'
import { text } from '../../oncall-text.ts'
import { Tag } from '../../parts/state.tsx'
import { UserId } from '../../parts/user-id.tsx'

export const nameOf = (names: Names, id: string): string => names[id] ?? id

export const isGap = (duty: Duty): boolean => duty[0]?.reason.by === 'fallback'

/** What a screen reader and a person without colours read too: that nobody is on, or that somebody changed it. */
export const Why = ({ duty }: { duty: Duty }): JSX.Element | null => {
  const by = [...new Set(duty.map(d => d.reason.by))].filter(b => b !== 'layer')
  if (by.length === 0) return null
  return (
    <>
      {by.map(b => (
        <Tag key={b} tone={b === 'fallback' ? 'bad' : 'warn'}>
          {text.reasons[b]}
        </Tag>
      ))}
    </>
  )
}

/** People with their identifiers: two may have one name. */
export const People = ({ duty, names }: { duty: Duty; names: Names }): JSX.Element => (
  <span class="people">
    {duty.map(d => (
      <span key={d.person} class="one">
        <strong>{nameOf(names, d.person)}</strong>
        {nameOf(names, d.person) === d.person ? null : (
          <small class="hint">
            <UserId id={d.person} />
          </small>
        )}
      </span>
    ))}
  </span>
)

/** How old what is shown is: a live view that is not live any more must say so. */
export const AsOf = ({ time, old }: { time: string; old: boolean }): JSX.Element =>
  old ? (
    <p class="alert" role="alert">
      {text.old(time)}
    </p>
  ) : (
    <p class="hint">{text.updated(time)}</p>
  )
