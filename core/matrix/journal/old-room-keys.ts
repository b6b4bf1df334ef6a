import type { Instant } from '../../domain/clock.ts'

/** The SDK's store of received Megolm sessions. It costs about 15 kB of memory each, and nobody needs one again once its messages are handled. */
export const roomKeyStore = /^inbound_group_sessions\d*$/

/** Was this room key last written before `before`, and is it in the key backup already (the SDK marks what is not)? Then it may leave memory and database. */
export const isOldRoomKey = (record: { store: string; value: unknown; writtenAt: Instant }, before: Instant): boolean =>
  roomKeyStore.test(record.store) &&
  record.writtenAt < before &&
  !(record.value as { needs_backup?: unknown } | null)?.needs_backup
