import { expect } from 'chai'
import type { AuditEvent } from '../../../core/domain/audit/event.ts'
import { days, hours } from '../../../core/domain/clock.ts'
import type { PatientId, RoomId, UserId } from '../../../core/domain/ids.ts'
import { readEntries } from '../../../core/store/audit/log/entries.ts'
import { erasePatient } from '../../../core/store/audit/subjects.ts'
import { patientByCode } from '../../../core/store/patients/patients.ts'
import { transact } from '../../../core/store/tx.ts'
import { audited, type TestAuditLog, testAuditLog } from '../../support/audit-log.ts'
import { type CommandWorld, commandWorld } from '../../support/worlds/command-world.ts'

describe('audit commands', function () {
  this.timeout(120_000)
  let w: CommandWorld
  let log: TestAuditLog
  let carla: UserId
  let dana: UserId
  let code: string
  let patient: PatientId
  beforeEach(async () => {
    w = await commandWorld()
    w.db.store.clock.freeze(Date.parse('2026-11-18T15:30:00Z')) // 10:30 in New York
    log = testAuditLog(w.db.store)
    carla = await w.person('carla', 'compliance')
    dana = await w.person('dana', 'desk')
    const said = await w.ask(dana, '!patient add +1 202 555 0143 dob 1953-04-09 name "Rosa Ejemplo" lang es')
    code = /[2-9A-Z]{3}-[2-9A-Z]{3}/.exec(said.body)?.[0] ?? said.body
    patient = (await patientByCode(w.db.store.db, code))?.id as PatientId
    await w.ask(dana, `!patient status ${code}`)
    await log.sequence()
  })
  afterEach(() => w.db.drop())

  const event = (e: Partial<Omit<AuditEvent, 'at'>>) => audited(w.db.store, e)
  const entries = () => readEntries(w.db.store.db, { from: 0, limit: 1000 })
  const entryOf = async (action: string) => (await entries()).findLast(e => e.action === action)

  describe('a timeline', () => {
    it('tells what happened to a patient, by day in the clinic’s time zone, with the number of each entry', async () => {
      const { body, mark } = await w.ask(carla, `!audit patient ${code}`)
      expect(mark).to.equal('✅')
      expect(body)
        .to.match(/Wednesday,? 18 November 2026/)
        .and.include('America/New_York')
      const view = await entryOf('patient.view')
      expect(body).to.include(`• 10:30:00 · ${dana} looked at patient ${code}. · #${view?.idx}`)
      expect(body).to.match(new RegExp(`${dana} enrolled patient ${code}`))
      expect(body.indexOf('looked at')).to.be.lessThan(body.indexOf('enrolled'))
    })

    it('is itself recorded in the transaction that answers, and seen in the next one', async () => {
      await w.ask(carla, `!audit patient ${code}`)
      const [view] = await w.audit('audit.view')
      expect(view).to.deep.include({ outcome: 'done', patient, actor: { kind: 'user', id: carla, device: 'DEVICE' } })
      await log.sequence()
      expect((await w.ask(carla, `!audit patient ${code}`)).body).to.include(`${carla} looked at the audit log`)
    })

    it('goes back page by page without losing or repeating an entry', async () => {
      for (let i = 0; i < 100; i++) await event({ patient, object: { kind: 'report', id: `r-${i}` } })
      await log.sequence()
      const seen: string[] = []
      let command: string | undefined = `!audit patient ${code} since 2026-11-01`
      while (command) {
        const { body } = await w.ask(carla, command)
        seen.push(...(body.match(/#\d+$/gm) ?? []))
        command = /^!audit patient .* before \d+$/m.exec(body)?.[0]
        if (command) expect(command).to.include('since 2026-11-01')
      }
      const all = (await entries()).filter(e => e.patient !== undefined)
      const expected = new Set(all.filter(e => e.action !== 'audit.view').map(e => `#${e.idx}`))
      expect(new Set(seen)).to.deep.equal(expected)
      expect(seen).to.have.lengthOf(expected.size)
    })

    it('takes since and until as days of the clinic, today, yesterday or a time ago', async () => {
      await w.db.store.clock.advance(days(2))
      await event({ patient, object: { kind: 'report', id: 'later' } })
      await log.sequence()
      const has = async (span: string) => {
        const { body } = await w.ask(carla, `!audit patient ${code} ${span}`)
        return { first: body.includes('enrolled'), later: body.includes('later') }
      }
      expect(await has('since today')).to.deep.equal({ first: false, later: true })
      expect(await has('until yesterday')).to.deep.equal({ first: true, later: false })
      expect(await has('since 2026-11-18 until 2026-11-18')).to.deep.equal({ first: true, later: false })
      expect(await has('since 47h')).to.deep.equal({ first: false, later: true })
      expect(await has('since 3d')).to.deep.equal({ first: true, later: true })
      expect(await has('since 2026-11-19 until 2026-11-19')).to.deep.equal({ first: false, later: false })
    })

    it('says of an erased patient that nobody can tell any more who it was, and keeps the entries', async () => {
      const idx = (await entryOf('patient.view'))?.idx
      await transact(w.db.store, tx => erasePatient(tx, patient))
      const gone = await w.ask(carla, `!audit patient ${code}`)
      expect(gone.mark).to.equal('⛔')
      expect(gone.body).to.include('was erased')
      const { body } = await w.ask(carla, `!audit patient #${idx}`)
      expect(body).to.include('data were erased').and.include('(erased)').and.not.include(code)
      const reveal = await w.ask(carla, `!audit reveal ${idx} reason "who was this, case 17"`)
      expect(reveal.body).to.include('erased: nobody can tell any more').and.not.include(code)
    })

    it('of a person shows what they did, of patients only commitments, and is open to each of one’s own', async () => {
      const { body } = await w.ask(carla, `!audit user ${dana}`)
      expect(body)
        .to.match(/gave the command !patient add.*\[patient #[\w-]{8}\]/)
        .and.not.include(code)
      expect((await w.ask(dana, '!audit user me')).body)
        .to.include('What you did')
        .and.not.include(code)
      expect(await w.ask(dana, `!audit user ${carla}`)).to.include({ mark: '⛔' })
      expect(await w.ask(dana, `!audit patient ${code}`)).to.include({ mark: '⛔' })
    })

    it('is not told where others read, but in the compliance room', async () => {
      const desk = {
        roomId: '!desk:clinic.example' as RoomId,
        class: 'desk',
        unit: 'main',
        peer: null,
        createdBy: '@w',
      } as const
      for (const text of [
        `!audit patient ${code}`,
        '!audit reveal 1 reason "a good one"',
        '!audit report access',
        '!audit user me',
      ])
        expect((await w.ask(carla, text, { room: desk })).body, text).to.include('Others read here')
      const officers = { ...desk, class: 'alert', unit: 'compliance' } as const
      expect((await w.ask(carla, `!audit patient ${code}`, { room: officers })).mark).to.equal('✅')
    })

    it('of a room takes its id or a patient’s code', async () => {
      const room = '!care:clinic.example'
      await w.db.store.db('patient').where({ id: patient }).update({ room_id: room })
      await event({
        action: 'message.sent',
        actor: { kind: 'user', id: dana },
        object: { kind: 'event', id: '$m1' },
        patient,
        room,
      })
      await log.sequence()
      for (const asked of [room, code, `https://matrix.to/#/${room}?via=clinic.example`])
        expect((await w.ask(carla, `!audit room ${asked}`)).body, asked).to.include(`${dana} sent`)
      expect((await w.ask(carla, '!audit room !other:clinic.example')).body).to.include('no entry about !other')
    })

    it('of a link is found by any entry about it, without telling whose it is', async () => {
      const link = { kind: 'link', id: 'ln_0123456789abcdef' } as const
      await event({ action: 'link.create', object: link, patient })
      await event({ action: 'link.tap', actor: { kind: 'anonymous', id: 'browser' }, object: link, patient })
      await log.sequence()
      const tap = await entryOf('link.tap')
      const { body } = await w.ask(carla, `!audit link #${tap?.idx}`)
      expect(body.match(/#\d+$/gm)).to.have.lengthOf(2)
      expect(body).not.to.include(code)
      const enrol = await entryOf('patient.enrol')
      expect((await w.ask(carla, `!audit link #${enrol?.idx}`)).body).to.include('is not about a link')
    })

    it('answers what cannot be read with what to write instead', async () => {
      const refused = async (text: string) => {
        const { body, mark } = await w.ask(carla, text)
        expect(mark, text).to.equal('⛔')
        return body
      }
      expect(await refused('!audit patient Rosa'))
        .to.include("patient's code such as K7M-4QP")
        .and.include('Example:')
      expect(await refused('!audit patient ZZZ-999')).to.include('no patient ZZZ-999')
      expect(await refused('!audit patient #999999')).to.include('no entry #999999')
      expect(await refused(`!audit patient ${code} since tomorrow`)).to.include('2026-11-01')
      expect(await refused(`!audit patient ${code} since 2026-02-30`)).to.include('Expected a day')
      expect(await refused('!audit report access 2027-01')).to.include('has not begun')
      expect(await refused('!audit report access 13')).to.include('Expected a month')
      expect(await refused('!audit report acess')).to.include('did you mean access')
      expect(await refused('!audit reveal 3')).to.include('reason')
      expect(await refused('!audit reveal 3 reason "x"')).to.include('Say in some words why')
      expect(await refused('!audit patientt K7M-4QP')).to.include('!audit patient')
    })
  })

  describe('reveal', () => {
    it('tells whom an entry is about, for a reason that stays in the log', async () => {
      const idx = (await entryOf('patient.view'))?.idx
      const { body } = await w.ask(carla, `!audit reveal ${idx} reason "complaint of 17 November"`)
      expect(body).to.include(`Patient: ${code} (${patient}), enrolling, unit main`)
      const [row] = await w.audit('audit.reveal')
      expect(row).to.deep.include({ outcome: 'done', patient, reason: 'complaint of 17 November' })
      await log.sequence()
      const entry = await entryOf('audit.reveal')
      const again = await w.ask(carla, `!audit reveal #${entry?.idx} reason "review of reveals"`)
      expect(again.body).to.include('“complaint of 17 November”')
      expect(await w.ask(dana, `!audit reveal ${idx} reason "curious about it"`)).to.include({ mark: '⛔' })
    })
  })

  it('a hostile value neither breaks a line nor becomes markup, a link or another entry', async () => {
    const hostile =
      'Mozilla\n• 10:31:00 · @carla:clinic.example gave up. · #999\u2028\u202e<b>bold</b> [x](http://evil.example) https://matrix.to/#/!evil:evil.example `code`'
    await event({
      action: 'link.tap',
      actor: { kind: 'anonymous', id: 'browser' },
      object: { kind: 'link', id: hostile },
      patient,
      origin: { ip: '203.0.113.9', agent: hostile },
      reason: hostile,
    })
    await event({
      action: 'request.refused',
      actor: { kind: 'anonymous', id: 'browser' },
      object: { kind: 'route', id: `/x <img src=x onerror=1> | ~~a~~ https://matrix.to/#/!evil:evil.example` },
      outcome: 'refused',
      patient,
      reason: 'x'.repeat(9000),
    })
    await log.sequence()
    const timeline = await w.ask(carla, `!audit patient ${code}`)
    const idx = (await entryOf('link.tap'))?.idx
    const reveal = await w.ask(carla, `!audit reveal ${idx} reason "hostile value, look"`)
    const shown = (await entries()).filter(e => e.patient !== undefined && e.action !== 'audit.view')
    expect(timeline.body.match(/^• /gm)).to.have.lengthOf(shown.length)
    expect(reveal.body).to.include('203.0.113.9').and.include('Mozilla')
    for (const { body, html } of [timeline, reveal]) {
      expect(body).not.to.match(/[\u2028\u202e]/)
      expect(body).not.to.match(/^• 10:31:00/m)
      expect(html).not.to.match(/<b>|<img|href="https:\/\/matrix\.to\/#\/!evil/)
      expect(body.length).to.be.lessThan(20_000)
    }
  })

  describe('reports', () => {
    const view = (user: string, patientId: string) =>
      event({
        action: 'patient.view',
        actor: { kind: 'user', id: user },
        object: { kind: 'patient', id: patientId },
        patient: patientId,
      })

    it('show who looked at how many patients, and who is unlike the others', async () => {
      for (let u = 0; u < 6; u++) for (let p = 0; p < 3 + u; p++) await view(`@nurse${u}:clinic.example`, `pt_${p}`)
      for (let p = 0; p < 40; p++) await view('@snoop:clinic.example', `pt_many${p}`)
      await log.sequence()
      const { body } = await w.ask(carla, '!audit report access')
      expect(body).to.include('Access to patients in November 2026').and.include('1 of them unlike the others')
      expect(body)
        .to.match(/@snoop:clinic\.example: 40 patients; the median is/)
        .and.match(/@snoop:clinic\.example +40 +40 /)
      const [row] = await w.audit('audit.report')
      expect(row).to.deep.include({ outcome: 'done', object: { kind: 'report', id: 'access 2026-11' } })
      await w.ask(dana, '!patient list')
      await w.ask(dana, '!patient unanswered')
      await log.sequence()
      const next = await w.ask(carla, '!audit report access november')
      expect(next.body).to.match(/@dana:clinic\.example +patient lists +1 /)
      expect(next.body).to.match(/@dana:clinic\.example +receipts: !patient unanswered +1 /)
      expect(next.body).to.match(/@carla:clinic\.example +reports +1 /)
      expect(next.body).to.match(/@dana:clinic\.example +receipts: !patient status +1 /)
      expect((await w.ask(carla, '!audit report access 2026-10')).body).to.include(
        'Nobody of the staff dealt with a patient',
      )
    })

    it('review who holds which role beside what they did, and name first whom to look at', async () => {
      const idle = await w.person('idle', 'clinician')
      await w.db.store.db('role_grant').where({ user_id: idle }).update({ granted_at: 1 })
      for (let u = 0; u < 6; u++) for (let p = 0; p < 3; p++) await view(`@nurse${u}:clinic.example`, `pt_${p}`)
      for (let p = 0; p < 40; p++) await view(dana, `pt_many${p}`)
      await log.sequence()
      const { body, mark } = await w.ask(carla, '!review access')
      expect(mark, body).to.equal('✅')
      expect(body)
        .to.match(/Access review, 2026-11 .*: 3 people with a role/)
        .and.match(/@dana:clinic\.example: 41 patients; the median is/)
        .and.include('@nurse0:clinic.example: dealt with 3 patients, and has no role now')
        .and.include(`${idle}: has a role and did nothing since that month began`)
        .and.not.include(`${carla}: has`)
      expect(body).to.match(/desk +@dana:clinic\.example +\d{4}-\d\d-\d\d +\S+ +2026-11-18 +41/)
      expect(body).to.match(/clinician +@idle:clinic\.example .* never +0/)
      expect((await w.audit('audit.report'))[0]).to.deep.include({ object: { kind: 'report', id: 'review 2026-11' } })
      expect((await w.ask(carla, '!review access 2026-10')).body).to.include('Access review, 2026-10')
      expect(await w.ask(dana, '!review access')).to.include({ mark: '⛔' })
    })

    it('count what became of links and texts', async () => {
      const link = (action: AuditEvent['action'], outcome: AuditEvent['outcome'] = 'done', reason?: string) =>
        event({ action, outcome, reason, object: { kind: 'link', id: 'ln_0123456789abcdef' }, patient })
      await link('link.create')
      await link('link.tap')
      await link('link.verify', 'refused', 'wrong')
      await link('link.verify', 'refused', 'wrong')
      await link('link.verify')
      await event({
        action: 'text.status',
        object: { kind: 'text', id: 'tx_1' },
        patient,
        detail: { status: 'delivered' },
      })
      await event({
        action: 'text.status',
        outcome: 'failed',
        object: { kind: 'text', id: 'tx_2' },
        patient,
        detail: { status: 'failed', code: '30034' },
      })
      await log.sequence()
      const { body } = await w.ask(carla, '!audit report links')
      expect(body)
        .to.match(/links made +1\n/)
        .and.match(/identity confirmed +1\n/)
        .and.match(/identity not confirmed +2\n/)
      expect(body)
        .to.match(/delivered +1\n/)
        .and.match(/link\.verify +wrong +2/)
        .and.match(/text\.status +30034 +1/)
    })

    it('count commands with who gave them and why they were refused', async () => {
      await w.ask(dana, '!config list')
      await log.sequence()
      const { body } = await w.ask(carla, '!audit report commands')
      expect(body)
        .to.match(/!patient status +1 +0/)
        .and.match(/!config list +1 +1/)
        .and.match(/!config list +forbidden +1/)
    })
  })

  it('the status tells size, root, what waits and what is missing', async () => {
    const { body } = await w.ask(carla, '!audit status')
    expect(body)
      .to.match(/Entries: \d+/)
      .and.match(/Root: [A-Za-z0-9+/]{43}=/)
      .and.include('No sink')
    w.db.store.clock.advance(hours(1))
    expect((await w.ask(carla, '!audit status')).body).to.match(/Waiting to come in: \d+ events, the oldest 1 h ago/)
  })

  it('export and verify are given to the audit process, one after the other, with where to answer', async () => {
    await w.ask(carla, '!audit export', { eventId: '$ask' })
    await w.ask(carla, '!audit verify')
    const rows = await w.db.store.db('outbox').where({ queue: 'audit' }).orderBy('seq')
    expect(rows.map(r => [r.kind, r.lane])).to.deep.equal([
      ['audit.export', 'log'],
      ['audit.verify', 'log'],
    ])
    const payload = JSON.parse(await w.db.store.seal.open('outbox.payload', rows[0].payload))
    expect(payload).to.deep.equal({
      by: { kind: 'user', id: carla, device: 'DEVICE' },
      room: '!chat-carla:clinic.example',
      thread: '$ask',
    })
  })
})
