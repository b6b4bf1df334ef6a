import type { JSX } from 'preact'
import { Badge, CallButton, Frame, type ScreenProps } from './frame.tsx'

/** What a tapped text opens: who wrote, why it is locked, what is needed, and every way out. Changes nothing until the button. */
export const Landing = (props: ScreenProps & { busy: boolean }): JSX.Element => {
  const { state, words, send, busy } = props
  const text = words.landing
  return (
    <Frame {...props}>
      <Badge kind="message" />
      <h1>{text.title}</h1>
      {state.clinic ? <p class="lead">{text.from(state.clinic.name)}</p> : null}
      <p>{text.why}</p>
      <button type="button" class="main wide" aria-disabled={busy} onClick={() => busy || send({ type: 'open' })}>
        {busy ? words.busy : text.open}
      </button>
      <div class="needs">
        <h2>{text.need}</h2>
        <ul>
          {text.needs.map(need => (
            <li key={need}>{need}</li>
          ))}
        </ul>
        <p>{text.noNeed}</p>
      </div>
      <section class="unsure" aria-labelledby="unsure">
        <h2 id="unsure">{text.help}</h2>
        <details>
          <summary>{text.real}</summary>
          {state.clinic ? <p>{text.realText(state.clinic.host)}</p> : null}
          <p>{text.realNever}</p>
          <button type="button" class="plain wide" onClick={() => send({ type: 'go', to: 'check' })}>
            {text.check}
          </button>
          <CallButton {...props} />
        </details>
        <div class="choices">
          <button type="button" class="plain" onClick={() => send({ type: 'go', to: 'ask-not-me' })}>
            {text.notMe}
          </button>
          <button type="button" class="plain" onClick={() => send({ type: 'go', to: 'ask-stop' })}>
            {text.stop}
          </button>
        </div>
      </section>
    </Frame>
  )
}
