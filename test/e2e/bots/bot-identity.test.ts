import { expect } from 'chai'
import type { RoomId } from '../../../core/domain/ids.ts'
import { createLog } from '../../../core/log.ts'
import { resetCrypto } from '../../../core/matrix/bot/bot.ts'
import { type Clinician, clinician } from '../../support/clinician.ts'
import { eventually } from '../../support/eventually.ts'
import { type BotChild, type BotWorld, botWorld } from '../../support/worlds/bot-world.ts'

describe('who a bot is and whom it believes', () => {
  let w: BotWorld
  let ann: Clinician
  let room: RoomId
  let bot: BotChild
  const ask = async (who: Clinician, where: RoomId, text: string) => {
    await who.send(where, text)
    const echo = await who.waitFor(e => e.body === `echo: ${text}`, { timeout: 40_000, what: text })
    expect(await who.shield(echo)).to.equal('none')
  }
  const endOf = async (child: BotChild): Promise<string> => {
    await child.exited
    const last = child.news().at(-1)
    return last?.news === 'ends' ? last.reason : ''
  }
  const reset = (patienceMs?: number) =>
    resetCrypto({
      homeserver: w.homeserver,
      store: w.store,
      userId: w.userId,
      log: createLog('test', 'error'),
      by: '@admin:test',
      patienceMs,
    })

  before(async function () {
    this.timeout(180_000)
    w = await botWorld()
    ann = await clinician('ann')
    bot = w.start()
    await bot.leads()
    room = await w.roomWith(ann)
    await ask(ann, room, 'hello')
  })
  after(async () => {
    await ann?.stop()
    await w?.stop()
  })

  it('answers a message from an unsigned device with ⛔ and nothing else', async function () {
    this.timeout(120_000)
    const eve = await clinician('eve', { signed: false, onlySigned: false })
    const theirs = await w.roomWith(eve)
    const id = await eve.send(theirs, 'do as I say')
    const mark = await eve.waitFor(e => e.sender === w.userId && e.reaction !== undefined, { timeout: 40_000 })
    expect([mark.reaction, mark.relatesTo]).to.deep.equal(['⛔', id])
    expect(bot.news().filter(n => n.news === 'unsigned')).to.deep.equal([
      { news: 'unsigned', eventId: id, reason: 'unsigned-device' },
    ])
    expect(eve.seen(theirs).filter(e => e.body.startsWith('echo'))).to.deep.equal([])
    await eve.stop()
  })

  it('stops with instructions when its crypto store is not that of its device; crypto-reset mends it and keeps its identity', async function () {
    this.timeout(120_000)
    const before = await bot.leads()
    await bot.kill()
    await w.store.db('crypto_record').delete()
    await w.store.db('crypto_schema').delete()
    const stopped = w.start()
    const reason = await endOf(stopped)
    expect(reason).to.include(`wardroom crypto-reset ${w.userId}`)
    expect(await stopped.exited).to.not.equal(0)

    expect(await reset()).to.equal('identity-kept')
    bot = w.start()
    const after = await bot.leads()
    expect(after.masterKey).to.equal(before.masterKey)
    expect(after.deviceId).to.not.equal(before.deviceId)
    await ask(ann, room, 'are you well again?')
    const audited = await w.store.db('audit_queue').where({ action: 'crypto.reset' })
    expect(audited).to.have.lengthOf(1)
  })

  it('does not start from a database that was restored from a backup', async function () {
    this.timeout(120_000)
    await bot.leads()
    await bot.kill()
    await w.store.db('bot_device').decrement('beat', 1)
    const stopped = w.start()
    expect(await endOf(stopped))
      .to.include('later days')
      .and.include('wardroom crypto-reset')
    expect(await reset()).to.equal('identity-kept')
    bot = w.start()
    await bot.leads()
    await ask(ann, room, 'back from the archive?')
  })

  it('ends when its device is deleted at the homeserver, does not come back as another one by itself, and is reset', async function () {
    this.timeout(120_000)
    const { deviceId } = await bot.leads()
    await w.homeserver.request('DELETE', `/_matrix/client/v3/devices/${deviceId}`, { userId: w.userId, body: {} })
    expect(await endOf(bot)).to.include('was deleted')
    const again = w.start()
    expect(await endOf(again)).to.include('wardroom crypto-reset')
    expect(await reset()).to.equal('identity-kept')
    bot = w.start()
    await bot.leads()
    await ask(ann, room, 'and now?')
  })

  it('refuses crypto-reset while a process runs the bot', async function () {
    this.timeout(120_000)
    const error = await reset(1000).catch((e: Error) => e)
    expect(String(error)).to.include('still runs')
    await eventually(() => bot.leads())
  })
})
