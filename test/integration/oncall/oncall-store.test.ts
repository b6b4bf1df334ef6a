import { expect } from 'chai'
import { days, hours } from '../../../core/domain/clock.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { whoIsOn } from '../../../core/domain/oncall/schedule/who-is-on.ts'
import { isRefusal, type Refusal } from '../../../core/domain/refusal.ts'
import { worldZones } from '../../../core/oncall/zones.ts'
import { addAbsence, addOverride, addTemporary, withdraw } from '../../../core/store/oncall/changes.ts'
import { onCallHistory } from '../../../core/store/oncall/history.ts'
import { onCallPeopleByPhone, onCallPerson, putOnCallPerson } from '../../../core/store/oncall/people.ts'
import { onCallRole, onCallRoles } from '../../../core/store/oncall/read.ts'
import { addOnCallRole, changeOnCallRole, removeOnCallRole } from '../../../core/store/oncall/roles.ts'
import { addSwap, answerOpenSwap, dutyAt, lapseSwaps, openSwaps } from '../../../core/store/oncall/swaps.ts'
import { grantRole } from '../../../core/store/staff/roles.ts'
import { type StoreDeps, type Tx, transact, txOn } from '../../../core/store/tx.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { layer, turns } from '../../support/oncall/schedules.ts'

const user = (name: string) => `@${name}:clinic.example` as UserId
const people = ['ann', 'bob', 'cyd', 'dan'].map(user)
const [ann, bob, cyd, dan] = people as [UserId, UserId, UserId, UserId]
const by = user('sue')

const good = <T>(value: T | Refusal): T => {
  if (isRefusal(value)) throw new Error(value.sentence)
  return value
}
const code = (value: unknown) => (isRefusal(value) ? value.code : 'not refused')

/** Row 35. */
describe('on-call schedules in the store', function () {
  this.timeout(120_000)
  let d: TestDatabase
  beforeEach(async () => {
    d = await database()
    // A Wednesday: no handoff is near.
    d.store.clock.set(Date.UTC(2026, 5, 10, 12))
    await inTx(async tx => {
      for (const userId of people)
        await grantRole(tx, { userId, role: 'clinician', by: 'configuration', identity: null })
      good(await addOnCallRole(tx, cardiology(), { by }))
    })
  })
  afterEach(() => d.drop())

  const inTx = <T>(work: (tx: Tx) => Promise<T>, store: StoreDeps = d.store) => transact(store, work)
  /** Ann, Bob and Cyd, a week each, since the Monday of 1 June 2026 at 08:00. */
  const weekly = layer('weekly', turns('week', '2026-06-01 08:00', [ann, bob, cyd]))
  const cardiology = (more = {}) => ({
    key: 'cardiology',
    name: 'Cardiology',
    unit: 'main',
    zone: 'America/New_York',
    fallback: dan,
    server: 'clinic.example',
    layers: [weekly],
    ...more,
  })
  const onAt = async (at: number, store: StoreDeps = d.store, key = 'cardiology') =>
    inTx(
      async tx =>
        whoIsOn(good((await onCallRole(tx, key)) ?? ({ refused: true } as never)).schedule, at, worldZones).person,
      store,
    )
  const now = () => d.store.clock.now()
  /** Whoever is on in a day's time, and another. */
  const soon = async () => {
    const at = now() + days(1)
    const person = await onAt(at)
    return { at, person, other: person === ann ? bob : ann }
  }

  it('say who is on, to every process, as soon as a change is committed and not before', async () => {
    const elsewhere = d.another()
    const { at, person } = await soon()
    expect(await onAt(at, elsewhere)).to.equal(person)
    const span = { from: at - hours(1), to: at + hours(1) }
    const open = await d.store.db.transaction()
    good(await addOverride(txOn(d.store, open), 'cardiology', { kind: 'replace', person: dan, ...span }, { by }))
    expect(await onAt(at, elsewhere), 'before the commit').to.equal(person)
    await open.rollback()
    expect(await onAt(at), 'after a rollback').to.equal(person)
    const { made } = good(
      await inTx(tx => addOverride(tx, 'cardiology', { kind: 'replace', person: dan, ...span }, { by })),
    )
    expect(await onAt(at)).to.equal(dan)
    expect(await onAt(at, elsewhere)).to.equal(dan)
    good(await inTx(tx => withdraw(tx, made.id, by)))
    expect(await onAt(at, elsewhere)).to.equal(person)
  })

  it('keep what was, with who changed it and when; what is past is not taken back', async () => {
    const { at, other } = await soon()
    const { made } = good(
      await inTx(tx =>
        addOverride(tx, 'cardiology', { kind: 'replace', person: other, from: at, to: at + days(2) }, { by }),
      ),
    )
    d.store.clock.advance(days(2))
    good(await inTx(tx => withdraw(tx, made.id, cyd)))
    expect(await onAt(at + hours(3)), 'before it was taken back').to.equal(other)
    const found = await inTx(tx => onCallHistory(tx, { role: 'cardiology' }))
    expect(found.map(c => [c.kind, c.by, c.before === null, c.after === null])).to.deep.equal([
      ['override', cyd, false, true],
      ['override', by, true, false],
      ['role', by, true, false],
    ])
    expect(code(await inTx(tx => withdraw(tx, made.id, by)))).to.equal('unknown-change')
  })

  it('put an absence into every schedule of the person, and other layers in force for a while', async () => {
    await inTx(tx => addOnCallRole(tx, cardiology({ key: 'heart', name: 'Heart' }), { by }))
    const { at, person } = await soon()
    good(await inTx(tx => addAbsence(tx, { person, from: at, to: at + hours(1) }, { by, zone: 'America/New_York' })))
    expect([await onAt(at), await onAt(at, d.store, 'heart')]).to.deep.equal([dan, dan])
    const holiday = {
      from: at + hours(2),
      to: at + hours(4),
      layers: [layer('one', turns('day', '2026-01-01', [cyd]))],
    }
    good(await inTx(tx => addTemporary(tx, 'heart', holiday, { by })))
    expect([await onAt(at + hours(3)), await onAt(at + hours(3), d.store, 'heart')]).to.deep.equal([person, cyd])
  })

  it('refuse what cannot be, and stay as they were', async () => {
    const before = await inTx(tx => onCallRoles(tx))
    const { at, person, other } = await soon()
    const span = { from: at, to: at + hours(1) }
    const stranger = user('nobody')
    const change = (c: object) => inTx(async tx => code(await changeOnCallRole(tx, 'cardiology', c, { by })))
    const make = (more: object) => inTx(async tx => code(await addOnCallRole(tx, cardiology(more), { by })))
    const override = (o: object) =>
      inTx(async tx =>
        code(await addOverride(tx, 'cardiology', { kind: 'replace', person: other, ...span, ...o } as never, { by })),
      )
    const loop = {
      name: 'x',
      plans: Object.fromEntries(
        ['routine', 'urgent', 'stat'].map(p => [
          p,
          {
            steps: [{ targets: [{ kind: 'role', role: 'nephrology' }], ask: 'all', waitMs: 60_000, repeat: 0 }],
            acks: 1,
            fallback: { kind: 'user', user: dan },
          },
        ]),
      ),
    }
    const said = [
      await change({ zone: 'Mars/Olympus' }),
      await change({ layers: [layer('none', turns('week', '2026-06-01', []))] }),
      await change({ layers: [layer('who', turns('week', '2026-06-01', [stranger]))] }),
      await change({ fallback: stranger }),
      await change({ policy: loop }),
      await make({}),
      await make({ key: 'Bad Key' }),
      await make({ key: 'other', zone: 'Mars/Olympus' }),
      await override({ from: at - days(9), to: at - days(8) }),
      await override({ to: at }),
      await override({ person: stranger }),
      await override({ replaces: other }),
      await inTx(async tx => code(await changeOnCallRole(tx, 'cardiology', { name: 'X' }, { by, version: 7 }))),
      await inTx(async tx => code(await removeOnCallRole(tx, 'nothing', by))),
      await inTx(async tx => code(await addAbsence(tx, { person: stranger, ...span }, { by, zone: 'UTC' }))),
    ]
    expect(said).to.deep.equal([
      'unknown-zone',
      'empty-rotation',
      'unknown-person',
      'unknown-person',
      'unknown-target',
      'role-exists',
      'bad-key',
      'unknown-zone',
      'in-the-past',
      'ends-before-start',
      'unknown-person',
      'same-person',
      'changed-meanwhile',
      'unknown-role',
      'unknown-person',
    ])
    expect(await inTx(tx => onCallRoles(tx))).to.deep.equal(before)
    expect(await onAt(at)).to.equal(person)
  })

  it('put a swap in force with the second consent and no sooner; one that nobody answers lapses', async () => {
    const entry = async () => (await inTx(tx => onCallRole(tx, 'cardiology'))) as never
    const { at, person } = await soon()
    const gives = dutyAt(await entry(), person, at + days(7)) as never
    const later = dutyAt(await entry(), person, at + days(30)) as never
    const proposal = { gives, partner: dan, proposedBy: person }
    const swap = good(await inTx(tx => addSwap(tx, 'cardiology', proposal)))
    expect(await onAt(swap.gives.from)).to.equal(person)
    expect((await inTx(tx => openSwaps(tx, dan))).map(s => s.id)).to.deep.equal([swap.id])
    expect(code(await inTx(tx => answerOpenSwap(tx, swap.id, { by: cyd, consents: true })))).to.match(
      /unknown-swap|not-theirs/,
    )
    good(await inTx(tx => answerOpenSwap(tx, swap.id, { by: dan, consents: true })))
    expect(await onAt(swap.gives.from)).to.equal(dan)
    expect(await inTx(tx => openSwaps(tx, dan))).to.deep.equal([])
    const other = good(await inTx(tx => addSwap(tx, 'cardiology', { ...proposal, gives: later })))
    d.store.clock.advance(other.gives.from - now())
    expect((await inTx(tx => lapseSwaps(tx))).map(s => [s.id, s.state])).to.deep.equal([[other.id, 'lapsed']])
    expect(code(await inTx(tx => answerOpenSwap(tx, other.id, { by: dan, consents: true })))).to.equal('settled')
  })

  it('keep how people are reached, their number sealed', async () => {
    const nothing = await inTx(tx => onCallPerson(tx, ann))
    expect([nothing.phone, nothing.ladder, nothing.doNotDisturb.hours]).to.deep.equal([null, null, null])
    const hoursOfQuiet = { from: 22, to: 7, timeZone: 'America/New_York' }
    good(await inTx(tx => putOnCallPerson(tx, ann, { phone: '+12025550123' }, ann)))
    good(await inTx(tx => putOnCallPerson(tx, ann, { doNotDisturb: { hours: hoursOfQuiet, until: null } }, ann)))
    const refused = await inTx(tx => putOnCallPerson(tx, ann, { ladder: { urgent: [] } }, ann))
    expect(code(refused)).to.equal('no-rungs')
    const person = await inTx(tx => onCallPerson(tx, ann))
    expect([person.phone, person.doNotDisturb.hours, person.ladder]).to.deep.equal(['+12025550123', hoursOfQuiet, null])
    expect(await inTx(tx => onCallPeopleByPhone(tx, '+12025550123'))).to.deep.equal([ann])
    expect(await d.dump()).not.to.include('2025550123')
  })
})
