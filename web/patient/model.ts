import type { Clinic, ConsentView, Factor, Lang, Reason, Session } from '../contract.ts'
import type { Staged, Talk } from '../shared/conversation/item.ts'

export type OpeningStep = 'key' | 'connect' | 'secure' | 'messages'
export type Problem = 'network' | 'server' | 'too-many'
export type FactorFault = 'missing' | 'not-real' | 'wrong'
export type EndReason = 'you' | 'idle' | 'over'

export type FactorScreen = {
  at: 'factor'
  factor: Factor
  reason: Reason
  expiresAt: number
  triesLeft: number
  fault: FactorFault | null
  busy: boolean
  codeSent: boolean
}

export type Screen =
  | { at: 'starting' }
  | { at: 'landing'; busy: boolean }
  | { at: 'ask-not-me'; busy: boolean }
  | { at: 'ask-stop'; busy: boolean }
  | { at: 'not-me' }
  | { at: 'stopped' }
  | { at: 'locked' }
  | { at: 'closed'; busy: boolean }
  | { at: 'new-link' }
  | { at: 'check'; busy: boolean; host: string; result: 'none' | 'missing' | 'ours' | 'not-ours' }
  | FactorScreen
  | { at: 'opening'; step: OpeningStep }
  | { at: 'failed'; why: 'setup' | 'homeserver' | 'broken' }
  | { at: 'conversation' }
  | { at: 'ended'; why: EndReason; draft: boolean }
  | { at: 'other-tab' }
  | { at: 'no-wasm' }

export type Overlay =
  | { is: 'none' }
  | { is: 'about' }
  | { is: 'consents'; list: ConsentView[] | null; saving: string | null; note: 'none' | 'saved' | 'failed' }
  | { is: 'leave' }
  | { is: 'idle' }
  | { is: 'reauth'; fault: FactorFault | null; triesLeft: number; busy: boolean }

export type Compose = {
  text: string
  staged: Staged | null
  preparing: boolean
  notice: 'too-long' | 'too-big' | 'empty' | 'bad-photo' | 'no-microphone' | null
}

/** All that the page knows; the views draw it and nothing else. Instants are milliseconds. */
export type State = {
  lang: Lang
  /** The person chose the language by hand: the record's language no longer changes it. */
  langChosen: boolean
  clinic: Clinic | null
  /** From the address; null on /check. */
  token: string | null
  online: boolean
  problem: Problem | null
  screen: Screen
  session: Session | null
  /** When the page last told the server that the person is active. */
  extendedAt: number
  now: number
  talk: Talk | null
  compose: Compose
  overlay: Overlay
}

export const emptyCompose: Compose = { text: '', staged: null, preparing: false, notice: null }

/** The state before anything is known. */
export const initialState = (token: string | null, lang: Lang, now: number): State => ({
  lang,
  langChosen: false,
  clinic: null,
  token,
  online: true,
  problem: null,
  screen: { at: 'starting' },
  session: null,
  extendedAt: now,
  now,
  talk: null,
  compose: emptyCompose,
  overlay: { is: 'none' },
})
