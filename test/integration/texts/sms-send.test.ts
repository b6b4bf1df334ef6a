import { expect } from 'chai'
import type { Behaviour } from '../../../appservice/sms/local/behaviours.ts'
import { hours } from '../../../core/domain/clock.ts'
import type { PatientId, PersonId, TextId } from '../../../core/domain/ids.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { recordConsent, revokeConsent } from '../../../core/store/patients/consents.ts'
import { changeNumber, closePatient } from '../../../core/store/patients/patient-access.ts'
import { phoneLookup } from '../../../core/store/patients/patients.ts'
import { stopNumber } from '../../../core/store/texts/stopped-numbers.ts'
import type { NewText } from '../../../core/store/texts/texts.ts'
import type { Tx } from '../../../core/store/tx.ts'
import { eventually } from '../../support/eventually.ts'
import { type SmsWorld, smsWorld } from '../../support/worlds/sms-world.ts'

const phone = '+12025550123'
const by = { kind: 'user' as const, id: '@ann:test' }

describe('sending texts', function () {
  this.timeout(120_000)
  let w: SmsWorld
  beforeEach(async () => {
    w = await smsWorld()
    await w.set('clinic.name', 'Riverside Clinic')
    await w.set('clinic.phone', '+1 202 555 0100')
  })
  afterEach(async () => {
    await w.stop()
  })
  const sent = (id: unknown): TextId => {
    if (isRefusal(id)) throw new Error(id.sentence)
    return id as TextId
  }
  const refusal = (id: unknown) => (isRefusal(id) ? id.code : id)

  it('brings a notice to the telephone and the closed loop to delivered (rows 35, 54)', async () => {
    const p = await w.patient(phone)
    const { id, link, textId } = await w.notice(p)
    await w.until(sent(textId), 'delivered')
    const [m] = await w.arrives(phone)
    expect(m?.body).to.equal(
      `Riverside Clinic: you have a new secure message. Open ${link.url} within 72 h. Questions? Call +1 202 555 0100. Reply STOP to stop texts.`,
    )
    expect(await w.noticeState(id)).to.equal('delivered')
    const text = await w.text(sent(textId))
    expect(text?.provider).to.equal('twilio')
    expect(text?.segments).to.equal(2)
  })

  it('writes in the language of the person (row 68)', async () => {
    const p = await w.patient(phone, { lang: 'es' })
    await w.notice(p)
    expect((await w.arrives(phone))[0]?.body).to.match(/^Riverside Clinic: tiene un mensaje seguro nuevo\..*ALTO/)
  })

  it('refuses without a live consent for the class, and says so in the audit log (row 67)', async () => {
    const p = await w.patient(phone, { consents: [] })
    expect(refusal(await w.queue({ person: p.person }))).to.equal('no-consent')
    await w.tx(t => recordConsent(t, p.person, 'care', 'verbal', by))
    expect(refusal(await w.queue({ person: p.person, class: 'billing' }))).to.equal('no-consent')
    await w.tx(t => revokeConsent(t, p.person, 'care', by))
    expect(refusal(await w.queue({ person: p.person }))).to.equal('no-consent')
    const rows = await w.audits('text.queue')
    expect(rows.map(r => `${r.outcome} ${r.reason}`)).to.deep.equal(Array(3).fill('refused no-consent'))
    expect(await w.received(phone)).to.deep.equal([])
  })

  it('refuses a stopped number, a removed person, a closed patient and a preference for the telephone (rows 60, 66)', async () => {
    const p = await w.patient(phone)
    await w.store.db('person').where({ id: p.person }).update({ preference: 'phone' })
    expect(refusal(await w.queue({ person: p.person }))).to.equal('preference')
    await w.store.db('person').where({ id: p.person }).update({ preference: 'sms' })
    await w.tx(t => stopNumber(t, phoneLookup(w.store.seal, phone), by))
    expect(refusal(await w.queue({ person: p.person }))).to.equal('stopped')
    const other = await w.patient('+12025550124')
    await w.store.db('person').where({ id: other.person }).update({ removed_at: 1 })
    expect(refusal(await w.queue({ person: other.person }))).to.equal('removed')
    const third = await w.patient('+12025550125')
    await w.tx(t => closePatient(t, third.patient, by.id))
    expect(refusal(await w.queue({ person: third.person }))).to.equal('closed')
  })

  it('asks for consent again right before sending: what was revoked meanwhile does not go out', async () => {
    const p = await w.patient(phone)
    w.store.clock.set(Date.UTC(2026, 4, 13, 3)) // 23:00 in New York
    const { id, textId } = await w.notice(p)
    await w.tx(t => revokeConsent(t, p.person, 'care', by))
    w.store.clock.advance(hours(10))
    await w.until(sent(textId), 'failed')
    expect(await w.noticeState(id)).to.equal('failed no_consent')
    expect(await w.received(phone)).to.deep.equal([])
  })

  it('sends nothing to a new number before consent is recorded for it', async () => {
    const p = await w.patient(phone)
    await w.tx(t => changeNumber(t, p.person, '+12025550188', by.id))
    expect(refusal(await w.queue({ person: p.person }))).to.equal('no-consent')
    await w.tx(t => recordConsent(t, p.person, 'care', 'verbal', by))
    sent(await w.queue({ person: p.person }))
    await w.tx(t => changeNumber(t, p.person, '+12025550189', by.id, 'confirmed'))
    sent(await w.queue({ person: p.person }))
    const ledger = await w.store.db('consent').where({ person_id: p.person }).orderBy('recorded_at')
    expect(
      ledger.map(c => c.revoked_at !== null),
      'every consent stays in the ledger',
    ).to.deep.equal([true, true, false])
  })

  for (const [failure, happens] of [
    ['no_texts', (t, p) => t.sql('person').where({ id: p.person }).update({ preference: 'phone' })],
    ['closed', (t, p) => t.sql('patient').where({ id: p.patient }).update({ state: 'closed' })],
    ['room_failed', (t, p) => t.sql('patient').where({ id: p.patient }).update({ state: 'failed' })],
    ['removed', (t, p) => t.sql('person').where({ id: p.person }).update({ removed_at: 1 })],
  ] satisfies [string, (t: Tx, p: { person: PersonId; patient: PatientId }) => PromiseLike<unknown>][])
    it(`tells the team its own reason when a text must not go out any more: ${failure}`, async () => {
      const p = await w.patient(phone)
      w.store.clock.set(Date.UTC(2026, 4, 13, 3))
      const { id, textId } = await w.notice(p)
      await w.tx(t => happens(t, p))
      w.store.clock.advance(hours(10))
      await w.until(sent(textId), 'failed')
      expect(await w.noticeState(id)).to.equal(`failed ${failure}`)
    })

  describe('that were queued while nobody could send', () => {
    beforeEach(async () => {
      await w.stop()
      w = await smsWorld({ idle: true })
    })
    const system = (person: PersonId, more: Partial<NewText> = {}) =>
      w.queue({ person, template: 'sms-code', vars: { code: '123456', minutes: 10 }, class: 'system', ...more })

    it('does not send after STOP what needs no consent either; only the confirmation goes out (row 66)', async () => {
      const p = await w.patient(phone)
      const code = await system(p.person)
      const locked = await system(p.person, { template: 'locked', vars: {} })
      await w.say(phone, 'STOP')
      await eventually(() => w.store.db('stopped_number').first(), { what: 'the number to be stopped' })
      await w.startWorker()
      await w.idle()
      expect((await w.received(phone)).map(m => m.body)).to.have.lengthOf(1)
      expect((await w.received(phone))[0]?.body).to.include('you will get no more texts')
      for (const id of [code, locked]) expect((await w.text(sent(id)))?.errorCode).to.equal('stopped')
    })

    it('sends nothing to a number that is not the person’s any more', async () => {
      const p = await w.patient(phone)
      const texts = [await system(p.person), await w.queue({ person: p.person }), (await w.notice(p)).textId]
      await w.tx(t => changeNumber(t, p.person, '+12025550199', by.id))
      await w.startWorker()
      await w.idle()
      expect(await w.received(phone)).to.deep.equal([])
      expect(await w.received('+12025550199')).to.deep.equal([])
      for (const id of texts) expect((await w.text(sent(id)))?.errorCode).to.equal('number-changed')
    })
  })

  it('lets the life of a link begin when its text goes out, and sends none that was withdrawn meanwhile', async () => {
    const p = await w.patient(phone)
    w.store.clock.set(Date.UTC(2026, 4, 13, 3))
    const kept = await w.notice(p)
    const withdrawn = await w.notice(p)
    await w.store.db('link').where({ id: withdrawn.link.id }).update({ withdrawn_at: 1 })
    w.store.clock.set(Date.UTC(2026, 4, 13, 14))
    await w.until(sent(kept.textId), 'delivered')
    await w.until(sent(withdrawn.textId), 'failed')
    expect((await w.arrives(phone)).map(m => /within \d+ h/.exec(m.body)?.[0])).to.deep.equal(['within 72 h'])
    const { expires_at } = await w.store.db('link').where({ id: kept.link.id }).first('expires_at')
    expect(expires_at - kept.link.expiresAt).to.be.within(hours(10), hours(11.1))
    expect(await w.noticeState(withdrawn.id)).to.equal('waiting')
  })

  it("waits for the morning of the recipient's own time zone; an urgent text and a code do not wait", async () => {
    const angeles = '+12135550123'
    const p = await w.patient(angeles)
    w.store.clock.set(Date.UTC(2026, 4, 12, 13)) // 9:00 in New York, 6:00 in Los Angeles
    const waits = sent(await w.queue({ person: p.person }))
    const urgent = sent(await w.queue({ person: p.person, urgent: true }))
    await w.until(urgent, 'delivered')
    const code = sent(
      await w.queue({ person: p.person, template: 'sms-code', vars: { code: '123456', minutes: 10 }, class: 'system' }),
    )
    await w.until(code, 'delivered')
    expect((await w.text(waits))?.state).to.equal('pending')
    const row = await w.store
      .db('outbox')
      .where({ key: `text:${waits}` })
      .first('due_at')
    expect(new Date(row.due_at).toISOString()).to.equal('2026-05-12T15:00:00.000Z')
    w.store.clock.set(row.due_at + 1000)
    await w.until(waits, 'delivered')
    const details = (await w.audits('text.queue')).map(r => [r.detail.urgent, r.detail.night])
    expect(details).to.deep.equal([
      [false, false],
      [true, true],
      [false, false],
    ])
  })

  const permanent: [Behaviour, string, string, string][] = [
    ['invalid', '21211', 'invalid_number', 'failed wrong_number'],
    ['not_mobile', '21614', 'landline', 'failed landline'],
    ['landline', '30006', 'landline', 'failed landline'],
    ['unregistered', '30034', 'unregistered_sender', 'failed sms_failed'],
    ['unreachable', '30003', 'unreachable', 'failed sms_failed'],
    ['filtered', '30007', 'filtered', 'failed sms_failed'],
    ['no_permission', '21408', 'configuration', 'failed sms_failed'],
    ['opted_out', '21610', 'opted_out', 'failed stopped'],
  ]
  for (const [behaviour, code, kind, state] of permanent)
    it(`fails at once and for good where the number is ${behaviour} (${code}, row 61)`, async () => {
      const p = await w.patient(phone)
      await w.behave(phone, behaviour)
      const { id, textId } = await w.notice(p)
      await w.until(sent(textId), 'failed')
      const text = await w.text(sent(textId))
      expect([text?.errorCode, text?.errorClass]).to.deep.equal([code, kind])
      await eventually(async () => (await w.noticeState(id)) === state, { what: state })
      const next = refusal(await w.queue({ person: p.person }))
      if (kind === 'landline') expect(next).to.equal('landline')
      if (kind === 'invalid_number') expect(next).to.equal('invalid-number')
      const alerts = (await w.jobs('bots', 'desk.alert')).map(a => a.what)
      expect(alerts).to.deep.equal(['unregistered_sender', 'configuration'].includes(kind) ? ['sms_account'] : [])
      if (kind === 'opted_out') {
        expect(next).to.equal('stopped')
        expect(await w.jobs('bridge', 'care.tell')).to.deep.equal([{ patientId: p.patient, what: 'stopped' }])
      }
    })

  for (const behaviour of ['error_500', 'rate_429'] as const)
    it(`tries again after ${behaviour}, and the text arrives once (row 61)`, async () => {
      const p = await w.patient(phone)
      await w.behave(phone, behaviour, 2)
      const { id, textId } = await w.notice(p)
      await eventually(async () => {
        w.store.clock.advance(5000)
        return (await w.text(sent(textId)))?.state === 'delivered'
      })
      expect(await w.received(phone)).to.have.lengthOf(1)
      expect(await w.noticeState(id)).to.equal('delivered')
    })

  for (const behaviour of ['reset_after_accept', 'hang_after_accept'] as const)
    it(`finds a text that was taken although the answer was lost (${behaviour}): exactly one arrives`, async () => {
      await w.stop()
      w = await smsWorld({ timeoutMs: 300 })
      const p = await w.patient(phone)
      await w.behave(phone, behaviour, 1)
      const { textId } = await w.notice(p)
      await w.until(sent(textId), 'delivered')
      await eventually(async () => {
        w.store.clock.advance(1000)
        const row = await w.store
          .db('outbox')
          .where({ key: `text:${textId}` })
          .first('state')
        return row.state === 'done'
      })
      expect(await w.received(phone)).to.have.lengthOf(1)
    })

  it('looks up a text without a link by its words, and never takes an earlier one like it for it', async () => {
    const p = await w.patient(phone)
    await w.until(sent(await w.queue({ person: p.person })), 'delivered')
    await w.behave(phone, 'error_500', 1)
    const second = sent(await w.queue({ person: p.person }))
    await eventually(async () => {
      w.store.clock.advance(1000)
      return (await w.text(second))?.state === 'delivered'
    })
    expect(await w.received(phone)).to.have.lengthOf(2)
  })

  it('tells the team after ten minutes without the provider, goes on trying, and a delivery mends it', async () => {
    const p = await w.patient(phone)
    await w.behave(phone, 'error_500')
    const { id, textId } = await w.notice(p)
    await eventually(async () => {
      w.store.clock.advance(60_000)
      return (await w.noticeState(id)) === 'failed provider_down'
    })
    expect((await w.jobs('bridge', 'care.failed')).map(j => j.failure)).to.deep.equal(['provider_down'])
    await w.behave(phone, 'normal')
    await eventually(async () => {
      w.store.clock.advance(60_000)
      return (await w.text(sent(textId)))?.state === 'delivered'
    })
    expect(await w.noticeState(id)).to.equal('delivered')
  })

  it('gives a text up after a day without the provider', async () => {
    const p = await w.patient(phone)
    await w.behave(phone, 'error_500')
    const { textId } = await w.notice(p)
    await w.until(sent(textId), 'sending')
    w.store.clock.set(Date.UTC(2026, 4, 13, 18))
    await w.until(sent(textId), 'failed')
    expect((await w.text(sent(textId)))?.errorClass).to.equal('transient')
  })

  it('calls a text unknown when neither a report nor an answer comes', async () => {
    const p = await w.patient(phone)
    await w.behave(phone, 'no_report')
    const { textId } = await w.notice(p)
    await w.until(sent(textId), 'sent')
    w.store.clock.advance(hours(2) + 1000)
    await w.until(sent(textId), 'unknown')
  })

  it('is not confused by reports that come twice and in the wrong order', async () => {
    const p = await w.patient(phone)
    await w.behave(phone, 'out_of_order')
    const { id, textId } = await w.notice(p)
    await w.until(sent(textId), 'delivered')
    await w.idle()
    await eventually(async () => (await w.audits('text.status')).length > 0)
    expect((await w.text(sent(textId)))?.state).to.equal('delivered')
    expect(await w.noticeState(id)).to.equal('delivered')
    expect(await w.audits('text.status')).to.have.lengthOf(1)
  })

  it('writes neither numbers nor links to the log', async () => {
    const p = await w.patient(phone)
    await w.behave(phone, 'reset_after_accept', 1)
    const { link, textId } = await w.notice(p)
    await w.until(sent(textId), 'delivered')
    const lines = JSON.stringify(w.log.lines)
    expect(lines).not.to.contain('2025550123')
    expect(lines).not.to.contain(link.token)
    expect(w.log.problems()).to.deep.equal([])
  })
})
