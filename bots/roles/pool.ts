import { minutes, seconds } from '../../core/domain/clock.ts'
import type { UserId } from '../../core/domain/ids.ts'
import { errorFacts } from '../../core/error-facts.ts'
import type { Log } from '../../core/log.ts'
import type { Bot } from '../../core/matrix/bot/bot.ts'

/** What roles do with their encrypted clients. */
export type RoleBot = Pick<Bot, 'userId' | 'decrypt' | 'send' | 'react' | 'join' | 'invite' | 'stop'>

/** The clients of many roles, of which a bounded number is awake. */
export type RolePool = {
  /** Wakes the role's client where it sleeps, and keeps it awake while `work` runs. @throws what starting it throws, to every caller who waits for it. */
  use<T>(user: UserId, work: (bot: RoleBot) => Promise<T>): Promise<T>
  awake(): number
  isAwake(user: UserId): boolean
  stop(): Promise<void>
}

export type PoolOptions = {
  open(user: UserId): Promise<RoleBot>
  /** Above this many, whoever was idle longest goes to sleep before another wakes; more only where all of them work (16). */
  most?: number
  /** How long one stays awake without work (5 min): longer than a message waits for its key. */
  idleMs?: number
  log: Log
}

type Entry = { bot: Promise<RoleBot>; uses: number; usedAt: number }

/**
 * Keeps clients asleep until something concerns them: what is sent to a sleeping one waits at the homeserver, and its device's keys are there, so that nothing
 * but a second is lost. Each has its own lease and crypto store, whatever is killed.
 */
export const rolePool = ({ open, most = 16, idleMs = minutes(5), log }: PoolOptions): RolePool => {
  const entries = new Map<UserId, Entry>()
  const asleep = new Map<UserId, Promise<void>>()
  let stopped = false

  const sleep = (user: UserId, { bot }: Entry): Promise<void> => {
    entries.delete(user)
    const over = bot
      .then(b => b.stop())
      .catch(err => log.error({ err: errorFacts(err), bot: user }, "a role's client could not be stopped"))
      .finally(() => asleep.delete(user))
    asleep.set(user, over)
    return over
  }
  const idle = (): [UserId, Entry][] =>
    [...entries].filter(([, e]) => e.uses === 0).sort(([, a], [, b]) => a.usedAt - b.usedAt)

  const wake = (user: UserId): Entry => {
    const before = [...(asleep.has(user) ? [asleep.get(user)] : [])]
    for (const [other, entry] of idle().slice(0, Math.max(0, entries.size + 1 - most))) before.push(sleep(other, entry))
    const entry: Entry = { bot: Promise.all(before).then(() => open(user)), uses: 0, usedAt: performance.now() }
    entries.set(user, entry)
    entry.bot.catch(() => entries.get(user) === entry && entries.delete(user)) // told to whoever uses it
    return entry
  }

  const timer = setInterval(() => {
    const since = performance.now() - idleMs
    for (const [user, entry] of idle()) if (entry.usedAt < since) void sleep(user, entry)
  }, seconds(5))
  timer.unref()

  return {
    use: async (user, work) => {
      if (stopped) throw new Error('the roles are being stopped')
      const entry = entries.get(user) ?? wake(user)
      entry.uses++
      try {
        return await work(await entry.bot)
      } finally {
        entry.uses--
        entry.usedAt = performance.now()
      }
    },
    awake: () => entries.size,
    isAwake: user => entries.has(user) || asleep.has(user),
    stop: async () => {
      stopped = true
      clearInterval(timer)
      await Promise.all([...[...entries].map(([user, entry]) => sleep(user, entry)), ...asleep.values()])
    },
  }
}
