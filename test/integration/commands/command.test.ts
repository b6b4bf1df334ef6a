import { expect } from 'chai'
import { phrase } from '../../../bots/framework/args.ts'
import { command } from '../../../bots/framework/command.ts'
import type { RoomId, UserId } from '../../../core/domain/ids.ts'
import { changeSetting } from '../../../core/store/staff/settings.ts'
import { stopNumber } from '../../../core/store/texts/stopped-numbers.ts'
import { transact } from '../../../core/store/tx.ts'
import { type CommandWorld, commandWorld } from '../../support/worlds/command-world.ts'

describe('a command on the database', () => {
  let w: CommandWorld
  let desk: UserId
  beforeEach(async () => {
    w = await commandWorld()
    desk = await w.person('dana', 'desk')
  })
  afterEach(() => w.db.drop())

  const enrol = async (name = 'Rosa Ejemplo') => {
    const said = await w.ask(desk, `!patient add +1 202 555 0143 dob 1953-04-09 name "${name}" lang es`)
    return /[2-9A-Z]{3}-[2-9A-Z]{3}/.exec(said.body)?.[0] ?? said.body
  }

  it('commits its effect, its audit event and its replies together', async () => {
    const said = await w.ask(desk, '!patient add +1 202 555 0143 dob 1953-04-09 name "Rosa Ejemplo"')
    expect(said).to.include({ mark: '✅', redacted: true })
    const [run] = await w.audit('command.run')
    expect(run).to.deep.include({ outcome: 'done', object: { id: 'patient add', kind: 'command' } })
    expect(await w.db.store.db('patient')).to.have.lengthOf(1)
  })

  it('leaves nothing behind when it breaks down, and gives up with an answer after some tries', async () => {
    const broken = command({
      words: ['break'],
      needs: 'anyone',
      args: { what: phrase('what', 'it') },
      help: 'Writes, then throws.',
      run: async ({ tx }) => {
        await tx.sql('setting').insert({ key: 'x', value: '"1"', changed_at: 0, changed_by: 'x' })
        throw new Error('no')
      },
    })
    const v = await commandWorld([broken])
    const ann = await v.person('ann', 'desk')
    const failed = await v.ask(ann, '!break it').catch(e => e)
    expect(failed).to.be.an('error')
    expect(await v.db.store.db('setting')).to.have.lengthOf(0)
    expect(await v.audit('command.run')).to.have.lengthOf(0)
    const last = await v.ask(ann, '!break it', { attempts: 3 })
    expect(last).to.include({ mark: '⛔' })
    expect((await v.audit('command.run'))[0]).to.include({ outcome: 'failed', reason: 'broke-down' })
    await v.db.drop()
  })

  it('answers the same event once', async () => {
    await w.ask(desk, '!whoami', { eventId: '$same' })
    await w.ask(desk, '!whoami', { eventId: '$same' })
    expect(await w.db.store.db('outbox').where('key', 'reply:$same')).to.have.lengthOf(1)
  })

  it('keeps patient data out of audit events and in seals everywhere else', async () => {
    await enrol()
    await w.ask(desk, '!patient ad +1 202 555 0143 dob 1953-04-09 name "Rosa Ejemplo"')
    await w.ask(desk, '!patient add +1 202 555 0143 dob 1953-04-09 Rosa Ejemplo')
    await w.ask(desk, '!patient list name Rosa')
    const dump = await w.db.dump()
    for (const secret of ['Rosa', 'Ejemplo', '2025550143', '555 0143', '1953-04-09'])
      expect(dump).not.to.include(secret)
  })

  it('is refused without its role, and the refusal is audited', async () => {
    const admin = await w.person('ada', 'admin')
    const said = await w.ask(admin, '!patient list')
    expect(said.mark).to.equal('⛔')
    expect(said.body).to.include('desk or clinician')
    const [row] = await w.audit('command.run')
    expect(row).to.deep.include({
      outcome: 'refused',
      reason: 'forbidden',
      actor: { id: admin, kind: 'user', device: 'DEVICE' },
    })
  })

  it('is refused from an unsigned device, with the help link', async () => {
    const said = await w.ask(desk, '!whoami', { identity: null })
    expect(said.mark).to.equal('⛔')
    expect(said.body).to.include('verify').and.include('https://element.io/help')
  })

  it('that comes in floods is answered with a request to wait', async () => {
    for (let i = 0; i < 30; i++) await w.ask(desk, '!whoami')
    expect((await w.ask(desk, '!whoami')).body).to.include('wait a minute')
  })

  it('is looked for in desk rooms and hinted at in direct chats', async () => {
    const room = {
      roomId: '!desk:clinic.example' as RoomId,
      class: 'desk' as const,
      unit: 'east',
      peer: null,
      createdBy: 'x',
    }
    expect(await w.ask(desk, 'good morning', { room })).to.deep.equal({ body: '', html: '', mark: '', redacted: false })
    expect((await w.ask(desk, 'good morning')).body).to.include('!help')
    expect((await w.ask(desk, 'how are you')).body, 'not at every word').to.equal('')
    expect(await w.audit('command.run')).to.have.lengthOf(0)
  })

  it('that is refused a new link leaves the patient the one that they have', async () => {
    const code = await enrol()
    await w.db.store.db('patient').update({ state: 'open', room_id: '!care:clinic.example' })
    await w.ask(desk, `!consent record ${code} care verbal`)
    const open = async () =>
      (await w.db.store.db('link').whereNull('withdrawn_at').orderBy('created_at')).map(l => l.id)
    await w.ask(desk, `!patient link ${code}`)
    const [first] = await open()
    await w.ask(desk, `!patient link ${code}`)
    const [second, ...none] = await open()
    expect([second === first, none], 'a new one replaces it').to.deep.equal([false, []])
    await w.ask(desk, `!consent revoke ${code} care`)
    expect((await w.ask(desk, `!patient link ${code}`)).mark).to.equal('⛔')
    expect(await open()).to.include(second)
  })

  describe('that records a consent', () => {
    const texts = async () =>
      (await w.db.store.db('text_message').orderBy('created_at')).map(t => `${t.template} ${t.lang} ${t.state}`)
    const record = (rest: string) => w.ask(desk, `!consent record ${rest}`)

    it('confirms it by text once, not when it is recorded anew, and again after it was withdrawn', async () => {
      const code = await enrol()
      expect((await record(`${code} billing verbal`)).body, 'no text needs it').not.to.include('text can')
      expect((await record(`${code} care verbal`)).body).to.include('get a text that confirms')
      expect((await record(`${code} care written`)).body).not.to.include('confirms')
      expect(await texts()).to.deep.equal(['consent-confirmed es pending'])
      await w.ask(desk, `!consent revoke ${code} care`)
      await record(`${code} care verbal`)
      expect(await texts()).to.have.lengthOf(2)
    })

    it('texts nobody who answered STOP, and says so', async () => {
      const code = await enrol()
      const [person] = await w.db.store.db('person')
      await transact(w.db.store, tx => stopNumber(tx, person.phone_lookup, { kind: 'anonymous', id: 'sms' }))
      expect((await record(`${code} care verbal`)).body)
        .to.include('stopped texts')
        .and.include('START')
      expect(await texts()).to.deep.equal([])
    })

    it('confirms only when every consent that a text needs is there', async () => {
      await transact(w.db.store, tx =>
        changeSetting(tx, { key: 'consent.required', value: ['care', 'reminders'], by: '@ada:clinic.example' }),
      )
      const code = await enrol()
      expect((await record(`${code} care verbal`)).body).to.include('There is no consent for reminders')
      await record(`${code} reminders verbal`)
      expect(await texts()).to.deep.equal(['consent-confirmed es pending'])
    })

    it('welcomes a caregiver when their own consent is there, by the command that the bot names', async () => {
      const code = await enrol()
      const said = await w.ask(desk, `!patient caregiver ${code} +1 202 555 0144 dob 1980-01-02 name Luis lang en`)
      expect(await texts()).to.deep.equal([])
      const named = /!consent record .* person 2/.exec(said.body)?.[0] ?? ''
      expect((await w.ask(desk, named)).mark).to.equal('✅')
      expect(await texts()).to.deep.equal(['caregiver-welcome en pending'])
    })
  })

  it('carries a patient from enrolment to closing', async () => {
    const code = await enrol()
    await w.db.store.db('patient').update({ state: 'open', room_id: '!care:clinic.example' })
    expect((await w.ask(desk, `!patient link ${code}`)).body).to.include('no consent')
    expect((await w.ask(desk, `!consent record ${code} care verbal`)).body).to.include('version 1')
    expect((await w.ask(desk, `!patient link ${code.toLowerCase()}`)).mark).to.equal('✅')
    const caregiver = await w.ask(desk, `!patient caregiver ${code} +1 202 555 0144 dob 1980-01-02 name Luis`)
    expect(caregiver).to.include({ mark: '✅', redacted: true })
    expect((await w.ask(desk, `!patient pin ${code} 4711 person 2`)).body).to.include('not asked')
    const moved = (await w.ask(desk, `!patient number ${code} +1 202 555 0198`)).body
    expect(moved)
      .to.include('…98')
      .and.include('no text goes to the new one')
      .and.include(`!consent record ${code} care`)
    expect((await w.ask(desk, `!patient link ${code}`)).body).to.include('no consent')
    expect((await w.ask(desk, `!consent record ${code} care verbal`)).mark).to.equal('✅')
    const kept = (await w.ask(desk, `!patient number ${code} +1 202 555 0199 consent confirmed`)).body
    expect(kept).to.include('…99').and.include('agreed again, verbally, to care')
    expect((await w.ask(desk, `!patient link ${code}`)).mark).to.equal('✅')
    const status = (await w.ask(desk, `!patient status ${code}`)).body
    expect(status).to.include('Rosa Ejemplo').and.include('…99').and.include('caregiver Luis').and.include('has a PIN')
    expect((await w.ask(desk, `!consent show ${code}`)).body).to.include('Mensajes con su equipo médico')
    expect((await w.ask(desk, `!consent revoke ${code} care`)).mark).to.equal('✅')
    expect((await w.ask(desk, `!consent revoke ${code} care`)).mark).to.equal('⛔')
    expect((await w.ask(desk, `!patient remove ${code} person 1`)).mark, 'the patient stays').to.equal('⛔')
    expect((await w.ask(desk, `!patient remove ${code} person 2`)).body).to.include('no longer takes part')
    expect((await w.ask(desk, `!patient remove ${code} person 2`)).mark).to.equal('⛔')
    expect(await w.audit('caregiver.remove')).to.have.lengthOf(1)
    expect((await w.ask(desk, `!patient unlock ${code}`)).mark).to.equal('✅')
    expect((await w.ask(desk, `!patient close ${code}`)).mark).to.equal('✅')
    expect((await w.ask(desk, `!patient number ${code} +1 202 555 0198`)).body).to.include('closed')
    expect((await w.ask(desk, '!patient list')).body).to.equal('No such patients.')
    const looks = (await w.audit('patient.view')).map(r => (r.object as { kind: string }).kind)
    expect(looks, 'at the patient, and at a list').to.deep.equal(['patient', 'report'])
  })

  it('shows what waits: words without an answer first, then messages that were not read', async () => {
    const code = await enrol()
    const { db, clock } = w.db.store
    const [p] = await db('patient').update({ state: 'open', room_id: '!care:x', service_user: '@r_1:x' }).returning('*')
    const [person] = await db('person').update({ ghost: '@p_1:x' }).returning('*')
    expect((await w.ask(desk, '!patient unanswered')).body).to.include('Nothing waits')
    const notice = { patient_id: p.id, person_id: person.id, room_id: '!care:x', sender: '@n:x', updated_at: 0 }
    await db('notice').insert({
      ...notice,
      id: 'nt_1',
      event_id: '$1',
      sent_at: clock.now() - 7_200_000,
      state: 'texted',
    })
    const wrote = (event_id: string, sender: string, at: number) =>
      db('inbox').insert({
        source: 'ghosts',
        event_id,
        room_id: '!care:x',
        type: 'm.room.encrypted',
        sender,
        origin_server_ts: at,
        event: '',
        sealed: true,
        received_at: at,
        due_at: at,
        state: 'done',
      })
    await wrote('$2', '@p_1:x', clock.now() - 600_000)
    const waits = (await w.ask(desk, '!patient unanswered')).body
    expect(waits).to.include(code).and.include('wrote 10 min ago').and.include('1 unread, the oldest 2 h ago')
    await wrote('$3', '@nurse:x', clock.now())
    expect((await w.ask(desk, '!patient unanswered')).body).not.to.include('wrote')
  })

  it('refuses words of a text that name a patient, and wants another person to approve the rest', async () => {
    const sam = await w.person('sam', 'supervisor')
    const sue = await w.person('sue', 'supervisor')
    const bad = await w.ask(
      sam,
      '!template propose notice en "{clinic}: Rosa, your biopsy result is at {link}. {phone} STOP"',
    )
    expect(bad.mark).to.equal('⛔')
    const words =
      '{clinic}: a new secure message is here. Open {link} within {hours} h. Call {phone}. Reply STOP to stop.'
    const proposed = await w.ask(sam, `!template propose notice en ${words}`)
    expect(proposed.body).to.include('Proposed as version 1')
    expect((await w.ask(sam, '!template approve notice en 1')).mark).to.equal('⛔')
    expect((await w.ask(sue, '!template approve notice en 1')).mark).to.equal('✅')
    expect((await w.ask(sue, '!template list')).body).to.match(/notice +en +1/)
    expect((await w.ask(sue, '!template test notice en')).body).to.include('nothing to object')
  })

  it('tells administrators how the services are, and makes units', async () => {
    const admin = await w.person('ada', 'admin')
    const before = (await w.ask(admin, '!status')).body
    expect(before).to.include('outbox bots').and.include('Schema')
    expect(before).to.include('clinic.phone is not set')
    await transact(w.db.store, tx => changeSetting(tx, { key: 'clinic.phone', value: '+12025550100', by: '@ada:x' }))
    expect((await w.ask(admin, '!status')).body).not.to.include('clinic.phone')
    expect((await w.ask(admin, '!unit add "East wing"')).mark).to.equal('✅')
    expect((await w.ask(desk, '!unit list')).body).to.include('main')
    const unknown = await w.ask(desk, '!patient add 2025550143 dob 1953-04-09 unit west')
    expect(unknown.body).to.include('no unit "west"')
  })
})
