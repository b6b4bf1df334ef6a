import type {
  Clinic,
  ConsentScope,
  ConsentView,
  ExtendAnswer,
  Factor,
  Lang,
  ReauthAnswer,
  Session,
  TapAnswer,
  VerifyAnswer,
} from '../contract.ts'
import type { Staged, Talk } from '../shared/conversation/item.ts'
import type { Compose, FactorFault, OpeningStep, Problem } from './model.ts'

/** What a person does, and what the outside answers. */
export type Event =
  | { type: 'clinic'; clinic: Clinic }
  | { type: 'begin'; wasm: boolean }
  | { type: 'resumed'; session: Session | null }
  | { type: 'language'; lang: Lang }
  | { type: 'online'; online: boolean }
  | { type: 'tick'; now: number }
  | { type: 'activity' }
  | { type: 'problem'; problem: Problem }
  /** The server itself says that it or the homeserver does not answer. */
  | { type: 'away' }
  | { type: 'go'; to: 'landing' | 'ask-not-me' | 'ask-stop' | 'check' }
  | { type: 'open' }
  | { type: 'tapped'; answer: TapAnswer }
  | { type: 'factor'; value: string | null; fault: FactorFault | null }
  | { type: 'verified'; answer: VerifyAnswer }
  | { type: 'new-code' }
  | { type: 'code-sent' }
  | { type: 'new-link' }
  | { type: 'not-me' }
  | { type: 'stop' }
  | { type: 'done'; what: 'new-link' | 'not-me' | 'stop' }
  | { type: 'check'; typed: string }
  | { type: 'checked'; ours: boolean }
  | { type: 'opening'; step: OpeningStep }
  | { type: 'opened' }
  | { type: 'open-failed'; why: 'setup' | 'homeserver' }
  | { type: 'retry-open' }
  /** A screen could not be drawn. */
  | { type: 'broken' }
  | { type: 'talk'; talk: Talk }
  | { type: 'draft'; text: string }
  | { type: 'write'; text: string }
  | { type: 'send' }
  | { type: 'pick'; file: File; kind: 'photo' | 'file' }
  | { type: 'staged'; staged: Staged }
  | { type: 'compose-notice'; notice: Compose['notice'] }
  | { type: 'unstage' }
  | { type: 'retry'; id: string }
  | { type: 'discard'; id: string }
  | { type: 'older' }
  | { type: 'seen'; id: string }
  | { type: 'show'; overlay: 'about' | 'consents' | 'leave' }
  | { type: 'close' }
  | { type: 'consents'; list: ConsentView[] | null }
  | { type: 'consent'; scope: ConsentScope; agreed: boolean }
  | { type: 'consent-failed' }
  | { type: 'stay' }
  | { type: 'extended'; answer: ExtendAnswer }
  | { type: 'reauth'; value: string | null; fault: FactorFault | null }
  | { type: 'reauthed'; answer: ReauthAnswer }
  | { type: 'log-off' }
  | { type: 'superseded' }
  | { type: 'over' }

/** What is to be done outside, in this order; data, so that the decisions can be tested without any of it. */
export type Effect =
  /** Asks for the session that this browser still has: after a reload, or (`again`) on a new device after a failed start. */
  | { do: 'resume'; again: boolean }
  | { do: 'tap' }
  | { do: 'verify'; factor: Factor; value: string }
  | { do: 'sms-code' }
  | { do: 'new-link' }
  | { do: 'not-me' }
  | { do: 'stop' }
  | { do: 'check'; host: string }
  | { do: 'preload' }
  | { do: 'open'; session: Session }
  | { do: 'save-draft'; text: string }
  | { do: 'send-text'; text: string }
  | { do: 'send-media'; staged: Staged }
  | { do: 'drop-media'; staged: Staged }
  | { do: 'prepare'; file: File; kind: 'photo' | 'file'; maxBytes: number }
  | { do: 'retry'; id: string }
  | { do: 'discard'; id: string }
  | { do: 'older' }
  | { do: 'seen'; id: string }
  | { do: 'load-consents' }
  | { do: 'set-consent'; scope: ConsentScope; agreed: boolean }
  | { do: 'extend' }
  | { do: 'reauth'; factor: Factor; value: string }
  /** Saves the draft and stops. `ends`: the person is done, the link is used up; otherwise only this device goes and the link opens again. */
  | { do: 'close'; session: Session; draft: string; ends: boolean }
  /** Saves the draft and what is on its way, and stops; the session goes on. */
  | { do: 'let-go'; draft: string }
  | { do: 'tell-broken'; session: Session }
  | { do: 'drop' }
