/** One outgoing text. `sending`: handed to the provider, answer not known yet; after a crash it is looked up there before it is sent again. */
export const textStates = ['pending', 'sending', 'sent', 'delivered', 'failed', 'unknown'] as const
export type TextState = (typeof textStates)[number]

/** What a provider's error means for us; only `transient` is tried again. */
export type SmsErrorClass =
  | 'transient'
  | 'opted_out'
  | 'landline'
  | 'invalid_number'
  | 'unreachable'
  | 'unregistered_sender'
  | 'filtered'
  | 'configuration'
  | 'unknown'

export type TextSignal =
  | { kind: 'sending' }
  | { kind: 'accepted' }
  | { kind: 'delivered' }
  | { kind: 'failed' }
  /** No news from the provider within the time that carriers need. */
  | { kind: 'silent' }

const rank: Record<TextState, number> = { pending: 0, sending: 1, sent: 2, unknown: 3, failed: 4, delivered: 5 }
const target: Record<TextSignal['kind'], TextState> = {
  sending: 'sending',
  accepted: 'sent',
  silent: 'unknown',
  failed: 'failed',
  delivered: 'delivered',
}

/** The state after a signal. Callbacks come late, twice and out of order: a state never falls back, and a delivery report outweighs all others. */
export const advanceText = (state: TextState, signal: TextSignal): TextState => {
  const next = target[signal.kind]
  return rank[next] > rank[state] ? next : state
}

export const isFinal = (state: TextState): boolean => state === 'delivered' || state === 'failed'
