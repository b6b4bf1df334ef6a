import { type OlmMachine, type RoomKeyInfo, UserId as WasmUserId } from '@matrix-org/matrix-sdk-crypto-wasm'
import type { CryptoApi } from 'matrix-js-sdk/lib/crypto-api/index.js'

/** What we use of js-sdk's RustCrypto beyond its public interface; a test checks that it is there. */
type Internals = {
  olmMachine: OlmMachine
  onRoomKeysUpdated(keys: RoomKeyInfo[]): Promise<void>
  processSyncChanges(changes: unknown): Promise<unknown>
  outgoingRequestProcessor: { makeOutgoingRequest(request: unknown): Promise<void> }
  outgoingRequestsManager: { doProcessOutgoingRequests(): Promise<void> }
  dehydratedDeviceManager: {
    rehydrateDeviceIfAvailable(): Promise<boolean>
    createAndUploadDehydratedDevice(): Promise<void>
  }
  backupManager: {
    backupKeysLoopRunning: boolean
    backupKeysLoop(): Promise<void>
    constructor: { maxBackupLoopStartDelayMillis: number }
  }
}

const internals = (crypto: CryptoApi) => crypto as unknown as Internals

/** The crypto library itself, which tells more about a sender than js-sdk does. */
export const olmMachineOf = (crypto: CryptoApi): OlmMachine => internals(crypto).olmMachine

/** Calls `listener` for every room key that has come and is saved. */
export const onRoomKeys = (crypto: CryptoApi, listener: (roomId: string, sessionId: string) => void): void => {
  const inner = internals(crypto)
  const { onRoomKeysUpdated } = inner
  inner.onRoomKeysUpdated = async keys => {
    // The SDK's own handler frees the keys.
    const told = keys.map(k => [k.roomId.toString(), k.sessionId] as const)
    await onRoomKeysUpdated.call(inner, keys)
    for (const [roomId, sessionId] of told) listener(roomId, sessionId)
  }
}

/**
 * Calls `listener` when what a sync brought for the crypto (room keys among it) could not be taken in. js-sdk writes a line to a log and goes on with the
 * next sync, which tells the homeserver that it has everything: what it brought is then gone.
 */
export const onLostChanges = (crypto: CryptoApi, listener: (err: unknown) => void): void => {
  const inner = internals(crypto)
  const { processSyncChanges } = inner
  inner.processSyncChanges = async changes => {
    try {
      return await processSyncChanges.call(inner, changes)
    } catch (err) {
      listener(err)
      throw err
    }
  }
}

/** Asks the homeserver for users' devices and identities now, whatever we believe to know already. */
export const queryKeys = async (crypto: CryptoApi, userIds: readonly string[]): Promise<void> => {
  const inner = internals(crypto)
  const request = inner.olmMachine.queryKeysForUsers(userIds.map(id => new WasmUserId(id)))
  await inner.outgoingRequestProcessor.makeOutgoingRequest(request)
}

/** Does what the crypto library wants done at the homeserver (uploads of keys, queries), as a sync would each time: without one, all that waits for a query waits a second, or five. */
export const settleRequests = (crypto: CryptoApi): Promise<void> =>
  internals(crypto).outgoingRequestsManager.doProcessOutgoingRequests()

/** js-sdk's private hands on the dehydrated device (MSC3814). */
export const dehydrationOf = (crypto: CryptoApi): Internals['dehydratedDeviceManager'] =>
  internals(crypto).dehydratedDeviceManager

/** From now on room keys go to the backup at once: js-sdk waits up to ten seconds, also after the backup was enabled. For all clients of the process. */
export const backUpAtOnce = (crypto: CryptoApi): void => {
  internals(crypto).backupManager.constructor.maxBackupLoopStartDelayMillis = 0
}

/** Uploads to the key backup what is not there yet. @throws when a key stays behind. */
export const flushBackup = async (crypto: CryptoApi): Promise<void> => {
  const { backupManager, olmMachine } = internals(crypto)
  backUpAtOnce(crypto)
  while (backupManager.backupKeysLoopRunning) await new Promise(done => setTimeout(done, 15))
  await backupManager.backupKeysLoop()
  const { total, backedUp } = await olmMachine.roomKeyCounts()
  if (total !== backedUp) throw new Error(`${total - backedUp} room keys are not in the backup`)
}

type Call = (...args: never[]) => Promise<unknown>

/**
 * Runs each `receiveSyncChanges` inside `whole` (see the journal), and never while another call writes to Olm sessions: what such a call saves may leave this
 * machine, so that it can wait for no sync.
 */
export const takeSyncsWhole = (machine: OlmMachine, whole: <T>(work: () => Promise<T>) => Promise<T>): void => {
  let tail: Promise<unknown> = Promise.resolve()
  const oneByOne = (work: () => Promise<unknown>) => {
    const done = tail.then(work)
    tail = done.catch(() => undefined)
    return done
  }
  const calls = machine as unknown as Record<string, Call>
  const patch = (name: string, around: typeof whole) => {
    const call = calls[name]
    if (!call) throw new Error(`the crypto library has no ${name}`)
    calls[name] = (...args) => oneByOne(() => around(() => call.apply(machine, args)))
  }
  patch('receiveSyncChanges', whole)
  for (const name of ['shareRoomKey', 'shareRoomKeyBundleData', 'markRequestAsSent']) patch(name, work => work())
}
