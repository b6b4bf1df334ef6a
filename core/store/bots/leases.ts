import type { Knex } from 'knex'
import { seconds } from '../../domain/clock.ts'
import { errorFacts } from '../../error-facts.ts'
import type { Log } from '../../log.ts'
import type { Db } from '../db.ts'

/** Leadership of one name. The epoch grows at every change of leader and fences the old one's writes. */
export type Lease = { readonly name: string; readonly epoch: number }

export type HeldLease = Lease & {
  /** Gives it up at once, so that a waiting process need not see it expire. */
  stop(): Promise<void>
}

/** Somebody else leads now: whatever the old leader still wants to write is refused. */
export class LeaseLost extends Error {
  constructor(name: string) {
    super(`the lease ${name} has another leader now`)
    this.name = 'LeaseLost'
  }
}

// The database's clock counts: the hosts' clocks may differ. Safety comes from the epoch, time decides only when to take over.
const databaseNow = '(extract(epoch from clock_timestamp()) * 1000)::bigint'

/** Takes a lease that is free or has expired. Returns its new epoch, or null while another holds it. */
export const tryLease = async (db: Db, name: string, holder: string, ttlMs: number): Promise<number | null> => {
  const { rows } = await db.raw<{ rows: { epoch: number }[] }>(
    `insert into lease (name, holder, epoch, expires_at) values (?, ?, 1, ${databaseNow} + ?)
     on conflict (name) do update set holder = excluded.holder, epoch = lease.epoch + 1, expires_at = excluded.expires_at
     where lease.expires_at < ${databaseNow} returning epoch`,
    [name, holder, ttlMs],
  )
  return rows[0]?.epoch ?? null
}

/** Prolongs a lease, also one that ran out while nobody took it. False when there is another leader. */
export const renewLease = async (db: Db, { name, epoch }: Lease, ttlMs: number): Promise<boolean> => {
  const { rows } = await db.raw<{ rows: unknown[] }>(
    `update lease set expires_at = ${databaseNow} + ? where name = ? and epoch = ? returning 1`,
    [ttlMs, name, epoch],
  )
  return rows.length > 0
}

export const releaseLease = async (db: Db, { name, epoch }: Lease): Promise<void> => {
  await db('lease').where({ name, epoch }).update({ expires_at: 0 })
}

/** Runs `work` in a transaction that holds off the next leader. @throws LeaseLost when there is one already. */
export const fenced = <T>(db: Db, { name, epoch }: Lease, work: (sql: Knex.Transaction) => Promise<T>): Promise<T> =>
  db.transaction(async sql => {
    if (!(await sql('lease').where({ name, epoch }).forShare().first('epoch'))) throw new LeaseLost(name)
    return work(sql)
  })

export type HoldOptions = {
  db: Db
  name: string
  /** Names this process, for people who look at the table. */
  holder: string
  log: Log
  /** Called once when another process has taken over: the caller must end at once. */
  onLost: () => void
  /** How long a vanished leader is waited for (3 s); renewed three times as often. */
  ttlMs?: number
  /** Stops waiting; the promise then rejects with its reason. */
  signal?: AbortSignal
}

const pause = (ms: number, signal?: AbortSignal) =>
  new Promise<void>((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
  })

/** Waits until this process leads and keeps the lease until `stop`. After a leader's kill, or its host's loss, a waiting process leads within `ttlMs` + 0.3 s. */
export const holdLease = async (o: HoldOptions): Promise<HeldLease> => {
  const ttlMs = o.ttlMs ?? seconds(3)
  const attempt = () =>
    tryLease(o.db, o.name, o.holder, ttlMs).catch(err => {
      o.log.warn({ err: errorFacts(err), lease: o.name }, 'the lease could not be asked for')
      return null
    })
  let epoch = await attempt()
  while (epoch === null) {
    o.signal?.throwIfAborted()
    await pause(Math.min(300, ttlMs / 4), o.signal)
    epoch = await attempt()
  }
  const lease: Lease = { name: o.name, epoch }
  let stopped = false
  const renew = async () => {
    try {
      if (!(await renewLease(o.db, lease, ttlMs)) && !stopped) {
        stopped = true
        o.onLost()
      }
    } catch (err) {
      o.log.warn({ err: errorFacts(err), lease: o.name }, 'the lease could not be prolonged')
    }
    if (!stopped) timer = setTimeout(tick, ttlMs / 3)
  }
  let running: Promise<void> = Promise.resolve()
  const tick = () => {
    running = renew()
  }
  let timer = setTimeout(tick, ttlMs / 3)
  return {
    ...lease,
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await running
      await releaseLease(o.db, lease)
    },
  }
}
