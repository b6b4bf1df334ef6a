import { expect } from 'chai'
import { days, hours, minutes } from '../../../core/domain/clock.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { readCalendar } from '../../../core/oncall/calendar/ical/read-calendar.ts'
import { worldZones } from '../../../core/oncall/zones.ts'
import { putOnCallPerson } from '../../../core/store/oncall/people.ts'
import { revokeRole } from '../../../core/store/staff/roles.ts'
import { transact } from '../../../core/store/tx.ts'
import { type CommandWorld, commandWorld } from '../../support/worlds/command-world.ts'
import { type PublicServer, publicServer } from '../../support/worlds/public-http.ts'

/** Row 35. */
describe('the calendar of duties', function () {
  this.timeout(120_000)
  let w: CommandWorld
  let server: PublicServer
  let [sue, ann, bob] = [] as unknown as [UserId, UserId, UserId]

  beforeEach(async () => {
    w = await commandWorld()
    sue = await w.person('sue', 'supervisor')
    ann = await w.person('ann', 'clinician')
    bob = await w.person('bob', 'clinician')
    w.db.store.clock.freeze(Date.parse('2026-11-25T15:00:00Z'))
    for (const text of [
      '!oncall role add cardiology "Cardiology" fallback @sue zone America/New_York',
      '!oncall set cardiology weekly people @ann @bob every week start 2026-11-23 08:00',
    ]) {
      expect((await w.ask(sue, text)).mark).to.equal('✅')
      expect((await w.ask(sue, '!confirm')).mark).to.equal('✅')
    }
    await transact(w.db.store, tx => putOnCallPerson(tx, ann, { name: 'Ann Lee', phone: '+12025550123' }, ann))
    const nobody = {} as never
    server = await publicServer({ store: w.db.store, homeserver: nobody, keeper: nobody })
  })
  afterEach(async () => {
    await server?.stop()
    await w?.db.drop()
  })

  /** The address as the command tells it, on this server. */
  const address = async (who: UserId, role = '') => {
    const { body } = await w.ask(who, `!oncall feed add ${role}`)
    const path = /https:\/\/chat\.clinic\.example(\/oncall\/\S+)/.exec(body)?.[1] ?? ''
    return { url: server.url + path, id: /fd_\w+/.exec(body)?.[0] ?? '', token: path.slice('/oncall/'.length, -4) }
  }
  const read = async (url: string) => {
    const answer = await fetch(url)
    return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() }
  }
  const dutiesIn = (text: string) => {
    const now = w.db.store.clock.now()
    const found = readCalendar(text, { zones: worldZones, zone: 'UTC', from: now, until: now + days(28) })
    expect(found.problems).to.deep.equal([])
    return found.shifts.map(s => [new Date(s.from).toISOString().slice(0, 16), s.summary])
  }

  it('of a role has everybody, of a person their own; it follows a change at once and holds no numbers', async () => {
    const [role, own] = [await address(ann, 'cardiology'), await address(ann)]
    const first = await read(role.url)
    expect([first.status, first.type]).to.deep.equal([200, 'text/calendar; charset=utf-8'])
    expect(dutiesIn(first.text).slice(0, 3)).to.deep.equal([
      ['2026-11-23T13:00', 'Cardiology: Ann Lee'],
      ['2026-11-30T13:00', 'Cardiology: @bob:clinic.example'],
      ['2026-12-07T13:00', 'Cardiology: Ann Lee'],
    ])
    expect(first.text).not.to.match(/555 ?0123/)
    w.db.store.clock.advance(minutes(20))
    expect((await read(role.url)).text).to.equal(first.text)
    expect(dutiesIn((await read(own.url)).text).map(([from]) => from)).to.deep.equal([
      '2026-11-23T13:00',
      '2026-12-07T13:00',
      '2026-12-21T13:00',
    ])
    await w.ask(sue, '!oncall override cardiology replace @bob instead @ann from 2026-11-26 08:00 to 2026-11-27 08:00')
    expect((await w.ask(sue, '!confirm')).mark).to.equal('✅')
    expect(
      dutiesIn((await read(own.url)).text)
        .slice(0, 2)
        .map(([from]) => from),
    ).to.deep.equal(['2026-11-23T13:00', '2026-11-27T13:00'])
    expect((await w.ask(ann, '!oncall feed list')).body).to.include('2026-11-25 15:')
  })

  it('ends when it is revoked, and when whoever made it holds no role any more; all dead addresses look the same', async () => {
    const [mine, theirs] = [await address(ann), await address(bob)]
    expect((await w.ask(bob, `!oncall feed revoke ${mine.id}`)).mark).to.equal('⛔')
    expect((await read(mine.url)).status).to.equal(200)
    expect((await w.ask(ann, `!oncall feed revoke ${mine.id}`)).mark).to.equal('✅')
    await transact(w.db.store, tx => revokeRole(tx, { userId: bob, role: 'clinician', by: sue }))
    const dead = [mine.url, theirs.url, `${server.url}/oncall/${'A'.repeat(33)}.ics`, `${server.url}/oncall/x`]
    const answers = await Promise.all(dead.map(read))
    expect(answers.map(a => a.status)).to.deep.equal([404, 404, 404, 404])
    expect(new Set(answers.map(a => a.text)).size).to.equal(1)
  })

  it('is asked for in one’s own chat alone; its token is in no table and no log', async () => {
    const room = { roomId: '!desk:clinic.example', class: 'desk', unit: 'main', peer: null, createdBy: '' } as never
    expect((await w.ask(ann, '!oncall feed add', { room })).body).to.include('secret')
    const { url, token } = await address(ann)
    await read(url)
    await read(url.replace('.ics', 'x.ics'))
    expect(token).to.have.lengthOf(33)
    expect(await w.db.dump()).not.to.include(token)
    expect(server.logged()).not.to.include(token)
  })

  it('slows down who asks too often, and who guesses', async () => {
    const { url } = await address(ann)
    const many = await Promise.all(Array.from({ length: 25 }, () => read(url)))
    expect(many.filter(a => a.status === 429)).to.have.lengthOf(5)
    w.db.store.clock.advance(hours(1))
    expect((await read(url)).status).to.equal(200)
    const guesses = await Promise.all(
      Array.from({ length: 40 }, (_, n) => read(`${server.url}/oncall/${String(n + 11).repeat(12)}.ics`)),
    )
    expect(new Set(guesses.map(a => a.status))).to.deep.equal(new Set([404, 429]))
  })
})
