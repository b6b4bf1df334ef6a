import type { JSX } from 'preact'
import type { OpeningStep } from '../model.ts'
import { Badge, Frame, type ScreenProps } from './frame.tsx'

const steps: OpeningStep[] = ['key', 'connect', 'secure', 'messages']

/** What happens between the birth date and the messages, in four steps. */
export const Opening = (props: ScreenProps & { step: OpeningStep }): JSX.Element => {
  const text = props.words.opening
  const at = steps.indexOf(props.step)
  return (
    <Frame {...props}>
      <Badge kind="lock" />
      <h1>{text.title}</h1>
      <p>{text.calm}</p>
      <ol class="steps">
        {steps.map((step, index) => {
          const status = index < at ? 'done' : index === at ? 'now' : 'later'
          return (
            <li key={step} class={status} aria-current={status === 'now' ? 'step' : undefined}>
              <span class="dot" aria-hidden="true" />
              {text.steps[step]}
              <span class="unseen">, {text[status]}</span>
            </li>
          )
        })}
      </ol>
      <p class="unseen" role="status">
        {text.steps[props.step]}
      </p>
    </Frame>
  )
}
