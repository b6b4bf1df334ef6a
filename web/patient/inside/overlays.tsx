import type { JSX } from 'preact'
import { secondsLeft } from '../../shared/deadlines.ts'
import { Dialog } from '../../shared/dialog.tsx'
import type { Event } from '../events.ts'
import type { State } from '../model.ts'
import { FactorForm } from '../screens/factor.tsx'
import type { Words } from '../text/en.ts'
import { locales } from '../text/index.ts'
import type { InsideWords } from '../text/inside-en.ts'
import { Consents } from './consents.tsx'

export type OverlayProps = { state: State; words: InsideWords; entry: Words; send: (event: Event) => void }

/** The dialogs over the conversation. Each takes the focus, and gives it back when it closes. */
export const Overlays = (props: OverlayProps): JSX.Element | null => {
  const { state, words, send } = props
  const close = () => send({ type: 'close' })
  switch (state.overlay.is) {
    case 'none':
      return null
    case 'about':
      return (
        <Dialog key="about" title={words.aboutTitle} close={close} closeLabel={words.close}>
          <About {...props} />
        </Dialog>
      )
    case 'consents':
      return (
        <Dialog key="consents" title={words.consentTitle} close={close} closeLabel={words.close}>
          <Consents {...props} overlay={state.overlay} />
        </Dialog>
      )
    case 'leave':
      return (
        <Dialog key="leave" title={words.leaveTitle} close={close} closeLabel={words.close}>
          <p>{words.leaveText}</p>
          {state.compose.text.trim() === '' ? null : <p>{words.leaveDraft}</p>}
          {unsent(state) ? <p class="alert">{words.leaveUnsent}</p> : null}
          <div class="actions">
            <button type="button" class="main wide" onClick={() => send({ type: 'log-off' })}>
              {words.leaveYes}
            </button>
            <button type="button" class="plain wide" onClick={close}>
              {words.leaveNo}
            </button>
          </div>
        </Dialog>
      )
    case 'idle':
      return <Idle {...props} />
    case 'reauth':
      return <Reauth {...props} overlay={state.overlay} />
  }
}

const unsent = (state: State): boolean =>
  state.compose.staged !== null ||
  (state.talk?.items ?? []).some(item => item.mark === 'failed' || item.mark === 'sending')

const About = ({ state, words }: OverlayProps): JSX.Element => {
  const { clinic, session, lang } = state
  return (
    <>
      <p>{clinic?.answers[lang]}</p>
      {clinic?.afterHours ? (
        <p>
          <strong>{words.afterHours}</strong>
        </p>
      ) : null}
      <h3>{words.emergencyTitle}</h3>
      <p>{clinic?.emergency[lang]}</p>
      <h3>{words.teamTitle}</h3>
      <ul class="team">
        {Object.entries(session?.team ?? {}).map(([id, person]) => (
          <li key={id}>
            <strong>{person.name}</strong>
            <span>{person.role}</span>
          </li>
        ))}
      </ul>
      <h3>{words.privateTitle}</h3>
      <p>{words.privateText}</p>
      <p>{words.notDiary}</p>
    </>
  )
}

const Idle = ({ state, words, send }: OverlayProps): JSX.Element => {
  const left = secondsLeft(state.session?.idleAt ?? 0, state.now)
  // The visible seconds count down; a screen reader hears them only every half minute.
  const spoken = Math.ceil(left / 30) * 30
  return (
    <Dialog title={words.idleTitle} close={() => send({ type: 'stay' })} closeLabel={words.close}>
      <p aria-hidden="true">{words.idleText(duration(left, words))}</p>
      <p class="unseen" role="status">
        {words.idleText(duration(spoken, words))}
      </p>
      <p>{words.idleKept}</p>
      <div class="actions">
        <button type="button" class="main wide" onClick={() => send({ type: 'stay' })}>
          {words.stay}
        </button>
        <button type="button" class="plain wide" onClick={() => send({ type: 'log-off' })}>
          {words.logOff}
        </button>
      </div>
    </Dialog>
  )
}

const duration = (seconds: number, words: InsideWords): string =>
  seconds >= 120 ? words.minutes(Math.floor(seconds / 60)) : words.seconds(seconds)

type ReauthProps = OverlayProps & { overlay: Extract<State['overlay'], { is: 'reauth' }> }

const Reauth = ({ state, words, entry, send, overlay }: ReauthProps): JSX.Element => (
  <Dialog title={words.reauthTitle} modalClass="covering">
    <p>{words.reauthText}</p>
    {state.problem ? (
      <p class="alert" role="alert">
        {entry.problem[state.problem]}
      </p>
    ) : null}
    <FactorForm
      factor={state.session?.reauthFactor ?? 'birth_date'}
      fault={overlay.fault}
      triesLeft={overlay.triesLeft}
      busy={overlay.busy}
      words={entry}
      locale={locales[state.lang]}
      now={state.now}
      onValue={(value, fault) => send({ type: 'reauth', value, fault })}
    />
    <button type="button" class="plain wide" onClick={() => send({ type: 'log-off' })}>
      {words.logOff}
    </button>
  </Dialog>
)
