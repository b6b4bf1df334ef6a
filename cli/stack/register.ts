import { createHmac } from 'node:crypto'

/** A new account with a first login. */
export type Registered = { userId: string; accessToken: string; deviceId: string }

export type NewAccount = { localpart: string; password: string; admin: boolean }

type Answer = { user_id: string; access_token: string; device_id: string; error?: string; errcode?: string }

/** Makes an account through Synapse's shared-secret registration (`/_synapse/admin/v1/register`) and logs it in. @throws with the homeserver's reason when it refuses. */
export const registerWithSecret = async (url: string, secret: string, account: NewAccount): Promise<Registered> => {
  const answer = await register(url, secret, account, true)
  if (answer.error) throw new Error(`The account ${account.localpart} could not be made: ${answer.error}`)
  return { userId: answer.user_id, accessToken: answer.access_token, deviceId: answer.device_id }
}

/** Makes an account without a device, or leaves the one that has the name. @throws with the homeserver's reason when it refuses. */
export const ensureAccount = async (url: string, secret: string, account: NewAccount): Promise<void> => {
  const answer = await register(url, secret, account, false)
  if (answer.error && answer.errcode !== 'M_USER_IN_USE')
    throw new Error(`The account ${account.localpart} could not be made: ${answer.error}`)
}

const register = async (url: string, secret: string, { localpart, password, admin }: NewAccount, login: boolean) => {
  const endpoint = `${url}/_synapse/admin/v1/register`
  const { nonce } = (await (await fetch(endpoint)).json()) as { nonce: string }
  const mac = createHmac('sha1', secret)
    .update([nonce, localpart, password, admin ? 'admin' : 'notadmin'].join('\0'))
    .digest('hex')
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ nonce, username: localpart, password, admin, mac, inhibit_login: !login }),
  })
  return (await response.json()) as Answer
}
