import type { JWK } from 'jose'
import { combine, split } from 'shamir-secret-sharing'

/** One officer's share of the recovery key: useless alone. `need` of `of` shares rebuild it. */
export type RecoveryShare = {
  wardroom: 'recovery share'
  kid: string
  need: number
  of: number
  number: number
  share: string
}

const utf8 = new TextEncoder()

/** Splits the officers' private key with Shamir's scheme over GF(2^8). @throws when `need` is not 2 to `of`, or `of` more than 20. */
export const splitRecovery = async (key: JWK, need: number, of: number): Promise<RecoveryShare[]> => {
  if (!(need >= 2 && of >= need && of <= 20))
    throw new Error('at least two shares must be needed, and at most twenty made')
  const shares = await split(utf8.encode(JSON.stringify(key)), of, need)
  return shares.map((share, i) => ({
    wardroom: 'recovery share',
    kid: String(key.kid),
    need,
    of,
    number: i + 1,
    share: Buffer.from(share).toString('base64url'),
  }))
}

/** Rebuilds it. @throws with a sentence when shares are too few, twice the same, or of different keys. */
export const joinRecovery = async (shares: readonly RecoveryShare[]): Promise<JWK> => {
  const [first] = shares
  if (!first) throw new Error('no share was given')
  if (shares.some(s => s.kid !== first.kid || s.need !== first.need || s.of !== first.of))
    throw new Error('these shares are of different keys')
  if (new Set(shares.map(s => s.number)).size < first.need) throw new Error(`${first.need} different shares are needed`)
  const joined = await combine(shares.map(s => new Uint8Array(Buffer.from(s.share, 'base64url'))))
  try {
    const key = JSON.parse(new TextDecoder().decode(joined)) as JWK
    if (key.kid !== first.kid) throw new Error('another key')
    return key
  } catch (cause) {
    throw new Error('these shares do not fit together', { cause })
  }
}
