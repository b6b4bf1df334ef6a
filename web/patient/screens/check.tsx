import type { JSX } from 'preact'
import { useRef } from 'preact/hooks'
import type { Screen } from '../model.ts'
import { Badge, CallButton, Frame, type ScreenProps } from './frame.tsx'

/** "Is this text yours?": only the host of what is pasted is sent to us, never the link. */
export const Check = (props: ScreenProps & { screen: Extract<Screen, { at: 'check' }> }): JSX.Element => {
  const { state, words, send, screen } = props
  const text = words.check
  const input = useRef<HTMLInputElement>(null)
  const missing = screen.result === 'missing'
  const submit = (event: Event) => {
    event.preventDefault()
    if (!screen.busy) send({ type: 'check', typed: input.current?.value ?? '' })
  }
  return (
    <Frame {...props}>
      <Badge kind={screen.result === 'ours' ? 'tick' : screen.result === 'not-ours' ? 'warn' : 'lock'} />
      <h1>{text.title}</h1>
      <p>{text.text}</p>
      <form onSubmit={submit} noValidate>
        <div class="field">
          <label for="link">{text.label}</label>
          {state.clinic ? (
            <p id="link-hint" class="hint">
              {text.example(state.clinic.host)}
            </p>
          ) : null}
          {missing ? (
            <p id="fault" class="fault" role="alert">
              {text.missing}
            </p>
          ) : null}
          <input
            id="link"
            ref={input}
            type="text"
            inputMode="url"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            maxLength={2000}
            aria-invalid={missing}
            aria-describedby={missing ? 'fault link-hint' : 'link-hint'}
          />
        </div>
        <button type="submit" class="main wide" aria-disabled={screen.busy}>
          {screen.busy ? words.busy : text.button}
        </button>
      </form>
      <div role="status">
        {screen.result === 'ours' ? (
          <div class="result good">
            <h2>{text.oursTitle}</h2>
            <p>{text.ours(screen.host)}</p>
          </div>
        ) : null}
        {screen.result === 'not-ours' ? (
          <div class="result bad">
            <h2>{text.notOursTitle}</h2>
            <p class="host">{screen.host}</p>
            <p>{text.notOurs}</p>
          </div>
        ) : null}
      </div>
      <p>{text.call}</p>
      <div class="actions">
        <CallButton {...props} />
        {state.token === null ? null : (
          <button type="button" class="plain wide" onClick={() => send({ type: 'go', to: 'landing' })}>
            {words.back}
          </button>
        )}
      </div>
    </Frame>
  )
}
