import { expect } from 'chai'
import { remind } from '../../../appservice/care/notices/reminders.ts'
import { markDelay } from '../../../core/domain/care/notice.ts'
import { hours, minutes } from '../../../core/domain/clock.ts'
import { revokeConsent } from '../../../core/store/patients/consents.ts'
import { advanceNotices } from '../../../core/store/patients/notices.ts'
import { textAccepted } from '../../../core/store/texts/text-outcomes.ts'
import { transact } from '../../../core/store/tx.ts'
import { type Clinician, clinician } from '../../support/clinician.ts'
import { eventually } from '../../support/eventually.ts'
import { type CarePatient, type TestBridge, testBridge } from '../../support/worlds/bridge.ts'

type Row = Record<string, never>

/** Rows 35, 36: what the clinician's room shows of each message, and who is told when it does not arrive. */
describe('the closed loop', function () {
  this.timeout(120_000)
  let bridge: TestBridge
  let lee: Clinician

  before(async () => {
    bridge = await testBridge()
    lee = await clinician('lee')
    await bridge.grant(lee.userId)
  })
  after(async () => {
    await lee?.stop()
    await bridge?.stop()
  })

  const db = () => bridge.deps.store.db
  const enrol = (consent = true) => bridge.enrol(lee, { consent })
  const noticeOf = (event: string) =>
    eventually(
      async () => (await db()('notice').where({ event_id: event }).first()) as Record<string, unknown> | undefined,
      { what: 'the notice' },
    )
  const stateOf = async (event: string, state: string) =>
    eventually(
      async () => ((await db()('notice').where({ event_id: event }).first())?.state === state ? true : undefined),
      { what: `the state ${state}` },
    )
  const textsTo = async (person: string) =>
    (await db()('text_message').where({ person_id: person }).orderBy('created_at')) as Row[]
  const marked = (event: string, key: string) =>
    lee.waitFor(s => s.relatesTo === event && s.reaction === key, { what: `the mark ${key}` })
  /** What the bot is asked to tell whoever wrote. */
  const told = async (event: string): Promise<string> => {
    const job = await eventually(
      async () => {
        const n = await db()('notice').where({ event_id: event }).first('id')
        return (await db()('outbox').where('key', 'like', `told:${n.id}:%`).first()) as { payload: string } | undefined
      },
      { what: 'the word to the sender' },
    )
    return JSON.parse(await bridge.deps.store.seal.open('outbox.payload', job.payload)).text
  }

  /** The provider takes every text that waits. */
  const sendTexts = async (person: string) => {
    for (const t of await textsTo(person))
      await transact(bridge.deps.store, tx =>
        textAccepted(tx, t.id as never, { provider: 'test', providerId: t.id ?? '' }),
      )
  }

  it('sends one text for several unread messages', async () => {
    const { room, person } = await enrol()
    const first = await lee.send(room, 'one')
    await noticeOf(first)
    const second = await lee.send(room, 'two')
    const [a, b] = [await noticeOf(first), await noticeOf(second)]
    expect(b.text_id).to.equal(a.text_id)
    expect(await textsTo(person)).to.have.lengthOf(1)
  })

  it('marks how far a message came, each sign once, whatever order the signals come in', async () => {
    const { room, person } = await enrol()
    const event = await lee.send(room, 'How are you?')
    await noticeOf(event)
    const come = (...kinds: ('texted' | 'delivered' | 'opened' | 'verified')[]) =>
      transact(bridge.deps.store, async tx => {
        for (const kind of kinds) await advanceNotices(tx, { person }, { kind })
      })
    await come('delivered', 'texted', 'delivered')
    bridge.db.store.clock.advance(markDelay.delivered ?? 0)
    await marked(event, '📱')
    await come('opened', 'verified', 'opened')
    for (const key of ['👀', '🔓']) await marked(event, key)
    const keys = lee
      .seen(room)
      .filter(s => s.relatesTo === event && s.reaction)
      .map(s => s.reaction)
    expect(keys).to.have.lengthOf(new Set(keys).size)
    await transact(bridge.deps.store, tx => advanceNotices(tx, { person }, { kind: 'read' }))
    expect((await noticeOf(event)).next_at).to.equal(null)
  })

  it('leaves out the marks of a text that is opened at once', async () => {
    const { room, person } = await enrol()
    const event = await lee.send(room, 'Are you there?')
    await noticeOf(event)
    for (const kind of ['texted', 'delivered', 'opened'] as const)
      await transact(bridge.deps.store, tx => advanceNotices(tx, { person }, { kind }))
    bridge.db.store.clock.advance(markDelay.delivered ?? 0)
    await marked(event, '👀')
    await eventually(async () => !(await db()('outbox').where({ kind: 'care.mark', state: 'pending' }).first()), {
      what: 'no mark waiting',
    })
    expect(
      lee
        .seen(room)
        .filter(s => s.relatesTo === event && s.reaction)
        .map(s => s.reaction),
    ).to.deep.equal(['👀'])
  })

  it('reminds after 4 and 24 hours, then asks the sender to call', async () => {
    const { room, person, code } = await enrol()
    const event = await lee.send(room, 'Please read this.')
    await noticeOf(event)
    const { clock } = bridge.db.store
    for (const [after, texts] of [
      [hours(3.9), 1],
      [hours(0.2), 2],
      [hours(10), 2],
      [hours(10), 3],
      [hours(10), 3],
    ] as const) {
      await sendTexts(person)
      clock.advance(after)
      await remind(bridge.deps)
      expect(await textsTo(person), 'texts').to.have.lengthOf(texts)
    }
    clock.advance(hours(24))
    await remind(bridge.deps)
    await stateOf(event, 'failed')
    await marked(event, '⚠️')
    expect(await told(event))
      .to.include(code)
      .and.include('call the patient')
    await remind(bridge.deps)
    expect(await textsTo(person), 'nothing more is sent').to.have.lengthOf(3)
  })

  it('tells the sender at once that nothing was sent without consent', async () => {
    const { room, person, code } = await enrol(false)
    const event = await lee.send(room, 'Hello?')
    await stateOf(event, 'failed')
    await marked(event, '⚠️')
    expect(await told(event)).to.include(`!consent record ${code} care`)
    expect(await textsTo(person)).to.have.lengthOf(0)
  })

  let shared: CarePatient | undefined
  for (const [failure, nextStep] of [
    ['locked', '!patient unlock'],
    ['undecryptable', 'send it again'],
    ['not_me', 'Check the number'],
    ['landline', '!patient number'],
    ['stopped', 'START'],
  ] as const)
    it(`marks a message that failed (${failure}) and tells its sender what to do next, without a clinical word`, async () => {
      shared ??= await enrol()
      const { room, person, code } = shared
      const words = 'The biopsy was benign.'
      const event = await lee.send(room, words)
      await noticeOf(event)
      await transact(bridge.deps.store, tx => advanceNotices(tx, { person }, { kind: 'failed', failure }))
      await marked(event, '⚠️')
      const said = await told(event)
      expect(said).to.include(nextStep).and.include(code).and.not.include('biopsy')
    })

  it('sends no text to somebody who is locked out, and says so to whoever writes', async () => {
    const { room, person, code } = await enrol()
    await db()('person').where({ id: person }).update({ tries: 3, locked_at: 1 })
    const event = await lee.send(room, 'Are you there?')
    await stateOf(event, 'failed')
    expect(await told(event)).to.include(`!patient unlock ${code}`)
    expect(await textsTo(person)).to.have.lengthOf(0)
  })

  it('sends no reminder after the consent was withdrawn', async () => {
    const { room, person } = await enrol()
    const event = await lee.send(room, 'Please read this, too.')
    await noticeOf(event)
    await sendTexts(person)
    await transact(bridge.deps.store, tx => revokeConsent(tx, person, 'care', { kind: 'user', id: lee.userId }))
    bridge.db.store.clock.advance(hours(5))
    await remind(bridge.deps)
    await stateOf(event, 'failed')
    expect(await textsTo(person)).to.have.lengthOf(1)
  })

  it('sends no text while the page is open, unless the message is still unread a minute later', async () => {
    const { room, person } = await enrol()
    const { clock } = bridge.db.store
    const patient = (await db()('person').where({ id: person }).first('patient_id')).patient_id
    await db()('link').insert({
      id: `ln_${person}`,
      person_id: person,
      patient_id: patient,
      token_hash: person,
      reason: 'message',
      created_at: clock.now(),
      expires_at: clock.now() + hours(1),
    })
    await db()('session').insert({
      ...{
        id: `se_${person}`,
        link_id: `ln_${person}`,
        person_id: person,
        patient_id: patient,
        cookie_hash: person,
        csrf_hash: 'x',
        device_id: 'D',
        user_id: '@p_x:h',
        room_id: room,
      },
      ...{
        started_at: clock.now(),
        seen_at: clock.now(),
        verified_at: clock.now(),
        idle_ms: minutes(15),
        reauth_ms: minutes(60),
      },
    })
    const event = await lee.send(room, 'While you are here.')
    await noticeOf(event)
    expect(await textsTo(person)).to.have.lengthOf(0)
    clock.advance(minutes(2))
    await eventually(async () => (await textsTo(person)).length === 1, { what: 'the text a minute later' })
  })

  it('withdraws the notice of a message that its sender removed', async () => {
    const { room } = await enrol()
    const event = await lee.send(room, 'Wrong patient.')
    await noticeOf(event)
    await lee.redact(room, event)
    await stateOf(event, 'withdrawn')
    expect((await noticeOf(event)).next_at).to.equal(null)
  })
})
