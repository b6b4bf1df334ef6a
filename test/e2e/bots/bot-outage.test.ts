import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import type { RoomId } from '../../../core/domain/ids.ts'
import { type Clinician, clinician } from '../../support/clinician.ts'
import { eventually } from '../../support/eventually.ts'
import { type Stack, stack } from '../../support/stack.ts'
import { type BotChild, type BotWorld, botWorld } from '../../support/worlds/bot-world.ts'

describe('a bot whose peers or leader go away', () => {
  let s: Stack
  let w: BotWorld
  let ann: Clinician
  let room: RoomId
  let bot: BotChild
  let count = 0
  /** Asks something and waits for the one answer; gives the milliseconds. */
  const ask = async (timeout = 60_000): Promise<number> => {
    const text = `question ${++count}`
    const begin = performance.now()
    await ann.send(room, text)
    const echo = await ann.waitFor(e => e.sender === w.userId && e.body === `echo: ${text}`, { timeout, what: text })
    expect(echo.failure).to.equal(undefined)
    return performance.now() - begin
  }
  const alive = async (child: BotChild) => (await Promise.race([child.exited, pause(0, 'alive')])) === 'alive'

  before(async function () {
    this.timeout(180_000)
    s = await stack()
    w = await botWorld()
    ann = await clinician('ann')
    bot = w.start()
    await bot.leads()
    room = await w.roomWith(ann)
    await ask()
  })
  after(async () => {
    await ann?.stop()
    await w?.stop()
  })

  it('goes on after its database connections were cut', async function () {
    this.timeout(120_000)
    const asking = ask()
    await w.store.db.raw(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
    )
    await asking
    await ask()
    expect(await alive(bot)).to.equal(true)
  })

  it('goes on after the database was restarted', async function () {
    this.timeout(150_000)
    await s.postgres.restart()
    await ask(120_000)
    expect(await alive(bot)).to.equal(true)
  })

  it('goes on after the homeserver was restarted, and after it was killed', async function () {
    this.timeout(240_000)
    await s.synapse.restart()
    await ask(120_000)
    await s.synapse.kill()
    await s.synapse.start()
    await ask(120_000)
    expect(await alive(bot)).to.equal(true)
  })

  it('ends when it cannot take in what a sync brought, and the next process gets it again', async function () {
    this.timeout(120_000)
    await bot.kill()
    const failing = w.start({ failsOnKeys: true })
    await failing.leads()
    await ann.client.getCrypto()?.forceDiscardSession(room)
    const text = `question ${++count}`
    await ann.send(room, text)
    expect(await failing.exited).to.equal(70)
    expect(failing.news().at(-1)).to.deep.include({ news: 'ends', reason: 'a sync could not be taken in' })
    bot = w.start()
    await ann.waitFor(e => e.body === `echo: ${text}`)
  })

  it('is taken over after its leader was killed', async function () {
    this.timeout(120_000)
    const { deviceId } = await bot.leads()
    const standby = w.start()
    await eventually(async () => await alive(standby))
    await pause(1500) // it has started and waits for the lease
    expect(standby.news()).to.deep.equal([])
    const begin = performance.now()
    await bot.kill()
    expect((await standby.leads()).deviceId).to.equal(deviceId)
    console.log(`      takeover after a kill: ${Math.round(performance.now() - begin)} ms`)
    bot = standby
    await ask()
  })

  it('is taken over within 30 s when its leader says nothing any more, and the leader cannot write when it wakes up', async function () {
    this.timeout(120_000)
    const standby = w.start()
    const old = bot
    await ask()
    // As a host that vanished: the connections stay open, nobody answers.
    old.signal('SIGSTOP')
    const begin = performance.now()
    const { deviceId } = await standby.leads(30_000)
    console.log(`      takeover from a paused leader: ${Math.round(performance.now() - begin)} ms`)
    expect(deviceId).to.equal((await old.leads()).deviceId)
    bot = standby
    // Its old leader has this message to read and answer as well, when it wakes up.
    const text = `question ${++count}`
    await ann.send(room, text)
    old.signal('SIGCONT')
    expect(await old.exited).to.equal(70)
    expect(old.news().at(-1)).to.have.property('news', 'ends')
    await ann.waitFor(e => e.body === `echo: ${text}`, { timeout: 60_000 })
    await ask()
    const epochs = await w.store.db('crypto_record').distinct('epoch').orderBy('epoch', 'desc')
    const { epoch } = await w.store
      .db('lease')
      .where({ name: `bot:${w.userId}` })
      .first('epoch')
    expect(epochs[0].epoch).to.equal(epoch)
    expect(ann.seen(room).filter(e => e.failure !== undefined)).to.deep.equal([])
    const echoes = ann.seen(room).flatMap(e => (e.body.startsWith('echo: ') ? [e.body] : []))
    expect(new Set(echoes).size, 'answered twice').to.equal(echoes.length)
  })
})
