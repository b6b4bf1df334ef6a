import wasmUrl from 'crypto.wasm?url'
import { initAsync } from '@matrix-org/matrix-sdk-crypto-wasm'
import { HttpApiEvent, type MatrixClient } from 'matrix-js-sdk'
import { OnlySignedDevicesIsolationMode } from 'matrix-js-sdk/lib/crypto-api/index.js'
import { encodeRecoveryKey } from 'matrix-js-sdk/lib/crypto-api/recovery-key.js'
import type { TryIt } from '../../contract.ts'
import { fromBase64 } from '../../patient/matrix/base64.ts'
import { type Connection, connect, encryptedRoom, firstSync } from '../../patient/matrix/connect.ts'
import { type Live, liveRoom } from '../../patient/matrix/live.ts'
import type { Talk } from '../../shared/conversation/item.ts'
import { clinicianName, type Person } from '../people.ts'
import { botChat } from './bot.ts'
import { SetUpElsewhere, signDevice } from './identity.ts'
import { type CareRoom, chosenPerson, earlierRoom, enrol, leavePatient } from './patient.ts'

export type Ready = Extract<TryIt, { state: 'ready' }>

export type Clinician = Live & {
  me: string
  /** E.g. `Dr. Lee`. */
  name: string
  person: Person
  /** For a further client of this account, as Element asks for it. */
  recoveryKey: string
  homeserverUrl: string
  /** Closes this patient; the page is then loaded anew and takes the next one. */
  startOver: () => Promise<void>
}

export type Watch = {
  /** A step of the setting up begins; the ones before are done. */
  onStep: (text: string, command?: string) => void
  /** Who is played, and so which telephone is shown. */
  onPerson: (person: Person) => void
  onTalk: (talk: Talk) => void
  /** The login is gone: the page was opened elsewhere. */
  onEnd: () => void
}

/** Asks for a login until one can be used; null when every demo clinician was set up in another client. */
export const open = async (watch: Watch): Promise<Clinician | null> => {
  const not: string[] = []
  for (;;) {
    const given = await askLogin(not)
    if (given.state === 'nobody') return null
    closeWithPage(given.deviceId)
    try {
      return await signIn(given, watch)
    } catch (error) {
      if (!(error instanceof SetUpElsewhere)) throw error
      tellClosed(given.deviceId)
      not.push(given.userId)
    }
  }
}

const askLogin = async (not: string[]): Promise<TryIt> => {
  const answer = await fetch('/api/tryit', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ not }),
  })
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`)
  return (await answer.json()) as TryIt
}

const tellClosed = (deviceId: string) =>
  navigator.sendBeacon('/api/tryit/close', new Blob([JSON.stringify({ deviceId })], { type: 'application/json' }))

/** The device goes with the page; a page that the browser brings back from its memory begins anew. */
const closeWithPage = (deviceId: string): void => {
  addEventListener('pagehide', () => tellClosed(deviceId), { once: true })
  addEventListener('pageshow', event => event.persisted && location.reload(), { once: true })
}

const signIn = async (given: Ready, watch: Watch): Promise<Clinician> => {
  const { homeserverUrl: baseUrl, userId, deviceId, accessToken } = given
  watch.onStep(`Signing in as ${clinicianName(userId)}`)
  await initAsync(wasmUrl)
  const key = fromBase64(given.recoveryKey)
  const fetchFn: typeof fetch = (url, init) => fetch(url, init)
  const connection = await connect({ baseUrl, userId, deviceId, accessToken, fetchFn }, key)
  const { client, crypto } = connection
  try {
    client.on(HttpApiEvent.SessionLoggedOut, watch.onEnd)
    crypto.setDeviceIsolationMode(new OnlySignedDevicesIsolationMode())
    await firstSync(client, { userId }, 40_000)
    watch.onStep('Setting up end-to-end encryption on this device')
    await signDevice(connection, { userId, deviceId, key })
    await nameOnce(client, userId)
    watch.onPerson(chosenPerson(client))
    const room = await careRoom(connection, given.bot, watch)
    const live = await liveRoom(connection, {
      me: userId,
      roomId: room.roomId,
      bearer: accessToken,
      hidden: [],
      reactions: true,
      onTalk: watch.onTalk,
      onUnreadable: async () => undefined,
    })
    const startOver = async () => leavePatient(client, await botChat(connection, given.bot), room)
    const recoveryKey = encodeRecoveryKey(key) ?? ''
    return {
      ...live,
      me: userId,
      name: clinicianName(userId),
      person: room.person,
      recoveryKey,
      homeserverUrl: baseUrl,
      startOver,
    }
  } catch (error) {
    client.removeAllListeners()
    client.stopClient()
    throw error
  }
}

const careRoom = async (connection: Connection, bot: string, { onStep }: Watch): Promise<CareRoom> => {
  const earlier = earlierRoom(connection.client)
  if (earlier) {
    onStep(`Opening the care room of ${earlier.person.name}`)
    await encryptedRoom(connection, earlier.roomId, 20_000)
    return earlier
  }
  onStep('Opening the encrypted chat with @wardroom')
  const chat = await botChat(connection, bot)
  return enrol(connection, chat, { step: onStep })
}

/** A new account is called by its user name, which is what patients would see. */
const nameOnce = async (client: MatrixClient, userId: string): Promise<void> => {
  const { displayname } = await client.getProfileInfo(userId, 'displayname').catch(() => ({ displayname: '' }))
  if (displayname === userId.slice(1).split(':')[0]) await client.setDisplayName(clinicianName(userId))
}
