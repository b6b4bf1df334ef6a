import type { Db } from '../db.ts'
import type { StoreDeps } from '../tx.ts'

/** Runs `run` when the sweep is due and no process is at it; `pool` holds the lock meanwhile. Returns whether it ran. */
export const takeSweep = async (
  deps: StoreDeps,
  pool: Db,
  name: string,
  every: number,
  run: () => Promise<unknown>,
): Promise<boolean> => {
  await pool.raw('insert into sweep (name, ran_at) values (?, 0) on conflict do nothing', [name])
  return pool.transaction(async sql => {
    const started = deps.clock.now()
    // A run that lies ahead is from before the clock went back: it is not waited for.
    const { rows } = await sql.raw(
      'select 1 from sweep where name = ? and (ran_at <= ? or ran_at > ?) for update skip locked',
      [name, started - every, started + 60_000],
    )
    if (rows.length === 0) return false
    await run()
    await sql.raw('update sweep set ran_at = ? where name = ?', [started, name])
    return true
  })
}
