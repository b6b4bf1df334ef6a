import wasmUrl from 'crypto.wasm?url'
import { initAsync } from '@matrix-org/matrix-sdk-crypto-wasm'
import { ConnectionError, HttpApiEvent, MatrixError } from 'matrix-js-sdk'
import { ApiError } from '../api.ts'
import { type Conversation, type OpenDeps, OpenFailed } from '../port.ts'
import { type Connection, connect, encryptedRoom, firstSync, flushBackup, ownSignature } from './connect.ts'
import { patientConversation } from './conversation.ts'
import { draftSeal } from './draft-seal.ts'
import { newKeyPair, unwrapKey } from './unwrap-key.ts'

/** Compiles the crypto library; the first call fetches it. */
export const warm = (): Promise<void> => initAsync(wasmUrl)

/**
 * From a session to open messages, in the one order that loses nothing: K → sync → own cross-signing keys → sign this device → wait for its
 * signature → key backup → read the dehydrated device (never written here) → flush the backup → composer on.
 */
export const open = async (deps: OpenDeps): Promise<Conversation> => {
  const { session, onStep } = deps
  let at = 'key'
  let connection: Connection | null = null
  try {
    onStep('key')
    const [k] = await Promise.all([fetchKey(deps), warm()])
    const seal = await draftSeal(k, session.userId)
    at = 'crypto'
    onStep('connect')
    connection = await connect(
      { ...session, baseUrl: location.origin, accessToken: session.csrf, fetchFn: patientFetch },
      k,
    )
    const { client, crypto } = connection
    listenForLogOut(connection, deps)
    at = 'sync'
    await firstSync(client, session, 40_000)
    at = 'signing'
    onStep('secure')
    await crypto.userHasCrossSigningKeys(session.userId, true)
    await crypto.bootstrapCrossSigning({})
    await ownSignature(crypto, session, 20_000)
    at = 'backup'
    onStep('messages')
    await crypto.loadSessionBackupPrivateKeyFromSecretStorage()
    await crypto.checkKeyBackupAndEnable()
    at = 'rehydration'
    await crypto.dehydratedDeviceManager.rehydrateDeviceIfAvailable()
    // Everything that needed K has it cached now.
    k.fill(0)
    at = 'flush'
    await flushBackup(connection, 10_000)
    at = 'room'
    await encryptedRoom(connection, session.roomId, 20_000)
    return await patientConversation(connection, seal, deps)
  } catch (error) {
    connection?.client.stopClient()
    throw failure(error, at)
  }
}

/** The cookie goes along. Calls about telephone conferences, which the SDK makes at every start, are answered here: the page has none. */
const patientFetch: typeof fetch = (url, init) =>
  String(url).includes('/rtc/transports')
    ? Promise.resolve(Response.json({ errcode: 'M_UNRECOGNIZED', error: 'not here' }, { status: 404 }))
    : fetch(url, { ...init, credentials: 'same-origin' })

const fetchKey = async ({ api, session }: OpenDeps): Promise<Uint8Array<ArrayBuffer>> => {
  const { privateKey, publicKey } = await newKeyPair()
  const { jwe } = await api.key(session, publicKey)
  return unwrapKey(jwe, privateKey)
}

const listenForLogOut = ({ client }: Connection, { onLoggedOut }: OpenDeps): void => {
  let told = false
  client.on(HttpApiEvent.SessionLoggedOut, error => {
    if (told) return
    told = true
    client.stopClient()
    const why = (error.data as Record<string, unknown> | undefined)?.['io.wardroom.why']
    onLoggedOut(why === 'over' ? 'over' : 'superseded')
  })
}

const failure = (error: unknown, at: string): OpenFailed => {
  const away =
    at === 'sync' ||
    error instanceof ConnectionError ||
    (error instanceof MatrixError && (error.httpStatus ?? 0) >= 500) ||
    (error instanceof ApiError && (error.status === 0 || error.status >= 502))
  return new OpenFailed(away ? 'homeserver' : 'setup', at, error)
}
