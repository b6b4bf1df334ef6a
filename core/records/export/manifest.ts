import type { PackedFile } from './package-writer.ts'

/** `manifest.json`, the last file of a package: what it holds, what it does not, and the SHA-256 of every other file. */
export type Manifest = {
  wardroom: 'export'
  version: 1
  request: {
    id: string
    about: Record<string, string>
    since: string | null
    until: string
    copy: boolean
    reason: string | null
    requested_by: string
    requested_at: string
    approved_by: string
    approved_at: string
    run: number
    recipients: string[]
  }
  made_at: string
  homeserver: string
  rooms: ManifestRoom[]
  /** Who an opaque user is. */
  people: Record<string, string>
  counts: Record<string, number>
  /** How many events could not be read, by why; `unreadable.jsonl` names each. */
  unreadable: Record<string, number>
  audit: ManifestAudit | null
  files: PackedFile[]
}

export type ManifestRoom = {
  room: string
  class: string
  /** When the room was told, or why nobody of ours could. */
  told_at: string | null
  untold: string | null
  events: number
  room_keys: number
  /** Why keys may be missing, as codes. */
  problems: string[]
}

/** `complete`: the log had taken in everything about this export when the package was written. */
export type ManifestAudit = { origin_checkpoint_size: number; entries: number; complete: boolean }

/** One line of `audit/entries.jsonl`: an entry's leaf, exactly as it is hashed, with its inclusion proof (RFC 6962) under `audit/checkpoint`. */
export type ProvenEntry = { index: number; leaf: string; proof: string[] }

/** One line of `events.jsonl`, in the order of `messages.jsonl`. `sha256`: of the ciphertext, or of the content's canonical JSON where it was sent in clear; null without `stored`. */
export type EventHash = { event_id: string; room_id: string; sha256: string | null }

export const paths = {
  manifest: 'manifest.json',
  messages: 'messages.jsonl',
  events: 'events.jsonl',
  membership: 'membership.jsonl',
  receipts: 'receipts.jsonl',
  unreadable: 'unreadable.jsonl',
  page: 'index.html',
  entries: 'audit/entries.jsonl',
  checkpoint: 'audit/checkpoint',
  keys: 'audit/keys.json',
} as const
