/** A file of the conversation; its bytes stay encrypted until `loadMedia(id)` is called. */
export type Media = {
  id: string
  name: string
  mime: string
  /** Size in bytes, 0 where the sender did not say. */
  bytes: number
  width?: number
  height?: number
  seconds?: number
}

export type Content =
  | { kind: 'text'; body: string }
  | { kind: 'image' | 'voice' | 'file'; media: Media }
  /** Encrypted and still waiting for its key. */
  | { kind: 'opening' }
  | { kind: 'unreadable' }
  | { kind: 'removed' }
  | { kind: 'unsupported' }

/** `received` for the other side's messages; the rest are the steps of one's own. */
export type Mark = 'received' | 'sending' | 'sent' | 'read' | 'failed'

/** One message, in the order in which the room has it. Instants are milliseconds. */
export type Item = {
  id: string
  /** Stays the same while a message goes from written to sent, so that a screen reader hears it once; the id where nothing is said. */
  key?: string
  sender: string
  at: number
  content: Content
  mark: Mark
  edited?: boolean
  quote?: { sender: string; body: string }
  /** The patient's own words that came in as an unencrypted text. */
  bySms?: boolean
  /** Said by the clinic's system and not by a person. */
  automatic?: boolean
  /** The bridge's marks on a clinician's message; patients do not see them. */
  reactions?: string[]
}

/** What a Matrix client tells the views; a new value at every change. */
export type Talk = {
  me: string
  items: Item[]
  older: 'none' | 'some' | 'loading'
  connection: 'ok' | 'reconnecting'
}

export type Team = Record<string, { name: string; role: string }>
export type Lang = 'en' | 'es'

/** Bytes that were picked to be sent: already cleaned, not yet encrypted. */
export type Staged = {
  kind: 'image' | 'file' | 'voice'
  name: string
  blob: Blob
  url: string
  seconds?: number
  width?: number
  height?: number
}
