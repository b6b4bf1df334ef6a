import type { Session, VerifyAnswer } from '../contract.ts'
import { extendEvery, phaseOf } from '../shared/deadlines.ts'
import type { Effect, Event } from './events.ts'
import { hostOf } from './host-of.ts'
import { emptyCompose, type FactorScreen, type Screen, type State } from './model.ts'
import { reduceTalk } from './reduce-talk.ts'

export type Step = { state: State; effects: Effect[] }

/** The page's whole behaviour: what a person or the outside did → the new state and what is to be done. Pure. */
export const reduce = (state: State, event: Event): Step => reduceTalk(state, event) ?? reduceEntry(state, event)

const stay = (state: State): Step => ({ state, effects: [] })
const show = (state: State, screen: Screen, ...effects: Effect[]): Step => ({
  state: { ...state, screen, problem: null },
  effects,
})

const reduceEntry = (state: State, event: Event): Step => {
  const { screen } = state
  switch (event.type) {
    case 'clinic':
      return stay({ ...state, clinic: event.clinic })
    case 'begin':
      if (state.token === null) return show(state, { at: 'check', busy: false, host: '', result: 'none' })
      return event.wasm ? { state, effects: [{ do: 'resume', again: false }] } : show(state, { at: 'no-wasm' })
    case 'resumed':
      if (event.session) return openSession(state, event.session)
      // The person asked to go on, and this browser's session is gone: the link may still be good.
      if (screen.at === 'opening') return show(state, { at: 'landing', busy: true }, { do: 'tap' })
      return show(state, { at: 'landing', busy: false })
    case 'language':
      return stay({ ...state, lang: event.lang, langChosen: true })
    case 'online':
      return stay({ ...state, online: event.online })
    case 'problem':
      return stay({
        ...state,
        problem: event.problem,
        screen: idle(screen),
        overlay: state.overlay.is === 'reauth' ? { ...state.overlay, busy: false } : state.overlay,
      })
    case 'away':
      return screen.at === 'conversation' ? stay(state) : show(state, { at: 'failed', why: 'homeserver' })
    case 'go':
      if (event.to === 'check') return show(state, { at: 'check', busy: false, host: '', result: 'none' })
      return show(state, { at: event.to, busy: false })
    case 'open':
      return show(state, { at: 'landing', busy: true }, { do: 'tap' })
    case 'tapped':
      if (event.answer.state === 'closed') return show(state, { at: 'closed', busy: false })
      if (event.answer.state === 'locked') return show(state, { at: 'locked' })
      if (event.answer.state === 'session') return openSession(state, event.answer.session)
      return nextFactor(
        { ...state, lang: state.langChosen ? state.lang : event.answer.lang },
        event.answer.factors,
        event.answer,
        [{ do: 'preload' }],
      )
    case 'factor':
      if (screen.at !== 'factor' || screen.busy) return stay(state)
      if (event.value === null) return show(state, { ...screen, fault: event.fault })
      return show(state, { ...screen, busy: true }, { do: 'verify', factor: screen.factor, value: event.value })
    case 'verified':
      return screen.at === 'factor' ? verified(state, screen, event.answer) : stay(state)
    case 'new-code':
      return screen.at === 'factor' ? show(state, { ...screen, codeSent: false }, { do: 'sms-code' }) : stay(state)
    case 'code-sent':
      return screen.at === 'factor' ? show(state, { ...screen, codeSent: true }) : stay(state)
    case 'new-link':
      return show(state, { at: 'closed', busy: true }, { do: 'new-link' })
    case 'not-me':
      return show(state, { at: 'ask-not-me', busy: true }, { do: 'not-me' })
    case 'stop':
      return show(state, { at: 'ask-stop', busy: true }, { do: 'stop' })
    case 'done':
      return show(state, { at: ({ 'new-link': 'new-link', 'not-me': 'not-me', stop: 'stopped' } as const)[event.what] })
    case 'check': {
      const host = hostOf(event.typed)
      if (host === null) return show(state, { at: 'check', busy: false, host: '', result: 'missing' })
      return show(state, { at: 'check', busy: true, host, result: 'none' }, { do: 'check', host })
    }
    case 'checked':
      if (screen.at !== 'check') return stay(state)
      return show(state, { ...screen, busy: false, result: event.ours ? 'ours' : 'not-ours' })
    case 'opening':
      return screen.at === 'opening' ? show(state, { at: 'opening', step: event.step }) : stay(state)
    case 'opened':
      return screen.at === 'opening' ? show({ ...state, extendedAt: state.now }, { at: 'conversation' }) : stay(state)
    case 'open-failed':
      return screen.at === 'opening' ? show(state, { at: 'failed', why: event.why }) : stay(state)
    case 'broken':
      return screen.at === 'failed' ? stay(state) : broken(state)
    case 'retry-open':
      if (state.token === null) return show(state, { at: 'check', busy: false, host: '', result: 'none' })
      return show({ ...state, session: null }, { at: 'opening', step: 'key' }, { do: 'resume', again: true })
    case 'activity':
      return activity(state)
    case 'tick':
      return tick({ ...state, now: event.now })
    default:
      return stay(state)
  }
}

/** Nothing is in flight any more: buttons work again. */
const idle = (screen: Screen): Screen => ('busy' in screen ? { ...screen, busy: false } : screen)

const openSession = (state: State, session: Session): Step =>
  show(
    { ...state, session, lang: state.langChosen ? state.lang : session.lang, talk: null, overlay: { is: 'none' } },
    { at: 'opening', step: 'key' },
    { do: 'open', session },
  )

type Facts = Pick<FactorScreen, 'reason' | 'expiresAt' | 'triesLeft'>

const nextFactor = (state: State, factors: FactorScreen['factor'][], facts: Facts, more: Effect[]): Step => {
  const factor = factors[0] ?? 'birth_date'
  const { reason, expiresAt, triesLeft } = facts
  const screen: Screen = {
    at: 'factor',
    factor,
    reason,
    expiresAt,
    triesLeft,
    fault: null,
    busy: false,
    codeSent: false,
  }
  return show(state, screen, ...more, ...(factor === 'sms_code' ? [{ do: 'sms-code' } as const] : []))
}

const verified = (state: State, screen: FactorScreen, answer: VerifyAnswer): Step => {
  switch (answer.state) {
    case 'closed':
      return show(state, { at: 'closed', busy: false })
    case 'locked':
      return show(state, { at: 'locked' })
    case 'wrong':
      return show(state, { ...screen, busy: false, fault: 'wrong', triesLeft: answer.triesLeft })
    case 'factors':
      return nextFactor(state, answer.factors, { ...screen, triesLeft: answer.triesLeft }, [])
    case 'session':
      return openSession(state, answer.session)
  }
}

const activity = (state: State): Step => {
  const { session, screen, overlay, now } = state
  if (!session || screen.at !== 'conversation' || overlay.is === 'idle' || overlay.is === 'reauth') return stay(state)
  if (now - state.extendedAt < extendEvery) return stay(state)
  return { state: { ...state, extendedAt: now }, effects: [{ do: 'extend' }] }
}

const tick = (state: State): Step => {
  const { session, screen, overlay } = state
  if (!session || screen.at !== 'conversation') return stay(state)
  const phase = phaseOf(session, state.now)
  if (phase === 'over') return ended(state, 'idle')
  if (phase === 'reauth') {
    if (overlay.is === 'reauth') return stay(state)
    return stay({ ...state, overlay: { is: 'reauth', fault: null, triesLeft: 0, busy: false } })
  }
  if (phase === 'warn' && overlay.is !== 'idle') return stay({ ...state, overlay: { is: 'idle' } })
  if (phase === 'fine' && overlay.is === 'idle') return stay({ ...state, overlay: { is: 'none' } })
  return stay(state)
}

/** A screen could not be drawn: the clinic is told, and what is on its way and what was typed get the time to be saved. */
const broken = (state: State): Step => {
  const { session, compose } = state
  const effects: Effect[] = session
    ? [
        { do: 'tell-broken', session },
        { do: 'let-go', draft: compose.text },
      ]
    : []
  return show({ ...state, overlay: { is: 'none' }, talk: null }, { at: 'failed', why: 'broken' }, ...effects)
}

/** Leaves the conversation: what was typed is saved under K before the device goes. */
export const ended = (state: State, why: 'you' | 'idle' | 'over'): Step => {
  const draft = state.compose.text
  return {
    state: {
      ...state,
      screen: { at: 'ended', why, draft: why !== 'over' && draft.trim() !== '' },
      session: null,
      talk: null,
      compose: emptyCompose,
      overlay: { is: 'none' },
      problem: null,
    },
    effects: state.session ? [{ do: 'close', session: state.session, draft, ends: why === 'you' }] : [],
  }
}
