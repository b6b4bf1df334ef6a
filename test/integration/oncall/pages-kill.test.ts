import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { Behaviour } from '../../../appservice/sms/local/behaviours.ts'
import { hours, seconds } from '../../../core/domain/clock.ts'
import { eventually } from '../../support/eventually.ts'
import { at, type PhonesWorld, phones, phonesToken, phonesWorld } from '../../support/oncall/pages-world.ts'
import type { PagesWorkerOptions } from '../../support/processes/pages-process.ts'
import { seededRandom } from '../../support/random.ts'

const script = fileURLToPath(new URL('../../support/processes/pages-process.ts', import.meta.url))
const long = process.env.WARDROOM_LONG === '1'
const rounds = long ? 120 : 3
const perRound = 10
const faults: Behaviour[] = [
  'normal',
  'error_500',
  'rate_429',
  'reset_after_accept',
  'hang_after_accept',
  'out_of_order',
  'no_report',
  'voicemail',
  'unreachable',
]

describe('a process that is killed while it pages', function () {
  this.timeout(60_000 + rounds * 15_000)
  let w: PhonesWorld
  const children = new Set<ChildProcess>()
  const start = async (): Promise<ChildProcess> => {
    const { url, keys, local, publicUrl } = w
    const now = w.store.clock.now()
    const o: PagesWorkerOptions = { url, keys, localUrl: local.url, publicUrl, token: phonesToken, now }
    const child = spawn(process.execPath, [script], {
      env: { ...process.env, PAGES_WORKER: JSON.stringify(o) },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.add(child)
    child.once('exit', () => children.delete(child))
    let out = ''
    child.stdout?.on('data', d => {
      out += String(d)
    })
    await eventually(() => out.includes('ready'), { timeout: 30_000, what: 'the process' })
    return child
  }
  const kill = async (child: ChildProcess) => {
    const gone = new Promise(done => child.once('exit', done))
    child.kill('SIGKILL')
    await gone
  }
  before(async () => {
    w = await phonesWorld({ idle: true })
  })
  after(async () => {
    for (const child of children) await kill(child)
    await w.stop()
  })

  it(`at ${rounds} random moments, with a failing provider and a clock that is set: of ${rounds * perRound} pages none is lost, and each text has its reference`, async () => {
    const random = seededRandom('pages-kill')
    const pages: { id: string; ref: string }[] = []
    for (let round = 0; round < rounds; round++) {
      for (const number of Object.values(phones)) await w.behave(number, random.pick(faults), 1 + random.int(4))
      for (let i = 0; i < perRound; i++)
        pages.push(await w.page({ priority: 'stat', sender: at(`nurse${round}_${i}`) }))
      w.store.clock.advance(random.pick([seconds(15), seconds(15), seconds(30), hours(1), -hours(1)]))
      const child = await start()
      await new Promise(done => setTimeout(done, random.int(400)))
      await kill(child)
    }
    for (const number of Object.values(phones)) await w.behave(number, 'normal')
    w.store.clock.advance(seconds(15))
    await start()
    // Every report comes twice: an answer is one answer.
    const open = async () => w.store.db('page').whereNotIn('phase', ['accepted', 'resolved']).select('id', 'ref')
    for (const { ref } of await open()) {
      await w.say('ann', ref)
      await w.say('ann', ref)
    }
    await eventually(async () => (await open()).length === 0, { timeout: 60_000, what: 'every page taken' })

    const known = new Map(pages.map(p => [p.ref, p.id]))
    expect(await w.store.db('page').count()).to.deep.equal([{ count: pages.length }])
    const told = await w.jobs('bot.say')
    for (const { ref } of pages)
      expect(
        told.some(j => (j.text as string).includes(`${ref}: ann has accepted`)),
        `${ref}'s sender told`,
      ).to.equal(true)
    const sent = new Map<string, number>()
    for (const name of Object.keys(phones))
      for (const m of await w.texts(name)) {
        const ref = [...known.keys()].find(r => m.body.includes(r))
        expect(ref, m.body).not.to.equal(undefined)
        if (m.body.includes(`Ref ${ref}.`))
          sent.set(`${known.get(ref ?? '')} ${name}`, (sent.get(`${known.get(ref ?? '')} ${name}`) ?? 0) + 1)
      }
    for (const [which, count] of sent) {
      const [page = '', name = ''] = which.split(' ')
      const [row] = await w.store
        .db('page_contact')
        .where({ page_id: page, person: at(name), way: 'sms' })
        .count()
      expect(count, `texts to ${name} about one page`).to.be.at.most(Number(row?.count))
    }
  })
})
