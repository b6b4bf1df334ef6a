import { minutes } from '../../domain/clock.ts'
import { base58Token, newId, type UserId } from '../../domain/ids.ts'
import { tokenHash } from '../links/links.ts'
import type { Tx } from '../tx.ts'

/** How long a link to the administrators' page opens it. */
export const adminLinkLife = minutes(10)

/**
 * A one-time link to the administrators' page for one person; links that they had before open nothing any more. Its token (128 random bits, kept as a hash)
 * stands behind `#`, which no browser sends: it is in no server's log, and what fetches the address for a preview sees only the empty page.
 */
export const createAdminLink = async (
  tx: Tx,
  { user, adminUrl }: { user: UserId; adminUrl: string },
): Promise<{ url: string; expiresAt: number }> => {
  await withdrawAdminLinks(tx, user)
  const token = base58Token(tx.deps.random.bytes(16))
  const id = newId<string>('al', tx.deps.random)
  const expiresAt = tx.now + adminLinkLife
  await tx.sql('admin_link').insert({
    id,
    user_id: user,
    token_hash: tokenHash(token),
    created_at: tx.now,
    expires_at: expiresAt,
  })
  await tx.audit({
    actor: { kind: 'user', id: user },
    action: 'admin.link',
    object: { kind: 'service', id: 'admin' },
    outcome: 'done',
    detail: { link: id },
  })
  return { url: `${adminUrl.replace(/\/+$/, '')}/sign-in#${token}`, expiresAt }
}

/** Closes the links of a person that were not used yet. */
export const withdrawAdminLinks = async (tx: Tx, user: string): Promise<void> => {
  await tx
    .sql('admin_link')
    .where({ user_id: user })
    .whereNull('used_at')
    .whereNull('withdrawn_at')
    .update({ withdrawn_at: tx.now })
}

/** Uses a token up and says whose it was; or why it opens nothing, a code for the log alone. */
export const takeAdminLink = async (
  tx: Tx,
  token: string,
): Promise<{ id: string; user: UserId } | { closed: 'unknown' | 'used' | 'withdrawn' | 'expired'; user?: UserId }> => {
  const link = await tx
    .sql('admin_link')
    .where({ token_hash: tokenHash(token) })
    .forUpdate()
    .first()
  if (!link) return { closed: 'unknown' }
  const user = link.user_id as UserId
  if (link.used_at !== null) return { closed: 'used', user }
  if (link.withdrawn_at !== null) return { closed: 'withdrawn', user }
  if (tx.now >= link.expires_at) return { closed: 'expired', user }
  await tx.sql('admin_link').where({ id: link.id }).update({ used_at: tx.now })
  return { id: link.id, user }
}
