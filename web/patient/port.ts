import type { Session } from '../contract.ts'
import type { Staged, Talk } from '../shared/conversation/item.ts'
import type { Api } from './api.ts'
import type { OpeningStep } from './model.ts'

/** The live conversation as the page sees it; everything Matrix is behind it, in a chunk of its own. */
export type Conversation = {
  sendText: (text: string) => void
  sendMedia: (staged: Staged) => void
  /** Sends a failed message again, under the same transaction id. */
  retry: (id: string) => void
  discard: (id: string) => void
  /** The connection is back: what failed for lack of it goes out. */
  resend: () => void
  older: () => void
  seen: (id: string) => void
  loadMedia: (id: string) => Promise<string>
  /** Encrypts under K and saves, a moment after the last key; `flush` waits for it. */
  saveDraft: (text: string) => void
  /** Saves the draft, flushes the key backup and stops; the server then deletes the device. */
  close: (draft: string) => Promise<void>
  /** Stops at once, without a call. */
  drop: () => void
}

export type OpenDeps = {
  api: Api
  session: Session
  onStep: (step: OpeningStep) => void
  onTalk: (talk: Talk) => void
  onDraft: (text: string) => void
  /** The device was replaced by a newer tab, or the session is over at the server. */
  onLoggedOut: (why: 'superseded' | 'over') => void
}

/** The lazy chunk. `open` rejects with `OpenFailed` when the messages cannot be opened. */
export type MatrixChunk = {
  warm: () => Promise<void>
  open: (deps: OpenDeps) => Promise<Conversation>
  preparePhoto: (file: File) => Promise<Staged>
}

/** Why opening failed: `homeserver` when the message service does not answer, else `setup`. `code` is for the closed loop, without content. */
export class OpenFailed extends Error {
  readonly why: 'setup' | 'homeserver'
  readonly code: string
  constructor(why: 'setup' | 'homeserver', code: string, cause?: unknown) {
    super(`${why}: ${code}`, { cause })
    this.why = why
    this.code = code
  }
}
