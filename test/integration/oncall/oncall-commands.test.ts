import { expect } from 'chai'
import { days } from '../../../core/domain/clock.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { onCallPerson } from '../../../core/store/oncall/people.ts'
import { onCallRoles } from '../../../core/store/oncall/read.ts'
import { revokeRole } from '../../../core/store/staff/roles.ts'
import { changeSetting } from '../../../core/store/staff/settings.ts'
import { transact } from '../../../core/store/tx.ts'
import { type CommandWorld, commandWorld } from '../../support/worlds/command-world.ts'

/** Rows 35, 36. */
describe('!oncall and !who', function () {
  this.timeout(120_000)
  let w: CommandWorld
  let [sue, ann, bob, dan] = [] as unknown as [UserId, UserId, UserId, UserId]

  beforeEach(async () => {
    w = await commandWorld()
    sue = await w.person('sue', 'supervisor')
    ann = await w.person('ann', 'clinician')
    bob = await w.person('bob', 'clinician')
    dan = await w.person('dan', 'clinician')
    await transact(w.db.store, tx => changeSetting(tx, { key: 'clinic.time_zone', value: 'America/New_York', by: sue }))
    // Wednesday, 10:00 in New York.
    w.db.store.clock.freeze(Date.parse('2026-11-25T15:00:00Z'))
  })
  afterEach(() => w.db.drop())

  const said = async (who: UserId, text: string) => (await w.ask(who, text)).body
  const done = async (who: UserId, text: string): Promise<string> => {
    const { body, mark } = await w.ask(who, text)
    expect(mark, `${text}: ${body}`).to.equal('✅')
    return body
  }
  const refused = async (who: UserId, text: string): Promise<string> => {
    const { body, mark } = await w.ask(who, text)
    expect(mark, `${text}: ${body}`).to.equal('⛔')
    return body
  }
  const confirmed = async (who: UserId, text: string) => {
    const preview = await done(who, text)
    expect(preview).to.include('Nothing is changed yet')
    return { preview, result: await done(who, '!confirm') }
  }
  const stored = () => transact(w.db.store, tx => onCallRoles(tx))
  const on = async (at = 'now') => /On call for [^:]*: @(\w+)/.exec(await said(ann, `!who cardiology at ${at}`))?.[1]
  const idIn = (text: string, prefix: string) => new RegExp(`${prefix}_\\w+`).exec(text)?.[0] ?? ''
  /** Ann and Bob a week each, from Monday 08:00; Dan is the fallback. */
  const cardiology = async () => {
    await confirmed(sue, '!oncall role add cardiology "Cardiology on call" fallback @dan')
    await confirmed(sue, '!oncall set cardiology weekly people @ann @bob every week start 2026-11-23 08:00')
  }

  it('make a role and its rotation, each shown before it counts, and say who is on at a time', async () => {
    expect(await said(ann, '!who')).to.include('no on-call role yet')
    const { preview } = await confirmed(sue, '!oncall role add cardiology "Cardiology on call" fallback @dan')
    expect(preview).to.include('America/New_York').and.include('@dan:clinic.example')
    expect(await on()).to.equal('dan')
    const set = await confirmed(sue, '!oncall set cardiology weekly people @ann @bob every week start 2026-11-23 08:00')
    expect(set.preview).to.include('@dan:clinic.example').and.include('@ann:clinic.example')
    expect([await on(), await on('monday 07:59'), await on('monday 08:00')]).to.deep.equal(['ann', 'ann', 'bob'])
    expect(await said(ann, '!oncall who cardiology at friday 18:00'))
      .to.include('Fri 2026-11-27 18:00 (America/New_York)')
      .and.include('layer weekly')
      .and.include('Mon 2026-11-30 08:00, then @bob:clinic.example')
    expect(await said(ann, '!who card'))
      .to.include('cardiology')
      .and.include('@ann:clinic.example')
    expect(await said(bob, '!oncall show cardiology'))
      .to.include('in turns of 1 week')
      .and.include('2026-12-07 08:00')
    expect(await said(bob, '!oncall role show cardiology')).to.include('Cardiology on call')
    expect(await w.toldTo(ann)).to.have.lengthOf(1)
    expect((await w.toldTo(ann))[0]).to.include('on duty')
    expect(await w.toldTo(sue)).to.deep.equal([])
  })

  it('put an override in force after a preview, take it back, and show both in the history', async () => {
    await cardiology()
    const wanted = '!oncall override cardiology replace @dan instead @ann from friday 18:00 to monday 07:00'
    const { preview, result } = await confirmed(sue, wanted)
    expect(preview).to.include('Fri 2026-11-27 18:00').and.include('Mon 2026-11-30 07:00')
    expect([await on('friday 17:59'), await on('friday 18:00'), await on('monday 07:00')]).to.deep.equal([
      'ann',
      'dan',
      'ann',
    ])
    const id = idIn(result, 'ov')
    expect(await said(ann, '!oncall show cardiology')).to.include(id)
    await confirmed(sue, `!oncall undo ${id}`)
    expect(await on('friday 18:00')).to.equal('ann')
    const history = await said(ann, '!oncall history cardiology')
    expect(history.split('\n').filter(line => line.includes(id))).to.have.lengthOf(2)
    expect(history).to.include('@dan:clinic.example instead of @ann:clinic.example').and.include(sue)
    expect((await w.toldTo(dan)).join('\n')).to.include('on duty Fri 2026-11-27 18:00 to Mon 2026-11-30 07:00')
  })

  it('refuse with a sentence what cannot be, and leave the schedule as it was', async () => {
    await cardiology()
    const before = await stored()
    const wrong: Record<string, string> = {
      '!oncall role add er "ER" fallback @dan zone Mars/Olympus': 'not a time zone',
      '!oncall role add er "ER" fallback @stranger': 'not a person',
      '!oncall role add cardiology "Again" fallback @dan': 'already',
      '!oncall role set cardiology zone Nowhere/City': 'not a time zone',
      '!oncall set cardiology weekly people @stranger every week': 'not a person',
      '!oncall set cardiology weekly people': 'missing',
      '!oncall set cardiology weekly people @ann every fortnight': '2 weeks',
      '!oncall set cardiology weekly people @ann only "mon 7"': 'mon-fri',
      '!oncall set nephrology weekly people @ann': 'no on-call role nephrology',
      '!oncall who cardiolgy': 'Did you mean cardiology?',
      '!oncall who cardiology at next friday': 'two days',
      '!oncall override cardiology replace @dan from 2026-11-20 08:00 to 2026-11-21 08:00': 'past',
      '!oncall override cardiology replace @dan from friday 18:00 to 2026-11-01': 'ends before it begins',
      '!oncall override cardiology replace @stranger from friday 18:00 to saturday 18:00': 'not a person',
      '!oncall override cardiology remove @dan from friday 18:00 to saturday 18:00': 'not on duty',
      '!oncall absent @stranger from friday to monday': 'not a person',
      '!oncall undo ov_nothing': 'There is no ov_nothing',
    }
    for (const [text, why] of Object.entries(wrong)) expect(await refused(sue, text), text).to.include(why)
    expect(await refused(ann, '!oncall override cardiology replace @dan from friday 18:00 to 22:00')).to.include(
      'do not hold',
    )
    expect(await refused(ann, '!oncall absent @bob from friday to monday')).to.include('Only who keeps')
    expect(await stored()).to.deep.equal(before)
  })

  it('refuse to confirm a preview of a schedule that was changed meanwhile, or somebody who may not', async () => {
    await cardiology()
    await done(sue, '!oncall set cardiology weekly people @ann @dan every week start 2026-11-23 08:00')
    const tom = await w.person('tom', 'supervisor')
    await confirmed(tom, '!oncall override cardiology add @bob from friday 18:00 to 22:00')
    expect(await refused(sue, '!confirm')).to.include('changed meanwhile')
    expect(await refused(ann, '!confirm')).to.include('nothing to confirm')
  })

  it('swap duties when both agree, the other in their own chat', async () => {
    await cardiology()
    expect(await refused(ann, '!oncall swap cardiology @ann give friday')).to.include('themselves')
    const asked = await done(ann, '!oncall swap cardiology @bob give 2026-12-08 take 2026-12-01')
    const id = idIn(asked, 'sw')
    expect(asked).to.include('Mon 2026-12-07 08:00 to Mon 2026-12-14 08:00')
    expect(await on('2026-12-08')).to.equal('ann')
    expect((await w.toldTo(bob)).join('\n')).to.include(`!oncall swap accept ${id}`)
    expect(await said(bob, '!oncall swap list'))
      .to.include(id)
      .and.include('waits for you')
    expect(await refused(dan, `!oncall swap accept ${id}`)).to.include('no swap')
    expect(await refused(ann, `!oncall swap accept ${id}`)).to.include('agreed already')
    const room = { roomId: '!desk:clinic.example', class: 'desk', unit: 'main', peer: null, createdBy: '' } as never
    expect((await w.ask(bob, `!oncall swap accept ${id}`, { room })).mark).to.equal('⛔')
    expect(await on('2026-12-08')).to.equal('ann')
    expect(await done(bob, `!oncall swap accept ${id}`)).to.include('in force')
    expect([await on('2026-12-08'), await on('2026-12-01')]).to.deep.equal(['bob', 'ann'])
    expect((await w.toldTo(ann)).join('\n')).to.include('is in force')
    await confirmed(sue, `!oncall undo ${id}`)
    expect([await on('2026-12-08'), await on('2026-12-01')]).to.deep.equal(['ann', 'bob'])
    const other = idIn(await done(ann, '!oncall swap cardiology @dan give 2026-12-22'), 'sw')
    await done(dan, `!oncall swap decline ${other}`)
    expect(await on('2026-12-22')).to.equal('ann')
  })

  it('let people say that they are away, and show who covers, gaps and conflicts', async () => {
    await cardiology()
    expect(await said(ann, '!oncall gaps')).to.include('No gaps')
    const { preview } = await confirmed(ann, '!oncall absent from friday to saturday 12:00')
    expect(preview).to.include('Gaps that this makes')
    expect(await on('friday 08:00')).to.equal('dan')
    expect(await said(bob, '!oncall gaps cardiology')).to.include('@dan:clinic.example is called as the fallback')
    expect(await said(bob, '!oncall conflicts cardiology')).to.include('@ann:clinic.example is away')
    const id = idIn(await said(ann, '!oncall show cardiology'), 'ab')
    expect(await refused(bob, `!oncall undo ${id}`)).to.include('may take back')
    await confirmed(ann, `!oncall undo ${id}`)
    expect(await on('friday 08:00')).to.equal('ann')
  })

  it('say who was on before the schedule was changed', async () => {
    await cardiology()
    w.db.store.clock.advance(days(3))
    await confirmed(sue, '!oncall set cardiology weekly people @dan')
    expect([await on(), await on('2026-11-26 12:00')]).to.deep.equal(['dan', 'ann'])
    expect(await refused(ann, '!who cardiology at 2026-11-01')).to.include('not known')
  })

  it('put a temporary schedule in place of the layers', async () => {
    await cardiology()
    await confirmed(
      sue,
      '!oncall temporary cardiology people @dan @bob every 12h start 2026-12-24 08:00 from 2026-12-24 08:00 to 2026-12-26 08:00',
    )
    expect([await on('2026-12-24 09:00'), await on('2026-12-24 21:00'), await on('2026-12-26 09:00')]).to.deep.equal([
      'dan',
      'bob',
      'ann',
    ])
  })

  it('change whom a page calls, and refuse what never ends or never reaches a person', async () => {
    await cardiology()
    expect(await said(ann, '!oncall role show cardiology')).to.include('role cardiology 5m x2, then @dan')
    const steps = 'steps role cardiology 2m, first @ann @bob 30s x3'
    await confirmed(sue, `!oncall policy cardiology urgent ${steps} then @dan acks 2`)
    const shown =
      'role cardiology 2m, first @ann:clinic.example @bob:clinic.example 30s x3, then @dan:clinic.example; 2 must'
    expect(await said(ann, '!oncall role show cardiology')).to.include(shown)
    const before = await stored()
    const wrong: Record<string, string> = {
      'steps role cardiology': 'is not a step',
      'steps role nephrology 5m': 'there is no role nephrology',
      'steps @ann 1s': 'at least',
      'steps @ann 5m x99': 'must end',
      'steps @ann 4h x9': 'more than 24 hours',
      'steps @stranger 5m': 'there is no @stranger',
    }
    for (const [text, why] of Object.entries(wrong))
      expect(await refused(sue, `!oncall policy cardiology stat ${text} then @dan`), text).to.include(why)
    expect(await refused(sue, '!oncall policy cardiology stat steps @ann 5m then @stranger')).to.include('fallback')
    expect(await stored()).to.deep.equal(before)
    await confirmed(sue, '!oncall role set cardiology fallback @bob name "Heart"')
    expect(await said(ann, '!oncall role show cardiology'))
      .to.include('Heart')
      .and.include('role cardiology 30m x2, then @bob')
      .and.not.include('@dan')
    await confirmed(sue, '!oncall role remove cardiology')
    expect(await refused(ann, '!oncall who cardiology')).to.include('no on-call role')
  })

  it('say of somebody who left the clinic and is still in a schedule that pages pass them over', async () => {
    await cardiology()
    expect(await said(bob, '!who cardiology')).not.to.include('no role')
    await transact(w.db.store, tx => revokeRole(tx, { userId: ann, role: 'clinician', by: sue }))
    const passed = '@ann:clinic.example: no role here, so pages pass over'
    expect(await said(bob, '!who cardiology')).to.include(passed)
    expect(await said(bob, '!who')).to.include(passed)
    expect(await said(bob, '!who cardiology at monday 08:00')).not.to.include('no role')
  })

  it('keep how one is reached, and remove the number from the chat', async () => {
    const { redacted, body } = await w.ask(ann, '!oncall me phone +1 202 555 0123')
    expect(redacted).to.equal(true)
    expect(body).to.include('ends in 23').and.not.include('0123')
    expect(await done(ann, '!oncall me quiet 22:00-07:00')).to.include('22:00 to 7:00')
    await done(ann, '!oncall me quiet for 2h')
    expect(await done(ann, '!oncall me ladder urgent matrix 30s, sms 2m, voice')).to.include(
      'matrix 30s, then sms 2m, then voice',
    )
    const person = await transact(w.db.store, tx => onCallPerson(tx, ann))
    expect(person.doNotDisturb).to.deep.equal({
      hours: { from: 22, to: 7, timeZone: 'America/New_York' },
      until: w.db.store.clock.now() + 2 * 3_600_000,
    })
    expect(await refused(ann, '!oncall me ladder urgent matrix 1s, sms')).to.include('between two attempts')
    expect(await refused(ann, '!oncall me quiet 22:30-07:00')).to.include('whole hours')
    expect(await refused(ann, '!oncall me quiet until 2026-11-01')).to.include('passed')
    expect(JSON.stringify(await w.audit('oncall.person'))).not.to.match(/555 ?0123/)
    await done(ann, '!oncall me phone none')
    expect(await done(ann, '!oncall me')).to.include('cannot reach you')
  })
})
