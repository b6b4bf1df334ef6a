import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { importOne, startImports } from '../../../bots/oncall/imports.ts'
import { settleSwaps } from '../../../bots/oncall/lapsed-swaps.ts'
import { importFile } from '../../../cli/commands/oncall.ts'
import { days, minutes, seconds } from '../../../core/domain/clock.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { fetchFeed } from '../../../core/oncall/import/fetch-feed.ts'
import { onCallRoles } from '../../../core/store/oncall/read.ts'
import { dueSources } from '../../../core/store/oncall/sources.ts'
import { revokeRole } from '../../../core/store/staff/roles.ts'
import { changeSetting } from '../../../core/store/staff/settings.ts'
import { transact } from '../../../core/store/tx.ts'
import { eventually } from '../../support/eventually.ts'
import { testLog } from '../../support/test-log.ts'
import { type CommandWorld, commandWorld } from '../../support/worlds/command-world.ts'

type Duty = [uid: string, from: string, to: string, who: string]

const calendar = (...duties: Duty[]) =>
  [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    ...duties.flatMap(([uid, from, to, who]) => [
      'BEGIN:VEVENT',
      `UID:${uid}`,
      `DTSTART;TZID=America/New_York:${from}`,
      `DTEND;TZID=America/New_York:${to}`,
      `SUMMARY:${who}`,
      'END:VEVENT',
    ]),
    'END:VCALENDAR',
    '',
  ].join('\r\n')

/** The whole week from Monday 23 November, day by day at 08:00. */
const week: Duty[] = ['Ann', 'Bob', 'Ann', 'Bob', 'Ann', 'Bob', 'Ann'].map((who, i) => [
  `d${i}`,
  `202611${23 + i}T080000`,
  i === 7 ? '20261130T080000' : `202611${String(24 + i)}T080000`,
  who,
])

/** Row 35. */
describe('schedules from elsewhere', function () {
  this.timeout(120_000)
  let w: CommandWorld
  let [sue, ann, bob, dan] = [] as unknown as [UserId, UserId, UserId, UserId]
  let url: string
  let answerWith: RequestListener
  let stop: () => Promise<unknown>
  let asked = 0

  before(async () => {
    const server = createServer((req, res) => {
      asked++
      answerWith(req, res)
    })
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/duties.ics`
    stop = () => new Promise(done => server.close(done))
  })
  after(() => stop?.())

  beforeEach(async () => {
    w = await commandWorld()
    sue = await w.person('sue', 'supervisor')
    ann = await w.person('ann', 'clinician')
    bob = await w.person('bob', 'clinician')
    dan = await w.person('dan', 'clinician')
    w.db.store.clock.freeze(Date.parse('2026-11-25T15:00:00Z'))
    await transact(w.db.store, tx =>
      changeSetting(tx, { key: 'oncall.import_hosts', value: [new URL(url).host], by: sue }),
    )
    await done('!oncall role add cardiology "Cardiology" fallback @dan zone America/New_York')
    await done('!confirm')
    says(calendar(...week))
  })
  afterEach(() => w.db.drop())

  const says = (text: string, status = 200, headers = {}) => {
    answerWith = (_req, res) => void res.writeHead(status, headers).end(text)
  }
  const done = async (text: string, who = sue): Promise<string> => {
    const { body, mark } = await w.ask(who, text)
    expect(mark, `${text}: ${body}`).to.equal('✅')
    return body
  }
  const on = async (at: string) =>
    /On call for [^:]*: @(\w+)/.exec((await w.ask(ann, `!who cardiology at ${at}`)).body)?.[1]
  /** What the poll does, now. */
  const poll = async () => {
    const { store } = w.db
    for (const id of await dueSources(store.db, store.clock.now(), [], 10)) await importOne(store, id)
  }
  const nextPoll = async (ms = seconds(45)) => {
    w.db.store.clock.advance(ms)
    await poll()
  }
  const lastTold = async () => (await w.toldTo(sue)).at(-1) ?? ''
  const stored = () => transact(w.db.store, tx => onCallRoles(tx))
  const imported = async () => {
    await done(`!oncall import cardiology url ${url}`)
    await poll()
    await done('!oncall import accept cardiology')
  }

  it('know people by the e-mail address that they gave, which is stored sealed', async () => {
    await done('!oncall me email A.Lee@clinic.example', ann)
    await done('!oncall me email bob@clinic.example', bob)
    const mailed = (who: string) => `Heart duty\r\nATTENDEE:mailto:${who === 'Ann' ? 'a.lee' : 'bob'}@clinic.example`
    says(calendar(...week.map(([uid, from, to, who]): Duty => [uid, from, to, mailed(who)])))
    await imported()
    expect([await on('now'), await on('thursday 09:00')]).to.deep.equal(['ann', 'bob'])
    expect(await w.db.dump()).not.to.match(/a\.lee@/i)
    expect((await w.ask(ann, '!oncall me email none')).body).to.include('E-mail in schedules')
    expect((await w.ask(ann, '!oncall me email nothing')).mark).to.equal('⛔')
  })

  it('wait for a word the first time; from then on a change there counts within a minute, and overrides stay', async () => {
    const added = await w.ask(sue, `!oncall import cardiology url ${url}`)
    expect(added.redacted).to.equal(true)
    expect(await w.db.dump()).not.to.include('duties.ics')
    expect(await on('2026-11-26 12:00')).to.equal('dan')
    await poll()
    expect(await lastTold())
      .to.include('wait for your word')
      .and.include('Added: 5')
    expect(await on('2026-11-26 12:00')).to.equal('dan')
    await done('!oncall import accept cardiology')
    expect([await on('2026-11-26 12:00'), await on('2026-11-27 12:00')]).to.deep.equal(['bob', 'ann'])
    await done('!oncall override cardiology replace @dan from 2026-11-28 08:00 to 2026-11-28 20:00')
    await done('!confirm')
    const changed = week.map((d): Duty => (d[0] === 'd4' || d[0] === 'd5' ? [d[0], d[1], d[2], 'Dan'] : d))
    says(calendar(...changed))
    await nextPoll()
    expect([await on('2026-11-27 12:00'), await on('2026-11-28 12:00')]).to.deep.equal(['dan', 'dan'])
    expect(await lastTold())
      .to.include('in force')
      .and.include('Moved: 2')
      .and.include('Overrides stay in force')
    expect((await w.toldTo(ann)).at(-1)).to.include('not on duty Fri 2026-11-27 08:00')
    const before = await stored()
    await nextPoll()
    expect(await stored()).to.deep.equal(before)
    expect(await done('!oncall history cardiology')).to.match(/import .*added 0, moved 2, removed 0 .*oncall-import/)
  })

  it('that make a gap or double cover wait for a word, and say so once', async () => {
    await imported()
    says(calendar(...week.filter(d => d[0] !== 'd4')))
    await nextPoll()
    expect(await lastTold()).to.include('it makes gaps')
    expect(await on('2026-11-27 12:00')).to.equal('ann')
    const told = (await w.toldTo(sue)).length
    await nextPoll()
    expect((await w.toldTo(sue)).length).to.equal(told)
    expect(await done('!oncall import list')).to.include('waits for your word')
    await done('!oncall import accept cardiology')
    expect(await on('2026-11-27 12:00')).to.equal('dan')
    const tom = await w.person('tom', 'supervisor')
    await transact(w.db.store, tx => revokeRole(tx, { userId: sue, role: 'supervisor', by: tom }))
    says(calendar())
    await nextPoll()
    expect((await w.toldTo(tom)).at(-1), 'whoever keeps the schedules now').to.include('no duties any more')
    expect(await on('2026-11-26 12:00')).to.equal('bob')
  })

  it('ask about a name that nobody has, and remember the answer', async () => {
    await imported()
    says(calendar(...week.map((d): Duty => (d[3] === 'Bob' ? [d[0], d[1], d[2], 'Miller, R'] : d))))
    await nextPoll()
    expect(await lastTold())
      .to.include('“Miller, R”')
      .and.include('!oncall import name')
    expect(await on('2026-11-26 12:00')).to.equal('bob')
    const refused = await w.ask(sue, '!oncall import name "Miller, R" @stranger')
    expect(refused.mark).to.equal('⛔')
    await done('!oncall import name "Miller, R" @bob')
    await poll()
    expect(await on('2026-11-26 12:00')).to.equal('bob')
    expect(await done('!oncall import list')).to.include('in force')
  })

  it('that cannot be read leave the schedule as it is, are asked ever more rarely, and are told of at the third time', async () => {
    await imported()
    const before = await stored()
    const wrong: [() => void, string][] = [
      [() => says('', 500), 'answered 500'],
      [() => says('', 302, { location: 'https://10.0.0.1/x' }), 'own network'],
      [() => says('<html>no calendar</html>'), 'cannot be taken'],
      [() => says('BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:2026'), 'cannot be taken'],
      [() => says(`BEGIN:VCALENDAR\r\n${'X'.repeat(6 * 1024 * 1024)}`), 'is not read'],
    ]
    for (const [break_, why] of wrong) {
      break_()
      await nextPoll(minutes(70))
      expect(await done('!oncall import list')).to.match(new RegExp(why.slice(0, 8)))
    }
    expect(await stored()).to.deep.equal(before)
    says('', 429, { 'retry-after': '600' })
    await nextPoll(minutes(70))
    asked = 0
    await nextPoll(minutes(5))
    expect(asked).to.equal(0)
    says('', 500)
    await nextPoll(minutes(6))
    await nextPoll(minutes(70))
    expect((await w.toldTo(sue)).join('\n')).to.include('cannot be read from 127.0.0.1')
    says(calendar(...week))
    await nextPoll(minutes(70))
    expect(await done('!oncall import list')).to.include('in force')
    expect(await stored()).to.deep.equal(before)
  })

  it('are asked by the bots on their own when they are due', async () => {
    const running = startImports({ store: w.db.store, log: testLog() })
    try {
      await done(`!oncall import cardiology url ${url}`)
      const told = await eventually(
        async () => (await lastTold()).includes('wait for your word') && (await lastTold()),
        {
          what: 'the report of the first reading',
        },
      )
      expect(told).to.include('Added: 5')
    } finally {
      await running.stop()
    }
  })

  it('that answer slowly or without end are given up', async () => {
    answerWith = (_req, res) => void res.writeHead(200).write('BEGIN:VCALENDAR')
    const limits = { bytes: 1000, deadlineMs: 300, redirects: 1 }
    const own = { ownHosts: [new URL(url).host], now: 0, limits }
    expect(await fetchFeed(url, own)).to.include({ kind: 'failed', code: 'too-slow' })
    says('', 302, { location: url })
    expect(await fetchFeed(url, own)).to.include({ kind: 'failed', code: 'redirects' })
    expect(await fetchFeed(url, { ...own, ownHosts: [] })).to.include({ code: 'not-https' })
  })

  it('come from files on the server too: reported first, and in force with --apply', async () => {
    const text = 'name,start,end\nAnn,2026-11-26 08:00,2026-11-27 08:00\nBob,2026-11-27 08:00,2026-11-28 08:00\n'
    const wanted = { role: 'cardiology', layer: 'import', format: 'csv', text, by: 'host:root' } as const
    const { log } = console
    const printed: string[] = []
    console.log = (line: string) => void printed.push(line)
    try {
      expect(await importFile(w.db.store, { ...wanted, apply: false })).to.equal(2)
      expect(await on('2026-11-26 12:00')).to.equal('dan')
      expect(await importFile(w.db.store, { ...wanted, apply: true })).to.equal(0)
      expect(await importFile(w.db.store, { ...wanted, text: 'who,when\n', apply: true })).to.equal(1)
    } finally {
      console.log = log
    }
    expect(printed.join('\n')).to.include('Added: 2').and.include('run this again with --apply')
    expect([await on('2026-11-26 12:00'), await on('2026-11-27 12:00')]).to.deep.equal(['ann', 'bob'])
  })

  it('let swaps lapse that nobody answered, and tell both', async () => {
    await imported()
    const asked = await done('!oncall swap cardiology @dan give 2026-11-29 12:00', ann)
    expect(asked).to.include('Sun 2026-11-29 08:00')
    w.db.store.clock.advance(days(4))
    await settleSwaps(w.db.store)
    await settleSwaps(w.db.store)
    for (const who of [ann, dan])
      expect((await w.toldTo(who)).filter(t => t.includes('has lapsed'))).to.have.lengthOf(1)
    expect(bob).to.be.a('string')
  })
})
