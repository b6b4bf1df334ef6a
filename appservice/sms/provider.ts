import type { Instant } from '../../core/domain/clock.ts'
import type { TextId } from '../../core/domain/ids.ts'
import type { SmsErrorClass } from '../../core/domain/texts/sms-state.ts'

/** One text as a provider gets it. `to` is E.164. */
export type OutgoingSms = { textId: TextId; to: string; body: string }

/** `taken`: the provider has it under its own id. `refused`: it surely has not; only the class `transient` is worth another try. */
export type SendAnswer =
  | { kind: 'taken'; providerId: string }
  | { kind: 'refused'; code: string; class: SmsErrorClass; retryAfterMs?: number }

export type ProviderStatus = {
  signal: 'accepted' | 'delivered' | 'failed'
  error?: { code: string; class: SmsErrorClass }
}

/** Who carries texts. To add one: a file beside this and a line in `index.ts`. */
export interface SmsProvider {
  readonly name: string
  /** @throws NoAnswer when nobody can tell whether the text was taken: look it up before sending again. */
  send(sms: OutgoingSms): Promise<SendAnswer>
  /** Ids of texts to this number since then whose words contain `mark`, oldest first. @throws NoAnswer. */
  find(query: { to: string; since: Instant; mark: string }): Promise<string[]>
  /** How far a text has come; null when the provider does not know it. @throws NoAnswer. */
  status(providerId: string): Promise<ProviderStatus | null>
  /** Deletes an incoming text with its pictures; also when it is gone already. @throws NoAnswer. */
  erase(providerId: string): Promise<void>
}

/** The provider did not answer, or with a fault of its own. Its words are not kept: they may quote the number or the text. */
export class NoAnswer extends Error {
  readonly code: string
  constructor(code: string) {
    super(`the SMS provider gave no usable answer (${code})`)
    this.name = 'NoAnswer'
    this.code = code
  }
}
