import { expect } from 'chai'
import { localAccount } from '../../../appservice/sms/local/main.ts'
import { sign } from '../../../appservice/sms/twilio.ts'
import { hours, minutes } from '../../../core/domain/clock.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { secret } from '../../../core/secret.ts'
import { closePatient } from '../../../core/store/patients/patient-access.ts'
import { eventually } from '../../support/eventually.ts'
import { type SmsWorld, type SmsWorldOptions, smsWorld } from '../../support/worlds/sms-world.ts'

const phone = '+12025550123'
const canary = 'my left knee is the size of a grapefruit'

describe('texts that come in', function () {
  this.timeout(120_000)
  let w: SmsWorld
  const open = async (o: SmsWorldOptions = {}) => {
    w = await smsWorld(o)
    await w.set('clinic.name', 'Riverside Clinic')
    await w.set('clinic.phone', '+1 202 555 0100')
  }
  beforeEach(() => open())
  afterEach(() => w.stop())
  const told = async () => (await w.jobs('bridge', 'care.tell')).map(j => j.what)
  const posted = async () => (await w.jobs('bridge', 'care.inbound-text')).map(j => [j.personId, j.body])
  const say = async (from: string, body: string, media = 0) => {
    const m = await w.say(from, body, media)
    await w.handled(m.sid)
    return m
  }
  const bodies = async (number = phone) => (await w.received(number)).map(m => m.body)

  for (const word of [
    'STOP',
    'stop.',
    'Unsubscribe',
    'ALTO',
    '¡Baja!',
    'please stop texting me',
    'No me envíen más mensajes',
  ])
    it(`stops the number at once on "${word}", with one confirmation, and the room is told (row 66)`, async () => {
      const p = await w.patient(phone)
      const { id } = await w.notice(p)
      await eventually(async () => (await w.noticeState(id)) === 'delivered')
      await say(phone, word)
      await say(phone, word)
      const texts = await w.arrives(phone, 2)
      expect(texts).to.have.lengthOf(2)
      expect(texts[1]?.body).to.match(/^Riverside Clinic: you will get no more texts/)
      expect(await told()).to.deep.equal(['stopped'])
      expect(await w.noticeState(id)).to.equal('failed stopped')
      const next = await w.queue({ person: p.person })
      expect(isRefusal(next) && next.code).to.equal('stopped')
    })

  it('blocks before the provider gets its answer, for everybody who shares the number', async () => {
    const a = await w.patient(phone)
    const b = await w.patient(phone)
    await w.say(phone, 'STOP')
    await eventually(async () => (await told()).length === 2)
    for (const p of [a, b]) expect(isRefusal(await w.queue({ person: p.person }))).to.equal(true)
  })

  it('keeps what else a wish to stop says: it goes to the care team', async () => {
    const p = await w.patient(phone)
    await say(phone, `Stop texting me, ${canary}`)
    expect(await posted()).to.deep.equal([[p.person, `Stop texting me, ${canary}`]])
    expect(await bodies()).to.have.lengthOf(1)
  })

  it('a text that is queued when STOP comes does not go out', async () => {
    const p = await w.patient(phone)
    w.store.clock.set(Date.UTC(2026, 4, 13, 3))
    const { textId } = await w.notice(p)
    await say(phone, 'STOP')
    w.store.clock.advance(hours(12))
    if (isRefusal(textId)) throw new Error(textId.sentence)
    await w.until(textId, 'failed')
    expect(await bodies()).to.have.lengthOf(1)
  })

  it('stays silent where the provider answers STOP itself, and speaks for the words that it does not know', async () => {
    await w.stop()
    await open({ optOut: 'default' })
    const p = await w.patient(phone)
    await say(phone, 'STOP')
    expect((await bodies()).filter(b => b.startsWith('Riverside'))).to.deep.equal([])
    expect(await told()).to.deep.equal(['stopped'])
    const queued = await w.queue({ person: p.person })
    expect(isRefusal(queued) && queued.code).to.equal('stopped')
    await w.patient('+12025550124')
    await say('+12025550124', 'alto')
    expect((await w.arrives('+12025550124'))[0]?.body).to.match(/^Riverside/)
  })

  it('says nothing itself for a standard word when the setting says that the provider does', async () => {
    await w.set('sms.provider_answers_stop', true)
    await w.patient(phone)
    await say(phone, 'Stop')
    expect(await bodies()).to.deep.equal([])
  })

  it('START restores, once, and the room is told; a "yes" of somebody who never stopped is an answer', async () => {
    const p = await w.patient(phone)
    await say(phone, 'STOP')
    await say(phone, 'START')
    expect(await told()).to.deep.equal(['stopped', 'started'])
    expect((await w.arrives(phone, 2))[1]?.body).to.match(/you will get our texts again/)
    expect(isRefusal(await w.queue({ person: p.person }))).to.equal(false)
    await say(phone, 'Yes')
    expect(await posted()).to.deep.equal([[p.person, 'Yes']])
  })

  it('HELP is answered with the name and number of the clinic, in the language of the person', async () => {
    await w.patient(phone, { lang: 'es' })
    await say(phone, 'ayuda')
    const [m] = await w.arrives(phone)
    expect(m?.body).to.match(/^Riverside Clinic: los textos le avisan.*\+1 202 555 0100/)
  })

  it('passes a text on to the care room, answers with a link, and leaves it nowhere in clear (row 59)', async () => {
    const p = await w.patient(phone)
    const m = await say(phone, canary)
    expect(await posted()).to.deep.equal([[p.person, canary]])
    const [answer] = await w.arrives(phone)
    expect(answer?.body).to.match(
      /^Riverside Clinic: your care team got your text\..*http:\/\/localhost:\d+\/l\/\w{22} /,
    )
    const dump = await w.dump()
    expect(dump).not.to.contain('grapefruit')
    expect(dump).not.to.contain(Buffer.from(canary).toString('base64').slice(4, 30))
    expect(dump).not.to.contain('2025550123')
    const row = await w.store.db('inbound_text').where({ provider_id: m.sid }).first()
    expect([row.body, row.phone, row.person_id]).to.deep.equal([null, null, p.person])
    expect(await w.provider.status(m.sid)).to.equal(null)
    expect(JSON.stringify(w.log.lines)).not.to.contain('grapefruit')
  })

  it('shows the way once in ten minutes, however much is written', async () => {
    await w.patient(phone)
    for (const body of ['one thing', 'another thing', 'a third']) await say(phone, body)
    expect(await posted()).to.have.lengthOf(3)
    expect(await w.arrives(phone)).to.have.lengthOf(1)
    w.store.clock.advance(minutes(11))
    await say(phone, 'later')
    await w.arrives(phone, 2)
  })

  it('says that pictures came, and does not keep them', async () => {
    const p = await w.patient(phone)
    await say(phone, '', 2)
    const [[person, body]] = (await posted()) as [[string, string]]
    expect(person).to.equal(p.person)
    expect(body).to.match(/2 picture\(s\) came with it/)
  })

  it('answers an unknown number neutrally once a day, tells the desk two digits, and keeps nothing', async () => {
    const stranger = '+12025550177'
    await say(stranger, canary)
    await say(stranger, 'hello?')
    expect(await w.arrives(stranger)).to.have.lengthOf(1)
    expect((await bodies(stranger))[0]).to.match(/^Riverside Clinic: this number only sends notices/)
    expect(await w.jobs('bots', 'desk.alert')).to.deep.equal([{ what: 'unknown_number', last2: '77' }])
    expect(await posted()).to.deep.equal([])
    w.store.clock.advance(hours(25))
    await say(stranger, 'hello again')
    await w.arrives(stranger, 2)
  })

  it('tells a former patient to call, and the desk who it may be; the words are not kept', async () => {
    const p = await w.patient(phone, { lang: 'es' })
    await w.tx(t => closePatient(t, p.patient, '@ann:clinic.example'))
    const { sid } = await say(phone, canary)
    await say(phone, 'hello?')
    const [reply, ...more] = await w.arrives(phone)
    expect(reply?.body).to.match(/^Riverside Clinic: nadie lee los textos.*\+1 202 555 0100/)
    expect(more).to.deep.equal([])
    expect(await w.jobs('bots', 'desk.alert')).to.deep.equal([
      { what: 'former_patient', codes: [p.code], unit: 'main', last2: '23' },
    ])
    expect(await posted()).to.deep.equal([])
    expect(await w.dump()).not.to.contain('grapefruit')
    expect(await w.provider.status(sid)).to.equal(null)
    w.store.clock.advance(hours(25))
    await say(phone, 'hello again')
    await w.arrives(phone, 2)
    expect(await w.jobs('bots', 'desk.alert')).to.have.lengthOf(2)
  })

  it('takes a number that a closed and an open patient share for the open one’s', async () => {
    const gone = await w.patient(phone)
    await w.tx(t => closePatient(t, gone.patient, '@ann:clinic.example'))
    const p = await w.patient(phone)
    await say(phone, canary)
    expect(await posted()).to.deep.equal([[p.person, canary]])
    expect(await w.jobs('bots', 'desk.alert')).to.deep.equal([])
  })

  it('answers no more than a few strangers, however many numbers write', async () => {
    for (let i = 0; i < 40; i++) await say(`+120255503${String(i).padStart(2, '0')}`, 'buy now')
    expect(await w.jobs('bots', 'desk.alert')).to.have.lengthOf(30)
  })

  it('a wrong number stops the texts and tells the room to check it', async () => {
    await w.patient(phone)
    await say(phone, 'Wrong number')
    expect(await told()).to.deep.equal(['stopped', 'wrong_number'])
  })

  describe('one number for two patients (row 126)', () => {
    let a: Awaited<ReturnType<SmsWorld['patient']>>
    let b: Awaited<ReturnType<SmsWorld['patient']>>
    beforeEach(async () => {
      a = await w.patient(phone, { name: 'Rosalind Featherstone' })
      b = await w.patient(phone, { name: 'Marcus Featherstone' })
    })
    const write = async (body: string) => {
      const m = await w.say(phone, body)
      await eventually(async () => {
        const job = await w.store
          .db('outbox')
          .where({ key: `inbound:${m.sid}` })
          .first('state')
        return job?.state === 'done'
      })
      return m
    }

    it('asks whom it is about, without a name, and sends it to the one who was chosen', async () => {
      await write(canary)
      const [question] = await w.arrives(phone)
      expect(question?.body).to.contain(`1 = ${a.code}, 2 = ${b.code}`)
      expect(question?.body).not.to.match(/Feather/)
      expect(await posted()).to.deep.equal([])
      expect(await w.dump()).not.to.contain('grapefruit')
      await write('2')
      expect(await posted()).to.deep.equal([[b.person, canary]])
      expect((await w.arrives(phone, 2))[1]?.body).to.match(/your care team got your text/)
      await write('and it hurts')
      expect((await posted()).at(-1)).to.deep.equal([b.person, 'and it hurts'])
      w.store.clock.advance(minutes(20))
      await write('something else')
      expect(await posted()).to.have.lengthOf(2)
    })

    it('asks by initials where the clinic wants it so, and in words that it understands', async () => {
      await w.set('room.name_policy', 'initials')
      await write('hello')
      expect((await w.arrives(phone))[0]?.body).to.contain('1 = R.F., 2 = M.F.')
      await write('one')
      expect(await posted()).to.deep.equal([[a.person, 'hello']])
    })

    it('loses nothing when several texts come before the answer, and asks once', async () => {
      await write('first')
      await write('second')
      expect(await w.arrives(phone)).to.have.lengthOf(1)
      await write('1')
      expect(await posted()).to.deep.equal([
        [a.person, 'first'],
        [a.person, 'second'],
      ])
    })

    it('calls the desk when nobody says for a day', async () => {
      await write(canary)
      w.store.clock.advance(hours(25))
      await eventually(async () => (await w.jobs('bots', 'desk.alert')).length === 1)
      expect(await w.jobs('bots', 'desk.alert')).to.deep.equal([{ what: 'unassigned_text', last2: '23' }])
      expect(await w.dump()).not.to.contain('grapefruit')
    })

    it('does not ask where both are the same patient: a patient and a caregiver with one telephone', async () => {
      const other = '+12025550130'
      const c = await w.patient(other)
      await w.caregiver(c.patient, other)
      await say(other, 'hi there')
      expect(await posted()).to.deep.equal([[c.person, 'hi there']])
    })
  })

  describe('webhooks', () => {
    const form = (more: Record<string, string> = {}) => ({
      AccountSid: localAccount.accountSid,
      MessageSid: 'SM00000000000000000000000000000001',
      From: phone,
      To: '+18885550199',
      Body: canary,
      NumMedia: '0',
      ...more,
    })
    const post = (path: string, body: Record<string, string>, signature: string) =>
      fetch(w.publicUrl + path, {
        method: 'POST',
        body: new URLSearchParams(body),
        headers: { 'x-twilio-signature': signature },
      })
    const signed = (path: string, body: Record<string, string>) =>
      post(path, body, sign(w.authToken, w.publicUrl + path, body))

    it('refuses what is not signed for this address with our token', async () => {
      await w.patient(phone)
      const body = form()
      const elsewhere = sign(w.authToken, 'https://elsewhere.example/sms/inbound', body)
      const otherToken = sign(secret('another'), `${w.publicUrl}/sms/inbound`, body)
      for (const signature of ['', 'x', elsewhere, otherToken])
        expect((await post('/sms/inbound', body, signature)).status).to.equal(403)
      const right = sign(w.authToken, `${w.publicUrl}/sms/inbound`, body)
      expect((await post('/sms/inbound', { ...body, Body: 'STOP' }, right)).status).to.equal(403)
      expect((await post('/sms/status?text=tx_0123456789abcdef', body, right)).status).to.equal(403)
      expect((await signed('/sms/inbound', form({ AccountSid: `AC${'0'.repeat(32)}` }))).status).to.equal(403)
      expect(await w.store.db('inbound_text').first()).to.equal(undefined)
    })

    it('takes a repeated one once', async () => {
      const p = await w.patient(phone)
      for (let i = 0; i < 3; i++) expect((await signed('/sms/inbound', form())).status).to.equal(200)
      await w.handled(form().MessageSid)
      expect((await signed('/sms/inbound', form())).status).to.equal(200)
      await w.idle()
      expect(await posted()).to.deep.equal([[p.person, canary]])
      expect(await w.audits('text.inbound')).to.have.lengthOf(1)
    })

    it('answers with an empty TwiML document, so that the provider sends nothing of its own', async () => {
      await w.patient(phone)
      const answer = await signed('/sms/inbound', form())
      expect(answer.headers.get('content-type')).to.match(/^text\/xml/)
      expect(await answer.text()).to.match(/<Response\/>$/)
    })

    it('refuses a form that makes no sense and ignores a report on a text that is not ours', async () => {
      expect((await signed('/sms/inbound', form({ NumMedia: 'many' }))).status).to.equal(400)
      const report = { AccountSid: localAccount.accountSid, MessageSid: 'SMffff', MessageStatus: 'delivered' }
      expect((await signed('/sms/status', report)).status).to.equal(204)
      expect(
        (await signed('/sms/status', { AccountSid: localAccount.accountSid, MessageSid: 'SMffff' })).status,
      ).to.equal(400)
    })
  })
})
