import type { Knex } from 'knex'
import { hours, type Instant } from '../../domain/clock.ts'
import { base58Token, newId } from '../../domain/ids.ts'
import { type Refusal, refuse } from '../../domain/refusal.ts'
import { roles } from '../../domain/roles.ts'
import { sameSecret } from '../../secret.ts'
import type { Db } from '../db.ts'
import { tokenHash } from '../links/links.ts'
import { holdersOf } from '../staff/roles.ts'
import type { Tx } from '../tx.ts'

/** An address at which a calendar program finds the duties of a role or of a person. */
export type OnCallFeed = {
  id: string
  about: { role: string } | { person: string }
  madeAt: Instant
  madeBy: string
  /** To the hour. */
  fetchedAt: Instant | null
}

type Row = {
  id: string
  role: string | null
  person: string | null
  token_hash: string
  made_at: Instant
  made_by: string
  fetched_at: Instant | null
}

const toFeed = (r: Row): OnCallFeed => ({
  id: r.id,
  about: r.role === null ? { person: r.person ?? '' } : { role: r.role },
  madeAt: r.made_at,
  madeBy: r.made_by,
  fetchedAt: r.fetched_at,
})

const most = 20

const noted = (tx: Tx, feed: Pick<OnCallFeed, 'id' | 'about'>, what: string, by: string) =>
  tx.audit({
    actor: { kind: 'user', id: by },
    action: 'oncall.feed',
    object: { kind: 'oncall', id: 'role' in feed.about ? feed.about.role : feed.about.person },
    outcome: 'done',
    detail: { what, about: feed.id },
  })

/** Makes an address; its token (190 random bits) is told once and kept as a hash alone. */
export const addFeed = async (
  tx: Tx,
  about: OnCallFeed['about'],
  by: string,
): Promise<{ id: string; token: string } | Refusal> => {
  if ((await feedsOf(tx, { madeBy: by })).length >= most)
    return refuse('too-many', `You have ${most} calendar addresses already; revoke some first.`)
  const id = newId<string>('fd', tx.deps.random)
  const token = base58Token(tx.deps.random.bytes(24))
  await tx.sql('oncall_feed').insert({ id, ...about, token_hash: tokenHash(token), made_at: tx.now, made_by: by })
  await noted(tx, { id, about }, 'made', by)
  return { id, token }
}

/** Addresses that are not revoked: those of one maker, or all. */
export const feedsOf = async (tx: Pick<Tx, 'sql'>, { madeBy }: { madeBy?: string } = {}): Promise<OnCallFeed[]> =>
  (
    (await tx
      .sql('oncall_feed')
      .whereNull('revoked_at')
      .modify(q => (madeBy === undefined ? q : q.where({ made_by: madeBy })))
      .orderBy('made_at')) as Row[]
  ).map(toFeed)

/** Ends an address at once. `maker`: only one of theirs. */
export const revokeFeed = async (
  tx: Tx,
  id: string,
  { by, maker }: { by: string; maker?: string },
): Promise<OnCallFeed | Refusal> => {
  const where = { id, ...(maker === undefined ? {} : { made_by: maker }) }
  const [row]: Row[] = await tx
    .sql('oncall_feed')
    .where(where)
    .whereNull('revoked_at')
    .update({ revoked_at: tx.now, revoked_by: by })
    .returning('*')
  if (!row) return refuse('unknown-feed', `There is no calendar address ${id} of yours.`)
  const feed = toFeed(row)
  await noted(tx, feed, 'revoked', by)
  return feed
}

/** The feed of a token; undefined for an unknown or revoked one, and as soon as whoever made it holds no role of the clinic any more. Found by its hash, so that its time tells nothing. */
export const feedByToken = async (db: Db | Knex.Transaction, token: string): Promise<OnCallFeed | undefined> => {
  const hash = tokenHash(token)
  const row: Row | undefined = await db('oncall_feed').where({ token_hash: hash }).whereNull('revoked_at').first()
  if (!row || !sameSecret(row.token_hash, hash)) return undefined
  return (await holdersOf(db, ...roles)).some(u => u === row.made_by) ? toFeed(row) : undefined
}

/** Notes that a calendar program asked, at most once an hour. */
export const noteFetched = async (db: Db, feed: OnCallFeed, now: Instant): Promise<void> => {
  if (feed.fetchedAt !== null && feed.fetchedAt > now - hours(1)) return
  await db('oncall_feed').where({ id: feed.id }).update({ fetched_at: now })
}

/** When a schedule, or an absence of one of these people, was last changed. */
export const lastChangeOf = async (
  db: Db | Knex.Transaction,
  keys: readonly string[],
  people: readonly string[],
): Promise<Instant> => {
  const row = await db('oncall_history')
    .where(q => q.whereIn('role', keys).orWhere(p => p.whereNull('role').whereIn('person', people)))
    .max({ at: 'changed_at' })
    .first()
  return Number(row?.at ?? 0)
}
