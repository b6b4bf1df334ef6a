import { expect } from 'chai'
import { type RoleBot, rolePool } from '../../../bots/roles/pool.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { testLog } from '../../support/test-log.ts'

describe('the clients of roles', () => {
  const user = (n: number) => `@role_${n}:h` as UserId
  /** Which were opened and stopped, in order; `fails` breaks the next opening. */
  const world = (most: number) => {
    const events: string[] = []
    const state = { fails: false, awake: 0, mostAwake: 0 }
    const open = async (userId: UserId): Promise<RoleBot> => {
      await new Promise(done => setImmediate(done))
      if (state.fails) throw new Error('the homeserver is away')
      events.push(`wakes ${userId}`)
      state.mostAwake = Math.max(state.mostAwake, ++state.awake)
      const stop = async () => {
        await new Promise(done => setImmediate(done))
        events.push(`sleeps ${userId}`)
        state.awake--
      }
      return { userId, stop } as unknown as RoleBot
    }
    return { events, state, pool: rolePool({ open, most, log: testLog() }) }
  }
  const nothing = async () => undefined

  it('wake once for many who want them, and stay awake', async () => {
    const { pool, events } = world(3)
    const used = await Promise.all([1, 1, 2, 1].map(n => pool.use(user(n), async bot => bot.userId)))
    expect(used).to.deep.equal([1, 1, 2, 1].map(user))
    expect(events).to.deep.equal([`wakes ${user(1)}`, `wakes ${user(2)}`])
    expect(pool.isAwake(user(2))).to.equal(true)
    await pool.stop()
    expect(events.slice(2)).to.have.members([`sleeps ${user(1)}`, `sleeps ${user(2)}`])
  })

  it('sleep, the longest idle first, before there are more than may be awake', async () => {
    const { pool, events, state } = world(3)
    for (let n = 0; n < 20; n++) await pool.use(user(n), nothing)
    expect(state.mostAwake).to.equal(3)
    expect(events.filter(e => e.startsWith('sleeps'))).to.deep.equal(
      Array.from({ length: 17 }, (_, n) => `sleeps ${user(n)}`),
    )
    await pool.stop()
    expect(state.awake).to.equal(0)
  })

  it('are never put to sleep while they work, and wake again only after they slept', async () => {
    const { pool, events } = world(1)
    await pool.use(user(1), async () => {
      await pool.use(user(2), nothing)
      expect(events).to.deep.equal([`wakes ${user(1)}`, `wakes ${user(2)}`])
    })
    await Promise.all([pool.use(user(3), nothing), pool.use(user(1), nothing)])
    for (const n of [1, 2, 3]) {
      const own = events.filter(e => e.endsWith(user(n))).map(e => e.split(' ')[0])
      expect(
        own.filter((e, i) => e !== (i % 2 === 0 ? 'wakes' : 'sleeps')),
        `of ${n}`,
      ).to.deep.equal([])
    }
    await pool.stop()
  })

  it('that could not start are started anew for the next', async () => {
    const { pool, state } = world(2)
    state.fails = true
    const failed = await Promise.allSettled([pool.use(user(1), nothing), pool.use(user(1), nothing)])
    expect(failed.map(f => f.status)).to.deep.equal(['rejected', 'rejected'])
    state.fails = false
    expect(await pool.use(user(1), async () => 'works')).to.equal('works')
    await pool.stop()
    expect(await pool.use(user(1), nothing).catch((e: Error) => e.message)).to.equal('the roles are being stopped')
  })
})
