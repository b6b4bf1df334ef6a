import { createHmac } from 'node:crypto'

/** A new account with a first login. */
export type Registered = { userId: string; accessToken: string; deviceId: string }

type Registration = { url: string; secret: string; localpart: string; password: string; admin: boolean }

/** Makes an account through Synapse's shared-secret registration (`/_synapse/admin/v1/register`); throws with the homeserver's reason when it refuses. */
export const registerWithSecret = async ({
  url,
  secret,
  localpart,
  password,
  admin,
}: Registration): Promise<Registered> => {
  const endpoint = `${url}/_synapse/admin/v1/register`
  const { nonce } = (await (await fetch(endpoint)).json()) as { nonce: string }
  const mac = createHmac('sha1', secret)
    .update([nonce, localpart, password, admin ? 'admin' : 'notadmin'].join('\0'))
    .digest('hex')
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ nonce, username: localpart, password, admin, mac }),
  })
  const answer = (await response.json()) as { user_id: string; access_token: string; device_id: string; error?: string }
  if (!response.ok) throw new Error(`The account ${localpart} could not be made: ${answer.error ?? response.status}`)
  return { userId: answer.user_id, accessToken: answer.access_token, deviceId: answer.device_id }
}
