import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { eventually } from '../../support/eventually.ts'
import type { SmsWorkerOptions } from '../../support/processes/sms-process.ts'
import { seededRandom } from '../../support/random.ts'
import { type SmsWorld, smsToken, smsWorld } from '../../support/worlds/sms-world.ts'

const script = fileURLToPath(new URL('../../support/processes/sms-process.ts', import.meta.url))
const rounds = process.env.WARDROOM_LONG === '1' ? 60 : 4

describe('a process that is killed while it sends', function () {
  this.timeout(rounds * 15_000)
  let w: SmsWorld
  const children = new Set<ChildProcess>()
  const start = async (): Promise<ChildProcess> => {
    const o: SmsWorkerOptions = {
      url: w.url,
      keys: w.keys,
      localUrl: w.local.url,
      publicUrl: w.publicUrl,
      token: smsToken,
      now: w.store.clock.now(),
    }
    const child = spawn(process.execPath, [script], {
      env: { ...process.env, SMS_WORKER: JSON.stringify(o) },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.add(child)
    child.once('exit', () => children.delete(child))
    let out = ''
    child.stdout?.on('data', d => {
      out += String(d)
    })
    await eventually(() => out.includes('ready'), { timeout: 60_000, what: 'the SMS process' })
    return child
  }
  const kill = async (child: ChildProcess) => {
    const gone = new Promise(done => child.once('exit', done))
    child.kill('SIGKILL')
    await gone
  }
  beforeEach(async () => {
    w = await smsWorld({ idle: true })
  })
  afterEach(async () => {
    for (const child of children) await kill(child)
    await w.stop()
  })

  it('between the provider taking the text and writing that down: exactly one text arrives (row 61)', async () => {
    const phone = '+12025550123'
    const p = await w.patient(phone)
    // The provider has the text and the process waits for an answer that never comes; no report tells us either.
    await w.behave(phone, 'hang_after_accept', 1)
    const child = await start()
    const { textId } = await w.notice(p)
    if (isRefusal(textId)) throw new Error(textId.sentence)
    await eventually(async () => (await w.received(phone)).length === 1)
    // As if the report were lost as well.
    await eventually(async () => (await w.text(textId))?.state === 'delivered')
    await kill(child)
    await w.store.db('text_message').where({ id: textId }).update({ state: 'sending', provider_id: null })
    await start()
    await eventually(async () => (await w.text(textId))?.state === 'sent')
    const row = await w.store
      .db('outbox')
      .where({ key: `text:${textId}` })
      .first('state')
    expect(row.state).to.equal('done')
    expect(await w.received(phone)).to.have.lengthOf(1)
  })

  it(`at ${rounds} random moments: no text is lost, none arrives twice`, async () => {
    const random = seededRandom('sms-kill')
    const phones = Array.from({ length: 6 }, (_, i) => `+120255502${String(i).padStart(2, '0')}`)
    const people = []
    for (const phone of phones) people.push(await w.patient(phone))
    let expected = 0
    for (let round = 0; round < rounds; round++) {
      const child = await start()
      for (const p of people) {
        await w.notice(p)
        expected += 1
      }
      const moment = random.int(150)
      await new Promise(done => setTimeout(done, moment))
      await kill(child)
    }
    await start()
    await eventually(
      async () => {
        const open = await w.store.db('text_message').whereNotIn('state', ['sent', 'delivered']).first('id')
        return open === undefined
      },
      { timeout: 60_000, what: 'every text sent' },
    )
    const bodies: string[] = []
    for (const phone of phones) bodies.push(...(await w.received(phone)).map(m => m.body))
    expect(bodies).to.have.lengthOf(expected)
    expect(new Set(bodies).size).to.equal(expected)
  })
})
