import type { JSX } from 'preact'
import { useRef } from 'preact/hooks'
import type { FactorFault, FactorScreen } from '../model.ts'
import type { Words } from '../text/en.ts'
import { localeOf, locales } from '../text/index.ts'
import { BirthDate } from './birth-date.tsx'
import { Badge, CallButton, Frame, type ScreenProps } from './frame.tsx'

/** The person proves who they are: birth date, code by text, or PIN. */
export const Factor = (props: ScreenProps & { screen: FactorScreen }): JSX.Element => {
  const { state, words, send, screen } = props
  const text = words.factor
  const until = new Intl.DateTimeFormat(locales[state.lang], { weekday: 'long', hour: 'numeric', minute: '2-digit' })
  return (
    <Frame {...props}>
      <Badge kind="lock" />
      <p class="lead">{text.reason[screen.reason]}</p>
      <h1>{headings(words)[screen.factor].title}</h1>
      <p>{headings(words)[screen.factor].why}</p>
      <FactorForm
        factor={screen.factor}
        fault={screen.fault}
        triesLeft={screen.triesLeft}
        busy={screen.busy}
        words={words}
        locale={localeOf(state.lang, navigator.languages)}
        now={state.now}
        onValue={(value, fault) => send({ type: 'factor', value, fault })}
      />
      {screen.factor === 'sms_code' ? (
        <div class="code-again">
          {screen.codeSent ? <p role="status">{text.codeSent}</p> : null}
          <button type="button" class="plain wide" onClick={() => send({ type: 'new-code' })}>
            {text.codeAgain}
          </button>
        </div>
      ) : null}
      <p class="hint">{text.until(until.format(screen.expiresAt))}</p>
      {screen.fault === 'wrong' ? <CallButton {...props} /> : null}
    </Frame>
  )
}

const headings = (words: Words) => ({
  birth_date: { title: words.factor.birthTitle, why: words.factor.birthWhy },
  sms_code: { title: words.factor.codeTitle, why: words.factor.codeWhy },
  pin: { title: words.factor.pinTitle, why: words.factor.pinWhy },
})

type FormProps = {
  factor: FactorScreen['factor']
  fault: FactorFault | null
  triesLeft: number
  busy: boolean
  words: Words
  locale: string
  now: number
  onValue: (value: string | null, fault: FactorFault | null) => void
}

/** The form of one factor; also used when the person confirms again after an hour. */
export const FactorForm = (props: FormProps): JSX.Element => {
  const { factor, words, busy } = props
  const button = (
    <button type="submit" class="main wide" aria-disabled={busy}>
      {busy ? words.busy : words.factor.confirm}
    </button>
  )
  const fault = faultText(props)
  if (factor === 'birth_date')
    return (
      <BirthDate words={words} locale={props.locale} now={props.now} fault={fault} onValue={props.onValue}>
        {button}
      </BirthDate>
    )
  return <NumberForm {...props} fault={fault} button={button} />
}

const faultText = ({ factor, fault, triesLeft, words }: FormProps): string | null => {
  const text = words.factor
  if (fault === null) return null
  if (fault === 'wrong') return `${text.wrong(triesLeft)} ${text.wrongHint}`
  if (factor === 'birth_date') return fault === 'missing' ? text.birthMissing : text.birthNotReal
  return factor === 'pin' ? text.pinMissing : text.codeMissing
}

type NumberProps = Omit<FormProps, 'fault'> & { fault: string | null; button: JSX.Element }

const NumberForm = ({ factor, fault, words, onValue, button }: NumberProps): JSX.Element => {
  const input = useRef<HTMLInputElement>(null)
  const submit = (event: Event) => {
    event.preventDefault()
    const digits = (input.current?.value ?? '').replace(/\D/g, '')
    const good = factor === 'pin' ? digits.length >= 4 : digits.length === 6
    onValue(good ? digits : null, good ? null : 'missing')
    if (!good) input.current?.focus()
  }
  return (
    <form onSubmit={submit} noValidate>
      <div class="field">
        <label for="number">{factor === 'pin' ? words.factor.pinLabel : words.factor.codeLabel}</label>
        {fault ? (
          <p id="fault" class="fault" role="alert">
            {fault}
          </p>
        ) : null}
        <input
          id="number"
          ref={input}
          class="number"
          type="text"
          data-hidden={factor === 'pin'}
          inputMode="numeric"
          autocomplete={factor === 'pin' ? 'off' : 'one-time-code'}
          maxLength={12}
          aria-invalid={fault !== null}
          aria-describedby={fault ? 'fault' : undefined}
        />
      </div>
      {button}
    </form>
  )
}
