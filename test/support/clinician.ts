import { randomBytes } from 'node:crypto'
import type { MatrixClient } from 'matrix-js-sdk'
import { stopSdkClient } from '../../core/matrix/sdk-client.ts'
import { type Acts, actsOf } from './clinician/acts.ts'
import { type Account, type ClinicianOptions, type Network, openClient, signedByOwner } from './clinician/client.ts'
import { type Shows, showsOf } from './clinician/seen.ts'
import { stack } from './stack.ts'

/** A real Matrix client as a clinician uses one: cross-signing, secret storage, key backup, memory stores. */
export type Clinician = Acts &
  Shows & {
    readonly client: MatrixClient
    readonly userId: string
    readonly deviceId: string
    readonly accessToken: string
    /** For further logins; empty when unknown. */
    readonly password: string
    /** The secret storage key: signs a second device of this account. Empty when `signed` was false. */
    readonly recoveryKey: Uint8Array
    readonly network: Network
    /** Replaces this account's cross-signing identity, as a person who lost everything does. */
    resetIdentity(): Promise<void>
    stop(): Promise<void>
  }

/** Signs in with an existing account; for a homeserver that the test or demo started itself. */
export const openClinician = async (account: Account, options: ClinicianOptions = {}): Promise<Clinician> => {
  const opened = await openClient(account, options)
  const { client, crypto, network, authUploadDeviceSigningKeys } = opened
  const { userId, deviceId, accessToken, password = '' } = account
  return {
    ...actsOf(opened),
    ...showsOf(opened),
    client,
    userId,
    deviceId,
    accessToken,
    password,
    get recoveryKey() {
      return opened.recoveryKey()
    },
    network,
    resetIdentity: async () => {
      await crypto.bootstrapCrossSigning({ setupNewCrossSigning: true, authUploadDeviceSigningKeys })
      await signedByOwner(client, userId, deviceId)
    },
    stop: async () => {
      stopSdkClient(client)
    },
  }
}

/** A new account on this process's test homeserver with a running client; several get separate accounts. Stop it in the test's `after`. */
export const clinician = async (localpart: string, options: ClinicianOptions = {}): Promise<Clinician> => {
  const { synapse } = await stack()
  const account = await synapse.registerUser(`${localpart}-${randomBytes(3).toString('hex')}`)
  return openClinician({ url: synapse.url, ...account }, { displayName: localpart, ...options })
}

/** A further login of the same account. */
export const logIn = async (url: string, userId: string, password: string): Promise<Account> => {
  const response = await fetch(`${url}/_matrix/client/v3/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'm.login.password', identifier: { type: 'm.id.user', user: userId }, password }),
  })
  const answer = (await response.json()) as { access_token: string; device_id: string; error?: string }
  if (!response.ok) throw new Error(`${userId} could not log in: ${answer.error ?? response.status}`)
  return { url, userId, accessToken: answer.access_token, deviceId: answer.device_id, password }
}

/** Another device of the same person: signed with the first one's recovery key unless `signed` is false. */
export const anotherDevice = async (first: Clinician, options: ClinicianOptions = {}): Promise<Clinician> => {
  const account = await logIn(first.client.getHomeserverUrl(), first.userId, first.password)
  const recoveryKey = options.signed === false ? undefined : first.recoveryKey
  return openClinician(account, { ...options, recoveryKey })
}
