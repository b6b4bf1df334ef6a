import { type Instant, minutes } from '../../domain/clock.ts'
import type { Tx } from '../tx.ts'

/** While a browser follows a view, the log says so this often. */
export const followNoted = minutes(5)

/** A look at a view that the log has: what the browser asks by itself in the next minutes belongs to it. */
export const noteFollow = async (tx: Tx, session: string, view: string): Promise<void> => {
  const row = { session_id: session, view, noted_at: tx.now }
  await tx.sql('admin_follow').insert(row).onConflict(['session_id', 'view']).merge()
}

/** Does the log say already, of these minutes, that this browser looks at this view? Not when the clock has gone back. */
export const isNoted = async (tx: Tx, session: string, view: string): Promise<boolean> => {
  const found: { noted_at: Instant } | undefined = await tx
    .sql('admin_follow')
    .where({ session_id: session, view })
    .first()
  return found !== undefined && found.noted_at <= tx.now && tx.now < found.noted_at + followNoted
}
