import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import type { Random } from './domain/clock.ts'
import type { SealingKeys } from './seal.ts'

/** The three files of a new installation: the services' sealing keys, the keeper's private half, the officers' private half (to be split and moved offline). */
export type NewKeys = { sealing: SealingKeys; keeper: JWK; recovery: JWK }

const pair = async (kid: string): Promise<{ public: JWK; private: JWK }> => {
  const { publicKey, privateKey } = await generateKeyPair('ECDH-ES+A256KW', { crv: 'P-256', extractable: true })
  return { public: { ...(await exportJWK(publicKey)), kid }, private: { ...(await exportJWK(privateKey)), kid } }
}

export const generateKeys = async (random: Random): Promise<NewKeys> => {
  const key = () => Buffer.from(random.bytes(32)).toString('base64url')
  const release = await pair('release-1')
  const recovery = await pair('recovery-1')
  return {
    sealing: {
      current: 'column-1',
      columns: { 'column-1': key() },
      lookup: key(),
      release: release.public,
      recovery: recovery.public,
    },
    keeper: release.private,
    recovery: recovery.private,
  }
}

/** Reads a JSON key file. @throws with a sentence that names the file, never its content. */
export const readKeyFile = <T>(file: string): T => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T
  } catch (cause) {
    throw new Error(`the key file ${file} cannot be read as JSON`, {
      cause: cause instanceof SyntaxError ? undefined : cause,
    })
  }
}

/** Writes a key file that only its owner may read; refuses to replace one. */
export const writeKeyFile = (file: string, keys: unknown): void => {
  writeFileSync(file, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  chmodSync(file, 0o600)
}
