import type { Instant } from '../../domain/clock.ts'
import type { DeviceId, UserId } from '../../domain/ids.ts'
import { type StoreDeps, txOn } from '../tx.ts'
import { fenced, type Lease } from './leases.ts'

/** A bot's only device. `k`: the 32-byte key of its secret storage, base64. `identityKey`: the device's Ed25519 key; `masterKey`: set when cross-signing is complete. `beat`: grows while it runs; a database in which it is lower than at the homeserver is an old one. */
export type BotDevice = {
  deviceId: DeviceId
  identityKey: string | null
  masterKey: string | null
  k: string | null
  createdAt: Instant
  beat: number
}

const context = 'bot_device.secrets'
type Row = {
  device_id: string
  identity_key: string | null
  master_key: string | null
  secrets: string | null
  created_at: number
  beat: number
}

export const botDevice = async (store: StoreDeps, bot: UserId): Promise<BotDevice | null> => {
  const row: Row | undefined = await store.db('bot_device').where({ bot }).first()
  if (!row) return null
  return {
    deviceId: row.device_id as DeviceId,
    identityKey: row.identity_key,
    masterKey: row.master_key,
    k: row.secrets === null ? null : await store.seal.open(context, row.secrets),
    createdAt: row.created_at,
    beat: row.beat,
  }
}

/** Writes a bot's device, as its leader. @throws LeaseLost */
export const saveBotDevice = async (store: StoreDeps, lease: Lease, bot: UserId, device: BotDevice): Promise<void> => {
  const row: Row = {
    device_id: device.deviceId,
    identity_key: device.identityKey,
    master_key: device.masterKey,
    secrets: device.k === null ? null : await store.seal.close(context, device.k),
    created_at: device.createdAt,
    beat: device.beat,
  }
  await fenced(store.db, lease, async sql => {
    await sql('bot_device')
      .insert({ bot, ...row })
      .onConflict('bot')
      .merge()
  })
}

/** Forgets a bot's crypto store and device, as its leader, and audits it; the identity's secrets stay when `keep` says so. @throws LeaseLost */
export const wipeBotCrypto = async (
  store: StoreDeps,
  lease: Lease,
  bot: UserId,
  next: BotDevice,
  by: string,
): Promise<void> => {
  const secrets = next.k === null ? null : await store.seal.close(context, next.k)
  await fenced(store.db, lease, async sql => {
    await sql('crypto_record').where({ bot }).delete()
    await sql('crypto_schema').where({ bot }).delete()
    const row = { device_id: next.deviceId, identity_key: null, master_key: next.masterKey, secrets, beat: next.beat }
    await sql('bot_device')
      .insert({ bot, ...row, created_at: next.createdAt })
      .onConflict('bot')
      .merge()
    await txOn(store, sql).audit({
      actor: { kind: 'user', id: by },
      action: 'crypto.reset',
      object: { kind: 'device', id: next.deviceId },
      outcome: 'done',
      detail: { bot, identity: next.masterKey === null ? 'new' : 'kept' },
    })
  })
}

/** The users that have a device as a bot. */
export const botUsers = (db: StoreDeps['db']): Promise<UserId[]> => db('bot_device').orderBy('bot').pluck('bot')
