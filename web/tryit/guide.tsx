import type { JSX } from 'preact'
import { birthDay, type Person } from './people.ts'
import { type StepName, stepNames } from './steps.ts'

type Props = { person: Person; done: Set<StepName>; ready: boolean }

/** What to do next, each step ticked off when it has truly happened. */
export const Guide = ({ person, done, ready }: Props): JSX.Element => {
  const next = ready ? stepNames.find(name => !done.has(name)) : undefined
  return (
    <ol class="guide" aria-label="What to do">
      {stepNames.map((name, index) => (
        <li
          key={name}
          data-step={name}
          data-number={index + 1}
          class={done.has(name) ? 'done' : name === next ? 'next' : ''}
          aria-current={name === next ? 'step' : undefined}
        >
          <p>
            <strong>{title(name, person)}</strong>
            {done.has(name) ? <span class="unseen"> Done.</span> : null}
            <span class="guide-more">{more(name, person)}</span>
          </p>
        </li>
      ))}
    </ol>
  )
}

const title = (name: StepName, person: Person): string =>
  ({
    write: 'Write to the patient.',
    tap: 'Tap the link in the text on the telephone.',
    prove: `Enter the birth date: ${birthDay(person).text}.`,
    answer: 'Read and answer.',
    see: 'See the answer and the marks here.',
  })[name]

const more = (name: StepName, person: Person): string => {
  const { month, day, year } = birthDay(person)
  return {
    write: 'As the clinician, encrypted in this browser.',
    tap: 'The text says nothing about health.',
    prove: `Month ${month}, day ${day}, year ${year}.`,
    answer: 'As the patient, in the telephone.',
    see: 'Each message tells how far it came.',
  }[name]
}

/** The same for people who hear the page: what was done, what is next. */
export const spoken = (person: Person, done: Set<StepName>): string => {
  const next = stepNames.find(name => !done.has(name))
  if (!next) return 'All steps are done.'
  const last = stepNames[stepNames.indexOf(next) - 1]
  return last ? `Step ${stepNames.indexOf(next)} is done. Next: ${title(next, person)}` : ''
}
