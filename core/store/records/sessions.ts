import { days, minutes } from '../../domain/clock.ts'
import { advance, type Ratchet } from '../../matrix/megolm.ts'
import type { Seal } from '../../seal.ts'
import type { StoreDeps, Tx } from '../tx.ts'

const sealContext = 'record_session.state'
type At = { room: string; session: string }

const sealed = (seal: Seal, { n, parts }: Ratchet) => seal.close(sealContext, `${n} ${parts.toString('base64')}`)

const opened = async (seal: Seal, state: string): Promise<Ratchet> => {
  const [n, parts] = (await seal.open(sealContext, state)).split(' ')
  return { n: Number(n), parts: Buffer.from(parts ?? '', 'base64') }
}

/** Keeps what the records bot needs of room keys that have come; one that it has already stays as it is. */
export const keepSessions = async (tx: Tx, sessions: readonly (At & { ratchet: Ratchet })[]): Promise<void> => {
  for (const { room, session, ratchet } of sessions)
    await tx
      .sql('record_session')
      .insert({
        room_id: room,
        session_id: session,
        n: ratchet.n,
        state: await sealed(tx.deps.seal, ratchet),
        used_at: tx.now,
      })
      .onConflict(['room_id', 'session_id'])
      .ignore()
}

/** A session from the message on that was not read yet; undefined when its key has not come. */
export const sessionRatchet = async (
  { db, seal }: Pick<StoreDeps, 'db' | 'seal'>,
  { room, session }: At,
): Promise<Ratchet | undefined> => {
  const row = await db('record_session').where({ room_id: room, session_id: session }).first('state')
  return row && opened(seal, row.state)
}

const moveTo = async (tx: Tx, at: At, ratchet: Ratchet, ahead: number | null): Promise<void> => {
  const left = ahead !== null && ahead > ratchet.n ? ahead : null
  await tx
    .sql('record_session')
    .where({ room_id: at.room, session_id: at.session })
    .update({
      n: ratchet.n,
      state: await sealed(tx.deps.seal, ratchet),
      used_at: tx.now,
      ahead: left,
      ...(left === null ? { ahead_at: null } : {}),
    })
}

/** Message `n` was read: its key is gone with this commit. One that came out of turn is passed later, so that those before it can still be read. */
export const passMessage = async (tx: Tx, at: At, n: number): Promise<void> => {
  const row = await tx
    .sql('record_session')
    .where({ room_id: at.room, session_id: at.session })
    .forUpdate()
    .first('n', 'state', 'ahead', 'ahead_at')
  if (!row || n < row.n) return
  if (n === row.n) return moveTo(tx, at, advance(await opened(tx.deps.seal, row.state), n + 1), row.ahead)
  await tx
    .sql('record_session')
    .where({ room_id: at.room, session_id: at.session })
    .update({ used_at: tx.now, ahead: Math.max(row.ahead ?? 0, n + 1), ahead_at: row.ahead_at ?? tx.now })
}

/** How long a message that was overtaken is waited for. */
const patience = minutes(10)

/** A session in which nobody wrote for so long is over: clients begin a new one after a week. Until then a key that is thrown away would be missing for what comes. */
const unused = days(30)

/** Passes what was read out of turn long ago. */
export const passOvertaken = async (tx: Tx): Promise<void> => {
  const rows = await tx
    .sql('record_session')
    .where('ahead_at', '<', tx.now - patience)
    .forUpdate()
    .limit(500)
  for (const r of rows)
    await moveTo(
      tx,
      { room: r.room_id, session: r.session_id },
      advance(await opened(tx.deps.seal, r.state), r.ahead),
      null,
    )
}

/** May somebody still write in this session? */
export const isInUse = async ({ db, clock }: Pick<StoreDeps, 'db' | 'clock'>, at: At): Promise<boolean> =>
  Boolean(
    await db('record_session')
      .where({ room_id: at.room, session_id: at.session })
      .where('used_at', '>', clock.now() - unused)
      .first('n'),
  )

/** Sessions that are over; `dead` when no living message is left of them, so that their keys are to be forgotten everywhere. */
export const sessionsOver = async ({
  db,
  clock,
}: Pick<StoreDeps, 'db' | 'clock'>): Promise<(At & { dead: boolean })[]> => {
  const { rows } = await db.raw(
    `select s.room_id as room, s.session_id as session, not exists (
       select 1 from record r where r.room_id = s.room_id and r.session_id = s.session_id and r.destroyed_at is null
     ) as dead from record_session s where s.used_at <= ? limit 500`,
    [clock.now() - unused],
  )
  return rows
}

/** Forgets what the records bot still has of a session. */
export const forgetSession = async ({ db }: Pick<StoreDeps, 'db'>, { room, session }: At): Promise<void> => {
  await db('record_session').where({ room_id: room, session_id: session }).delete()
}
