import type { Knex } from 'knex'
import type { UserId } from '../../domain/ids.ts'
import type { Db } from '../db.ts'
import type { Tx } from '../tx.ts'

/** One key backup of the records bot. `sealedPrivate` opens with the officers' joined recovery key alone; `version`: null until the homeserver has made it. */
export type Escrow = {
  publicKey: string
  owner: UserId
  version: string | null
  sealedPrivate: string
  createdAt: number
}

/** The context under which a backup's private key is sealed. */
export const escrowContext = (publicKey: string): string => `key_escrow ${publicKey}`

const toEscrow = (r: Record<string, unknown>): Escrow => ({
  publicKey: r.public_key as string,
  owner: r.owner as UserId,
  version: r.version as string | null,
  sealedPrivate: r.sealed_private as string,
  createdAt: r.created_at as number,
})

/** Every backup that there ever was, oldest first. */
export const listEscrows = async (sql: Db | Knex.Transaction): Promise<Escrow[]> =>
  (await sql('key_escrow').orderBy('created_at')).map(toEscrow)

/** Keeps a new backup's sealed private key, before the homeserver hears of its public half. */
export const addEscrow = async (tx: Tx, e: Pick<Escrow, 'publicKey' | 'owner' | 'sealedPrivate'>): Promise<void> => {
  await tx
    .sql('key_escrow')
    .insert({ public_key: e.publicKey, owner: e.owner, sealed_private: e.sealedPrivate, created_at: tx.now })
  await tx.audit({
    actor: { kind: 'service', id: 'records' },
    action: 'escrow.create',
    object: { kind: 'service', id: 'escrow' },
    outcome: 'done',
    detail: { public_key: e.publicKey },
  })
}

/** Notes under which version the homeserver keeps it. */
export const versionEscrow = async (tx: Tx, publicKey: string, version: string): Promise<void> => {
  await tx.sql('key_escrow').where({ public_key: publicKey }).whereNull('version').update({ version })
}
