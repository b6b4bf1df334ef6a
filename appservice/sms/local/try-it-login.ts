import type { Random } from '../../../core/domain/clock.ts'
import { base32 } from '../../../core/domain/ids.ts'
import type { Log } from '../../../core/log.ts'
import type { Secret } from '../../../core/secret.ts'

/** `recoveryKey`: the key of the secret storage (32 bytes, base64) that the page sets up for an account that nobody has set up. */
export type DemoAccount = { userId: string; password: Secret; recoveryKey: Secret }

export type LoginDeps = { homeserverUrl: string; random: Random; log: Log }

type Login = { accessToken: string; deviceId: string }

const prefix = 'TRYIT'

/** Logins of the try-it page: each load of the page is a device, and no other device of it stays. */
export const demoLogin = ({ homeserverUrl, random, log }: LoginDeps) => {
  /** The tokens that this process gave out, by device; what an earlier process gave out goes at the next load. */
  const tokens = new Map<string, string>()
  const call = (method: string, path: string, token: string | null, body?: unknown) =>
    fetch(`${homeserverUrl}${path}`, {
      method,
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      body: body ? JSON.stringify(body) : undefined,
      signal: AbortSignal.timeout(15_000),
    })
  const identifier = (userId: string) => ({ type: 'm.id.user', user: userId })

  const logIn = async ({ userId, password }: DemoAccount): Promise<Login> => {
    const answer = await call('POST', '/_matrix/client/v3/login', null, {
      type: 'm.login.password',
      identifier: identifier(userId),
      password: password.reveal(),
      device_id: `${prefix}${base32(random.bytes(8)).toUpperCase()}`,
      initial_device_display_name: 'Try-it page',
    })
    if (!answer.ok) throw new Error(`the demo clinician could not log in: ${answer.status}`)
    const login = (await answer.json()) as { access_token: string; device_id: string }
    return { accessToken: login.access_token, deviceId: login.device_id }
  }

  /** Deletes what earlier loads left: a browser that crashed says no goodbye. Deleting asks for the password. */
  const prune = async ({ userId, password }: DemoAccount, { accessToken, deviceId }: Login): Promise<void> => {
    const list = await call('GET', '/_matrix/client/v3/devices', accessToken)
    if (!list.ok) throw new Error(`the devices could not be listed: ${list.status}`)
    const { devices } = (await list.json()) as { devices: { device_id: string }[] }
    const old = devices.map(d => d.device_id).filter(id => id.startsWith(prefix) && id !== deviceId)
    if (old.length === 0) return
    const remove = (auth?: object) =>
      call('POST', '/_matrix/client/v3/delete_devices', accessToken, { devices: old, auth })
    const first = await remove()
    if (!first.ok) {
      const { session } = (await first.json()) as { session?: string }
      const auth = { type: 'm.login.password', identifier: identifier(userId), password: password.reveal(), session }
      const second = await remove(auth)
      if (!second.ok) throw new Error(`earlier devices could not be deleted: ${second.status}`)
    }
    for (const id of old) tokens.delete(id)
  }

  return {
    begin: async (account: DemoAccount): Promise<Login> => {
      const login = await logIn(account)
      tokens.set(login.deviceId, login.accessToken)
      await prune(account, login).catch((err: unknown) => log.warn({ err }, 'devices of earlier try-it pages stay'))
      return login
    },
    /** Logs one of our devices out; one that is gone already, or is not ours, is left alone. */
    end: async (deviceId: string): Promise<void> => {
      const token = tokens.get(deviceId)
      if (!token) return
      tokens.delete(deviceId)
      const answer = await call('POST', '/_matrix/client/v3/logout', token)
      if (!answer.ok && answer.status !== 401) throw new Error(`the login stayed: ${answer.status}`)
    },
  }
}
