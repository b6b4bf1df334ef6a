import type { ComponentChildren, JSX } from 'preact'
import type { Event } from '../events.ts'
import type { State } from '../model.ts'
import { phoneHref, phoneText } from '../phone.ts'
import type { Words } from '../text/en.ts'

export type ScreenProps = { state: State; words: Words; send: (event: Event) => void }

/** The clinic's header, a card with the screen, and the way to call: what every screen before the conversation shares. */
export const Frame = ({ state, words, send, children }: ScreenProps & { children: ComponentChildren }): JSX.Element => (
  <>
    <a class="skip" href="#main">
      {words.skip}
    </a>
    <header class="top">
      <ClinicName state={state} />
      <LanguageSwitch state={state} words={words} send={send} />
    </header>
    <main id="main" class="card" tabIndex={-1}>
      {state.online ? null : (
        <p class="alert" role="status">
          {words.offline}
        </p>
      )}
      {state.problem ? (
        <p class="alert" role="alert">
          {words.problem[state.problem]}
        </p>
      ) : null}
      {children}
    </main>
    <Foot state={state} words={words} />
  </>
)

/** The clinic's logo, or its name in words. */
export const ClinicName = ({ state }: { state: State }): JSX.Element => {
  const clinic = state.clinic
  if (clinic?.logo) return <img class="logo" src={clinic.logo} alt={clinic.name} />
  return <span class="top-name">{clinic?.name ?? ''}</span>
}

/** One button that names the other language, in that language. */
export const LanguageSwitch = ({ state, words, send }: ScreenProps): JSX.Element => {
  const other = state.lang === 'es' ? 'en' : 'es'
  return (
    <button type="button" class="plain language" lang={other} onClick={() => send({ type: 'language', lang: other })}>
      {words.otherLanguage}
    </button>
  )
}

const Foot = ({ state, words }: { state: State; words: Words }): JSX.Element | null => {
  const clinic = state.clinic
  if (!clinic) return null
  return (
    <footer class="foot">
      <p>
        <strong>{words.emergencyTitle}</strong> {clinic.emergency[state.lang]}
      </p>
      {clinic.phone ? (
        <p>
          {words.callWho}: <a href={phoneHref(clinic.phone)}>{phoneText(clinic.phone)}</a>
        </p>
      ) : null}
    </footer>
  )
}

/** A large link that starts a phone call to the clinic. */
export const CallButton = ({
  state,
  words,
  main,
}: {
  state: State
  words: Words
  main?: boolean
}): JSX.Element | null =>
  state.clinic?.phone ? (
    <a class={`button ${main ? 'main' : 'plain'}`} href={phoneHref(state.clinic.phone)}>
      {words.call(phoneText(state.clinic.phone))}
    </a>
  ) : null

/** A drawing above a title; decoration only. */
export const Badge = ({ kind }: { kind: 'message' | 'lock' | 'clock' | 'tick' | 'warn' | 'cloud' }): JSX.Element => (
  <div class={`badge badge-${kind}`} aria-hidden="true">
    <svg aria-hidden="true" viewBox="0 0 48 48" width="48" height="48" focusable="false">
      <path d={badges[kind]} />
    </svg>
  </div>
)

const badges = {
  message: 'M8 12h32v22H22l-9 7v-7H8zM16 20h16M16 26h10',
  lock: 'M12 22h24v18H12zM17 22v-6a7 7 0 0 1 14 0v6M24 29v4',
  clock: 'M24 8a16 16 0 1 1 0 32 16 16 0 0 1 0-32zM24 15v10l7 4',
  tick: 'M24 8a16 16 0 1 1 0 32 16 16 0 0 1 0-32zM16 24.5l6 6 10-12',
  warn: 'M24 8 43 40H5zM24 20v9M24 34v.5',
  cloud: 'M14 36a8 8 0 0 1 0-16 11 11 0 0 1 21 2 7 7 0 0 1-1 14zM24 24v5M24 33v.5',
}
