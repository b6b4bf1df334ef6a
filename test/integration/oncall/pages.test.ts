import { expect } from 'chai'
import { answerByText } from '../../../appservice/sms/paging/inbound.ts'
import { minutes, seconds } from '../../../core/domain/clock.ts'
import { nextDue } from '../../../core/domain/oncall/paging/timeline.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { settleClock } from '../../../core/store/oncall/page-clock.ts'
import { lockPage, openContent, savePages } from '../../../core/store/oncall/pages.ts'
import type { InboundText } from '../../../core/store/texts/inbound-texts.ts'
import { eventually } from '../../support/eventually.ts'
import { at, type PagesWorld, pagesWorld } from '../../support/oncall/pages-world.ts'

const long = process.env.WARDROOM_LONG === '1'

describe('pages on PostgreSQL', function () {
  this.timeout(120_000)
  let w: PagesWorld
  before(async () => {
    w = await pagesWorld()
  })
  afterEach(async () => {
    await w.stopPagers()
    await w.store.db.raw('truncate page cascade')
    await w.store.db.raw('truncate page_clock, outbox, inbox cascade')
    Object.assign(w.who, { on: ['ann'], absent: [], names: {}, quietUntil: {} })
  })
  after(() => w.stop())

  it('climbs the ladder, goes on to the next step and to the fallback line, and tells the sender at each', async () => {
    w.pager()
    const { id, ref } = await w.page()
    expect(await w.contacts(id)).to.deep.equal(['matrix ann'])
    w.store.clock.advance(minutes(1))
    await eventually(async () => (await w.contacts(id)).includes('sms ann'))
    w.store.clock.advance(minutes(1))
    await eventually(async () => (await w.contacts(id)).includes('matrix bob'))
    w.store.clock.advance(minutes(1))
    await eventually(async () => (await w.contacts(id)).includes('sms bob'))
    w.store.clock.advance(minutes(1))
    await w.until(id, p => p?.page.phase === 'exhausted')
    expect(await w.contacts(id)).to.include('line switchboard')
    const told = (await w.toldTo('sue')).join('\n')
    for (const words of [
      'Urgent page received',
      'Calling ann',
      'No answer from ann',
      'Calling bob',
      'Calling the fallback: switchboard',
    ])
      expect(told).to.include(words)
    expect(told.split('\n').every(line => line.startsWith(`${ref}: `))).to.equal(true)
  })

  it('stops calling when somebody accepts, and refuses the second', async () => {
    const { id } = await w.page({ priority: 'stat' })
    expect(isRefusal(await w.answer(id, { kind: 'accept', by: at('ann'), way: 'reply' }))).to.equal(false)
    const second = await w.answer(id, { kind: 'accept', by: at('bob'), way: 'command' })
    expect(isRefusal(second) && second.code).to.equal('already-accepted')
    expect(await w.store.db('page').where({ id }).first('phase', 'next_due')).to.deep.equal({
      phase: 'accepted',
      next_due: null,
    })
    expect((await w.toldTo('ann')).join()).to.include('it is yours')
    const audited = await w.store.db('audit_queue').where('action', 'like', 'page.%').pluck('action')
    expect(audited).to.include.members(['page.create', 'page.contact', 'page.accept', 'page.refuse'])
  })

  it('is one page for twenty equal alarms at once, and one for a storm of different ones', async () => {
    const other = w.another()
    const equal = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        w.request({ what: 'the same', sender: 'source:pump' }, i % 2 ? other : w.store),
      ),
    )
    const ids = new Set(equal.map(r => (isRefusal(r) ? r.code : r.id)))
    expect(ids.size).to.equal(1)
    expect((await w.state([...ids][0] ?? '')).count).to.equal(20)
    const storm = []
    for (let i = 0; i < 12; i++) {
      const content = { text: `bed ${i}`, from: 'monitor', why: [] }
      storm.push(await w.page({ what: `alarm ${i}`, sender: 'source:monitor', content }))
    }
    expect(new Set(storm.map(s => s.id)).size).to.equal(5)
    expect(storm.at(-1)?.joined).to.equal('storm')
    const shown = await openContent(w.store, w.store.db, storm.at(-1)?.id ?? '')
    expect(shown?.text.split('\n'), 'whom each is about').to.include.members(['bed 5', 'bed 11'])
  })

  it('shows what is new in an alarm that comes again, and nothing twice', async () => {
    const says = (text: string) => ({ what: 'SpO2', key: 'm-7', content: { text, from: 'monitor', why: [] } })
    const { id } = await w.page(says('SpO2 91 %'))
    for (const text of ['SpO2 91 %', 'SpO2 80 %', 'SpO2 80 %']) await w.page(says(text))
    expect((await openContent(w.store, w.store.db, id))?.text).to.equal('SpO2 91 %\nSpO2 80 %')
  })

  it('is a page of its own when the same was called out in vain', async () => {
    const first = await w.page({ what: 'pump' })
    await w.tx(async t => {
      const stored = await lockPage(t, first.id)
      if (stored) await savePages(t, [{ ...stored.page, phase: 'exhausted' }])
    })
    const again = await w.page({ what: 'pump' })
    expect(again).to.include({ joined: null, phase: 'open' })
    expect(await w.contacts(again.id)).to.deep.equal(['matrix ann'])
  })

  it('is taken by a bare word from a telephone that two of those called share', async () => {
    Object.assign(w.who, { on: ['ann', 'bob'] })
    const { id } = await w.page()
    const duty = { ...w.duty, peopleWithNumber: async () => [at('ann'), at('bob')] }
    const text = { providerId: 'SM1', phone: '+12025550171', phoneLookup: 'x', body: 'ok', media: 0 }
    expect(await w.tx(t => answerByText(t, duty, text as InboundText, async () => false))).to.equal(true)
    expect((await w.state(id)).acceptedBy).to.deep.equal([at('ann')])
  })

  it('raises a page when a more urgent one joins it', async () => {
    const first = await w.page({ what: 'potassium', priority: 'urgent' })
    const second = await w.page({ what: 'potassium', priority: 'stat' })
    expect(second).to.include({ id: first.id, priority: 'stat', count: 2 })
  })

  it('holds routine pages for the digest, and interrupts nobody beyond three urgent ones a minute', async () => {
    const routine = await w.page({ priority: 'routine' })
    expect(routine.phase).to.equal('held')
    const urgent = []
    for (let i = 0; i < 4; i++) urgent.push(await w.page({ what: `urgent ${i}`, sender: at(`nurse${i}`) }))
    expect(urgent.map(u => u.phase)).to.deep.equal(['open', 'open', 'open', 'held'])
    expect((await w.page({ priority: 'stat', sender: at('nurse9') })).phase).to.equal('open')
  })

  it('asks the sender before a page goes to somebody who is off shift, and a stat page goes to both', async () => {
    const target = { kind: 'user', user: at('bob') } as const
    const asked = await w.page({ target })
    expect(asked.guard?.right).to.deep.equal([at('ann')])
    expect(await w.contacts(asked.id)).to.deep.equal([])
    await w.answer(asked.id, { kind: 'choose', by: at('sue'), people: [at('ann')] })
    expect(await w.contacts(asked.id)).to.deep.equal(['matrix ann'])
    const stat = await w.page({ target, priority: 'stat' })
    expect(await w.contacts(stat.id)).to.have.members(['matrix ann', 'matrix bob'])
  })

  it('has two timers of which neither does what the other did', async () => {
    const pages = []
    for (let i = 0; i < 12; i++) pages.push(await w.page({ sender: at(`nurse${i}`), priority: 'stat' }))
    w.pager()
    w.pager({ store: w.another() })
    w.store.clock.advance(seconds(15))
    await eventually(async () => (await w.jobs('page.sms')).length >= pages.length)
    for (const { id } of pages) expect(await w.contacts(id)).to.deep.equal(['matrix ann', 'sms ann'])
  })

  it('moves with a clock that is set: nothing comes early, late or twice', async () => {
    w.pager({ own: true })
    w.pager({ own: true, store: w.another() })
    const pages = []
    for (let i = 0; i < 6; i++) pages.push(await w.page({ sender: at(`nurse${i}`), priority: 'stat' }))
    await eventually(async () => (await w.store.db('page_clock').first('host')) !== undefined)
    for (const step of [minutes(60), -minutes(60), -minutes(60)]) {
      const before = await Promise.all(pages.map(p => w.state(p.id)))
      w.store.clock.advance(step)
      await w.until(pages[0]?.id ?? '', p => (p?.page.at ?? 0) !== before[0]?.at, 'the step seen')
      for (const [i, p] of pages.entries()) {
        const due = nextDue(await w.state(p.id))
        const was = before[i] ? nextDue(before[i]) : null
        expect(Math.abs((due ?? 0) - (was ?? 0) - step), 'moved with the clock').to.be.lessThan(seconds(2))
      }
    }
    for (const { id } of pages) expect(await w.contacts(id)).to.deep.equal(['matrix ann'])
  })

  it('moves with it although a job of a page is in hand, which is not forgotten either, nor what else came in just before', async () => {
    const page = await w.page({ priority: 'stat' })
    w.pager({ own: true })
    await eventually(async () => (await w.store.db('page_clock').first('host')) !== undefined)
    await w.store.db('inbox').insert({
      ...{ source: 'bots', event_id: '$one', room_id: '!r:test', type: 'm.room.encrypted', sender: '@a:test' },
      ...{
        origin_server_ts: 1,
        sealed: false,
        event: '{}',
        received_at: w.store.clock.now(),
        due_at: w.store.clock.now(),
      },
    })
    const inHand = await w.store.db.transaction()
    const job = await inHand('outbox').where({ state: 'pending' }).forNoKeyUpdate().first()
    const waiting = async () =>
      (await w.store
        .db('outbox')
        .where({ state: 'pending' })
        .where('due_at', '>', w.store.clock.now())
        .pluck('id')) as string[]
    const { at: looked } = await w.state(page.id)
    w.store.clock.advance(-minutes(60))
    await w.until(page.id, p => (p?.page.at ?? 0) < looked - minutes(59), 'the step seen')
    expect(await waiting()).to.deep.equal([job.id])
    expect((await w.store.db('inbox').first('due_at')).due_at).to.be.at.most(w.store.clock.now())
    await inHand.rollback()
    // As the next process does first.
    await w.tx(t => settleClock(t, { host: 'own', wall: w.store.clock.now(), monotonic: performance.now() }))
    expect(await waiting()).to.deep.equal([])
  })

  it(`calls everybody in time with ${long ? 10_000 : 200} pages open`, async function () {
    this.timeout(240_000)
    const { id } = await w.page({ priority: 'stat' })
    const count = long ? 10_000 : 200
    const start = w.store.clock.now() + seconds(long ? 5 : 1)
    // Due evenly over a minute.
    const gap = 6
    await w.store.db.raw(
      `insert into page (id, ref, priority, phase, state, source, target, correlation, created_at, next_due, looked_at, changed_at)
       select p.id || n, 'X' || n, p.priority, p.phase,
         jsonb_set(jsonb_set(jsonb_set(jsonb_set(p.state, '{id}', to_jsonb(p.id || n)), '{ref}', to_jsonb('X' || n)),
           '{asked,0,ladder,dueAt}', to_jsonb(?::bigint + n * ?)), '{dueAt}', to_jsonb(?::bigint + 600000 + n * ?)),
         'bulk', p.target, p.correlation || n, p.created_at, ?::bigint + n * ?, p.looked_at, p.changed_at
       from page p, generate_series(1, ?) n where p.id = ?`,
      [start, gap, start, gap, start, gap, count, id],
    )
    await w.store.db('page').where({ id }).delete()
    w.pager()
    await eventually(
      async () => Number((await w.store.db('page_contact').where({ key: '2' }).count())[0]?.count) >= count,
      {
        timeout: 120_000,
        what: 'every page advanced',
      },
    )
    const { rows } = await w.store.db.raw(
      `select count(*)::int as n, percentile_cont(0.99) within group (order by c.at - (?::bigint + substr(p.ref, 2)::int * ?)) as p99,
         max(c.at - (?::bigint + substr(p.ref, 2)::int * ?)) as worst from page_contact c join page p on p.id = c.page_id where c.key = '2'`,
      [start, gap, start, gap],
    )
    expect(rows[0].n).to.equal(count)
    // How late depends on the machine: `npm run bench` tells; here nothing is lost, doubled or early.
    expect(Number(rows[0].worst)).to.be.at.least(0)
    if (long) console.log(`      lateness p99 ${Math.round(rows[0].p99)} ms, worst ${rows[0].worst} ms`)
  })
})
