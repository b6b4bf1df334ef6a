import { compactDecrypt, exportJWK, generateKeyPair } from 'jose'
import { EventType, type MatrixClient } from 'matrix-js-sdk'
import { eventually } from '../../test/support/eventually.ts'
import { birthDay } from '../../test/support/worlds/wardroom.ts'
import type { Session, VerifyAnswer } from '../../web/contract.ts'
import { connect, encryptedRoom, firstSync, flushBackup, ownSignature } from '../../web/patient/matrix/connect.ts'

export type Visit = { client: MatrixClient; session: Session; end(): Promise<void> }

/** A kept connection that the server closed just before it was used again: a browser asks once more by itself, Node's fetch does not. */
const closedBefore = (error: unknown): boolean =>
  ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(
    ((error as Error).cause as { code?: string } | undefined)?.code ?? '',
  )

const asBrowser = (input: string | URL | Request, init: RequestInit): Promise<Response> =>
  fetch(input, init).catch(error => {
    if (!closedBefore(error)) throw error
    return fetch(input, init)
  })

/** What a browser does with cookies. */
const cookieJar = (publicUrl: string) => {
  const cookies = new Map<string, string>()
  const fetchFn: typeof fetch = async (input, init) => {
    const headers = new Headers(init?.headers)
    headers.set('sec-fetch-site', 'same-origin')
    headers.set('origin', publicUrl)
    if (cookies.size > 0) headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '))
    const answer = await asBrowser(input, { ...init, headers })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    return answer
  }
  const post = async <T>(path: string, body: unknown, bearer?: string): Promise<T> => {
    const answer = await fetchFn(publicUrl + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(bearer ? { authorization: `Bearer ${bearer}` } : {}) },
      body: JSON.stringify(body),
    })
    if (!answer.ok) throw new Error(`${path} was answered ${answer.status}`)
    return (answer.status === 204 ? undefined : await answer.json()) as T
  }
  return { fetchFn, post }
}

/** A patient's visit without the browser: tap, birth date, K from the keeper, and the page's own steps with the page's own SDK, through the same proxy. */
export const visit = async (publicUrl: string, link: string): Promise<Visit> => {
  const { fetchFn, post } = cookieJar(publicUrl)
  const token = link.slice(link.lastIndexOf('/') + 1)
  await post('/api/link/tap', { token })
  const verified = await post<VerifyAnswer>('/api/link/verify', { token, factor: 'birth_date', value: birthDay.iso })
  if (verified.state !== 'session') throw new Error(`the birth date was answered ${verified.state}`)
  const { session } = verified
  const { publicKey, privateKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true })
  const { jwe } = await post<{ jwe: string }>(
    '/api/session/key',
    { publicKey: await exportJWK(publicKey) },
    session.csrf,
  )
  const k = (await compactDecrypt(jwe, privateKey)).plaintext
  const patience = 300_000
  const { userId, deviceId, csrf: accessToken, roomId } = session
  const connection = await connect({ baseUrl: publicUrl, userId, deviceId, accessToken, fetchFn }, k)
  const { client, crypto } = connection
  const end = async () => {
    client.stopClient()
    await post('/api/session/end', {}, session.csrf)
  }
  try {
    await firstSync(client, session, patience)
    await crypto.userHasCrossSigningKeys(userId, true)
    await crypto.bootstrapCrossSigning({})
    await ownSignature(crypto, session, patience)
    await crypto.loadSessionBackupPrivateKeyFromSecretStorage()
    await crypto.checkKeyBackupAndEnable()
    await crypto.dehydratedDeviceManager.rehydrateDeviceIfAvailable()
    await flushBackup(connection, patience)
    await encryptedRoom(connection, roomId, patience)
    return { client, session, end }
  } catch (error) {
    client.stopClient()
    throw error
  }
}

/** Waits until a message of this text is decrypted in the visitor's room. */
export const awaitMessage = async ({ client, session }: Visit, body: string): Promise<void> => {
  await eventually(
    () =>
      client
        .getRoom(session.roomId)
        ?.getLiveTimeline()
        .getEvents()
        .some(
          ev => ev.getType() === EventType.RoomMessage && !ev.isDecryptionFailure() && ev.getContent().body === body,
        ),
    { timeout: 120_000, interval: 100, what: `“${body}”, decrypted` },
  )
}

export const answer = async ({ client, session }: Visit, body: string): Promise<void> => {
  await client.sendEvent(session.roomId, EventType.RoomMessage, { msgtype: 'm.text', body } as never)
}
