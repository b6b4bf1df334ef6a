import type { CryptoApi } from 'matrix-js-sdk/lib/crypto-api/index.js'

/** What a sync brings for the crypto library, as js-sdk passes it on. */
export type SyncChanges = {
  toDeviceEvents: readonly unknown[]
  deviceLists?: { changed?: readonly string[]; left?: readonly string[] }
  oneTimeKeysCounts?: Record<string, number>
  unusedFallbackKeys?: readonly string[]
}

/** What we use of js-sdk's RustCrypto beyond its public interface; a test checks that it is there. */
type Internals = {
  processSyncChanges(changes: SyncChanges): Promise<unknown[]>
  olmMachine: { markRequestAsSent(...args: unknown[]): Promise<unknown> }
}

/** For what the library does by the clock: a fallback key grows old, a verification times out. */
const atLeastEveryMs = 60_000

const bringsSomething = ({ toDeviceEvents, deviceLists }: SyncChanges): boolean =>
  toDeviceEvents.length > 0 || !!deviceLists?.changed?.length || !!deviceLists?.left?.length

/**
 * Keeps syncs that bring the crypto library nothing from it: no message to the device, no changed device list, and the counts of one-time keys that it was told
 * last. With each sync it saves and copies the whole account, for which it computes the public half of every one-time key anew: 8 ms of a fast processor, with
 * every message of every room, and on a cheap telephone many times that.
 */
export const passOverEmptySyncs = (crypto: CryptoApi): void => {
  const inner = crypto as unknown as Internals
  const { processSyncChanges, olmMachine } = inner
  const { markRequestAsSent } = olmMachine
  let told: { counts: string; at: number } | undefined
  // What was uploaded meanwhile changes what the counts mean.
  let sent = 0
  olmMachine.markRequestAsSent = (...args) => {
    sent += 1
    told = undefined
    return markRequestAsSent.apply(olmMachine, args)
  }
  inner.processSyncChanges = async changes => {
    const counts = JSON.stringify([changes.oneTimeKeysCounts, changes.unusedFallbackKeys])
    const now = performance.now()
    if (!bringsSomething(changes) && told?.counts === counts && now - told.at < atLeastEveryMs) return []
    told = undefined
    const before = sent
    const received = await processSyncChanges.call(inner, changes)
    if (sent === before) told = { counts, at: now }
    return received
  }
}
