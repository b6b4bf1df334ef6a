import type { Instant } from '../../../domain/clock.ts'
import type { Db } from '../../db.ts'
import { latestCheckpoint, type StoredCheckpoint } from './checkpoints.ts'
import { firstIndex } from './entries.ts'

/** A place outside the database that holds checkpoints: the newest that was put there, and why it does not work at the moment. */
export type PinState = { place: string; size: number; at: Instant; failing: string | null }
/** A witness, and the newest checkpoint that it cosigned. */
export type WitnessState = { name: string; size: number; at: Instant }
export type LogState = {
  latest: StoredCheckpoint | null
  waiting: { events: number; oldest: Instant | null }
  first: number
  pins: PinState[]
  witnesses: WitnessState[]
}

/** How the log stands: its newest checkpoint, what waits to get into it, and who outside holds a checkpoint of which size. */
export const logState = async (db: Db): Promise<LogState> => {
  const waiting = await db('audit_queue').count({ events: '*' }).min({ oldest: 'at' }).first()
  const pins = await db.raw(`
    select place, greatest(h.ok_size, p.size, 0) as size, greatest(h.ok_at, p.at, 0) as at, case when h.failing_since is null then null else coalesce(h.error, 'failing') end as failing
    from pin_place h full join (select distinct on (place) place, size, at from audit_pin order by place, size desc) p using (place) order by place`)
  const witnesses = await db.raw(
    'select distinct on (witness) witness as name, size, at from audit_cosignature order by witness, size desc',
  )
  return {
    latest: await latestCheckpoint(db),
    waiting: {
      events: Number(waiting?.events ?? 0),
      oldest: waiting?.oldest === null || waiting?.oldest === undefined ? null : Number(waiting.oldest),
    },
    first: await firstIndex(db),
    pins: pins.rows as PinState[],
    witnesses: witnesses.rows as WitnessState[],
  }
}
