import type { Knex } from 'knex'
import type { Instant } from '../../domain/clock.ts'
import type { Db } from '../db.ts'

/** A token bucket: `burst` at once, then one every `everyMs`. */
export type Limit = { burst: number; everyMs: number }

/**
 * Takes one token from a bucket that survives restarts and is shared by all processes; false when it is empty. `name` holds ids or keyed hashes, never a
 * number or an address. Outside a transaction it commits by itself.
 */
export const takeToken = async (
  db: Db | Knex.Transaction,
  name: string,
  limit: Limit,
  now: Instant,
): Promise<boolean> => {
  // A last use that lies ahead is from before the clock went back: nobody waits until it is reached once more.
  const ahead = 'rate_bucket.at > ?::bigint + 60000'
  const filled = `case when ${ahead} then ?::double precision
    else least(?::double precision, rate_bucket.tokens + greatest(0, ?::bigint - rate_bucket.at) / ?::double precision) end`
  const full = [now, limit.burst, limit.burst, now, limit.everyMs]
  const result = await db.raw(
    `insert into rate_bucket as rate_bucket (name, tokens, at) values (?, ?, ?)
     on conflict (name) do update set tokens = ${filled} - 1,
       at = case when ${ahead} then excluded.at else greatest(excluded.at, rate_bucket.at) end
     where ${filled} >= 1
     returning tokens`,
    [name, limit.burst - 1, now, ...full, now, ...full],
  )
  return result.rows.length > 0
}

/** Would `takeToken` give none? Takes nothing. */
export const isEmptyBucket = async (
  db: Db | Knex.Transaction,
  name: string,
  limit: Limit,
  now: Instant,
): Promise<boolean> => {
  const row = await db('rate_bucket').where({ name }).first('tokens', 'at')
  if (row !== undefined && row.at > now + 60_000) return false
  return row !== undefined && row.tokens + Math.max(0, now - row.at) / limit.everyMs < 1
}

/** Has anybody used it in the last day? */
export const isKnownBucket = async (db: Db | Knex.Transaction, name: string): Promise<boolean> =>
  (await db('rate_bucket').where({ name }).first('name')) !== undefined

/** Removes buckets that nobody used for a day: they are full again. */
export const sweepBuckets = async (db: Db, now: Instant): Promise<number> =>
  db('rate_bucket')
    .where('at', '<', now - 86_400_000)
    .delete()
