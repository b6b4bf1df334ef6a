import { expect } from 'chai'
import { recallByReaction } from '../../../bots/desk/recall-reaction.ts'
import { days, hours } from '../../../core/domain/clock.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { tellRecalls } from '../../../core/records/recall-answer.ts'
import { recordNews } from '../../../core/store/audit/sources/homeserver-news.ts'
import type { InboxEvent } from '../../../core/store/queues/inbox.ts'
import { countUnread, noteCoverage, noteLookedAt } from '../../../core/store/records/coverage.ts'
import { dueRecords } from '../../../core/store/records/fates.ts'
import { noteRecords } from '../../../core/store/records/note.ts'
import { changePolicy } from '../../../core/store/records/policies.ts'
import { noteRemoved } from '../../../core/store/records/recall.ts'
import { addSink } from '../../../core/store/sinks/sinks.ts'
import { transact } from '../../../core/store/tx.ts'
import { type CommandWorld, commandWorld } from '../../support/worlds/command-world.ts'

const room = '!ward:clinic.example'

/** Rows 32, 49. */
describe('!retention and !hold', function () {
  this.timeout(120_000)
  let w: CommandWorld
  let officer: UserId
  let second: UserId

  beforeEach(async () => {
    w = await commandWorld()
    officer = await w.person('cora', 'compliance')
    second = await w.person('carl', 'compliance')
  })
  afterEach(() => w.db.drop())

  const store = () => w.db.store
  /** Messages as the homeserver reports them, one a day, the oldest first. */
  const wrote = async (count: number, sender = '@ann:clinic.example', inRoom = room): Promise<string[]> => {
    const now = store().clock.now()
    const events = Array.from({ length: count }, (_, n) => ({
      event_id: `$${inRoom}${sender}${n}`.replace(/[^$\w]/g, ''),
      room_id: inRoom,
      type: 'm.room.encrypted',
      sender,
      origin_server_ts: now - days(count - n),
      content: { session_id: 'S' },
    }))
    await transact(store(), tx => noteRecords(tx, { events, receipts: [] }))
    return events.map(e => e.event_id)
  }
  const code = async (who: UserId): Promise<string> =>
    /!approve (\S+)/.exec((await w.toldTo(who)).at(-1) ?? '')?.[1] ?? ''

  it('shows which rooms are covered, and those that cannot be', async () => {
    expect((await w.ask(officer, '!retention coverage')).body)
      .to.include('nobody keeps records')
      .and.include('none yet')
    const member = (inRoom: string, membership: string, direct = false) => ({
      event_id: `$${inRoom}${membership}`,
      room_id: inRoom,
      type: 'm.room.member',
      state_key: '@wardroom_records:clinic.example',
      sender: '@ann:clinic.example',
      origin_server_ts: store().clock.now(),
      content: { membership, ...(direct ? { is_direct: true } : {}) },
    })
    await transact(store(), async tx => {
      const events = [
        member('!one:h', 'invite'),
        member('!one:h', 'join'),
        member('!two:h', 'invite', true),
        member('!two:h', 'join'),
      ]
      await noteCoverage(tx, '@wardroom_records:clinic.example', events)
      await noteCoverage(tx, '@wardroom_records:clinic.example', events)
      await noteLookedAt(tx, { room: '!three:h', class: 'staff', state: 'impossible', reason: 'nobody_may_invite' })
      await countUnread(tx, '!two:h')
    })
    const said = (await w.ask(officer, '!retention coverage')).body
    expect(said).to.include('Staff rooms with the bot: 1').and.include('Direct chats with the bot: 1')
    expect(said).to.match(/!three:h.*no member of this homeserver may invite/)
    expect(said).to.match(/!two:h.*1 messages without their key/)
    expect(await w.audit('record.cover')).to.have.lengthOf(2)
  })

  it('sets a window after a preview and a second person’s approval', async () => {
    await wrote(10)
    const said = await w.ask(officer, '!retention set class staff 5d')
    expect(said.body).to.include('5 days after it was sent')
    expect(said.body).to.match(/Would go at once: 6 messages in 1 rooms/)
    expect(said.body).to.include('Nothing is changed yet')
    expect((await w.ask(officer, `!approve ${await code(second)}`)).body).to.include('your own request')
    expect((await w.ask(second, `!approve ${await code(second)}`)).body).to.include('Done')
    expect((await w.ask(officer, '!retention show')).body).to.include('staff rooms')
    const history = (await w.ask(officer, '!retention history')).body
    expect(history).to.include('no rule').and.include('@carl:clinic.example')
    expect(await w.audit('retention.change')).to.have.lengthOf(1)
  })

  it('lets one person keep things longer, with their own word', async () => {
    await w.ask(officer, '!retention set organisation 5y minimum yes')
    expect((await w.ask(officer, '!confirm')).body).to.include('Done')
    const sooner = await w.ask(officer, '!retention set organisation none minimum yes')
    expect(sooner.body).to.include('has to approve')
  })

  it('says why a message stays, and to whom it says so', async () => {
    const [first] = await wrote(3)
    const link = `https://matrix.to/#/${room}/${first}?via=clinic.example`
    expect((await w.ask(officer, `!retention why ${link}`)).body).to.include('no rule says that it goes')
    await w.ask(officer, `!hold place room ${room} reason "claim 1"`)
    expect((await w.ask(officer, `!retention why ${link}`)).body).to.include('legal hold lh_')
    const ann = await w.person('ann', 'clinician')
    const bob = await w.person('bob', 'clinician')
    expect((await w.ask(ann, `!retention why ${link}`)).mark).to.equal('✅')
    expect((await w.ask(bob, `!retention why ${link}`)).body).to.include('not known here')
  })

  it('says how far a removal is at each of the other homeservers', async () => {
    const [first = ''] = await wrote(3)
    const { db, clock } = store()
    await db('record').where({ event_id: first }).update({ doomed_at: clock.now(), destroyed_at: clock.now() })
    const at = Date.UTC(2026, 0, 2, 3, 4)
    const row = { event_id: first, redaction: '$removal', asked_at: at, since: at, look_at: at }
    await db('record_server').insert([
      { ...row, server: 'a.example', state: 'reached' },
      { ...row, server: 'b.example', state: 'away' },
      { ...row, server: 'c.example', state: 'asked' },
      { ...row, server: 'd.example', state: 'unasked', redaction: null },
    ])
    const { body } = await w.ask(officer, `!retention why https://matrix.to/#/${room}/${first}`)
    expect(body)
      .to.include('a.example was asked and has taken the request (2026-01-02 03:04 UTC)')
      .and.include('not in our hands')
      .and.include('b.example was asked and is not reached yet, since 2026-01-02 03:04 UTC')
      .and.include('c.example was asked; there is no sign yet')
      .and.include('d.example was not asked')
  })

  it('says where records are, to whom the log goes, and until when backups may have what was destroyed', async () => {
    const [first = ''] = await wrote(3)
    await wrote(2, '@far:other.example')
    await wrote(1, '@ann:clinic.example', '!alone:clinic.example')
    const { db, clock } = store()
    await db('record').where({ event_id: first }).update({ doomed_at: clock.now(), destroyed_at: clock.now() })
    const row = { event_id: first, redaction: '$r', asked_at: 1, since: 1, look_at: 1 }
    await db('record_server').insert([
      { ...row, server: 'other.example', state: 'reached' },
      { ...row, server: 'third.example', state: 'away' },
    ])
    const sink = {
      name: 'siem',
      type: 'syslog',
      target: 'siem.clinic.example:6514',
      options: {},
      shown: {},
      identify: false,
    }
    await transact(store(), tx => addSink(tx, sink, { kind: 'user', id: officer }))
    const { body, mark } = await w.ask(officer, '!retention residency')
    expect(mark, body).to.equal('✅')
    const until = new Date(clock.now() + days(30)).toISOString().slice(0, 10)
    expect(body)
      .to.match(/clinic\.example +ours +2 +5/)
      .and.match(/other\.example +another hospital +1 +4 +1 +1/)
      .and.match(/third\.example +another hospital +0 +0 +1 +0/)
      .and.include('siem: syslog → siem.clinic.example:6514')
      .and.include(`encrypted, until ${until}`)
    expect((await w.audit('retention.view')).length).to.be.greaterThan(0)
  })

  it('holds at once, and releases only with two people', async () => {
    await wrote(4)
    await wrote(2, '@bob:clinic.example')
    const placed = await w.ask(officer, '!hold place user @bob:clinic.example reason "claim 2026-114, Mr Green"')
    expect(placed.body).to.match(/Messages held: 2/)
    expect(placed.redacted).to.equal(true)
    const id = /lh_\w+/.exec(placed.body)?.[0] ?? ''
    expect((await store().db('legal_hold').first()).matter).not.to.include('Green')
    expect((await w.ask(officer, `!hold report ${id}`)).body).to.include('claim 2026-114, Mr Green')
    expect((await w.ask(officer, `!hold release ${id}`)).body).to.include('has to approve')
    expect((await w.ask(officer, '!hold list')).body).to.include(id)
    await w.ask(second, `!approve ${await code(second)}`)
    expect((await w.ask(officer, '!hold list')).body).to.include('There is no legal hold')
    expect((await w.audit('hold.release'))[0]?.detail).to.deep.include({ approved_by: second })
  })

  it('refuses what cannot be with a clear sentence, changes nothing, and has each refusal in the log', async () => {
    const ann = await w.person('ann', 'clinician')
    const bob = await w.person('bob', 'clinician')
    const [old] = await wrote(2, ann)
    const link = (event = '') => `https://matrix.to/#/${room}/${event}`
    const own = await writes('$own', ann)
    await w.ask(officer, '!retention set organisation 90d minimum yes')
    await w.ask(officer, '!confirm')
    const held = '!held:clinic.example'
    const [heldMessage] = await wrote(1, ann, held)
    await w.ask(officer, `!hold place room ${held} until 2025-01-01 reason "an old claim"`)
    await w.ask(officer, `!hold place room ${held} reason "claim 1"`)
    for (const where of [room, held]) w.inRoom(where, bob, { mayRemove: true })
    w.inRoom(room, ann)
    const tables = [
      'record',
      'record_room',
      'retention_policy',
      'retention_history',
      'legal_hold',
      'ephemeral',
      'recall',
      'approval',
    ]
    const all = async () => JSON.stringify(await Promise.all(tables.map(t => store().db(t).orderBy(1))))
    const before = await all()
    const refused: [UserId, string, string][] = [
      [officer, '!retention set organisation 30d', 'The minimum for the organisation is 90 days'],
      [officer, '!retention set class staff 0d', 'Expected a time'],
      [officer, '!retention set class staff 5m', 'at least an hour'],
      [officer, '!retention set class staff 101y', 'at most a hundred years'],
      [officer, '!retention set class stuff 5d', 'Expected a class of rooms'],
      [officer, '!retention set rooms staff 5d', 'did you mean room?'],
      [officer, '!retention set room !nowhere:clinic.example 100d', 'No message of this room was ever seen'],
      [officer, '!retention preview room !nowhere:clinic.example 100d', 'No message of this room was ever seen'],
      [officer, '!retention set organisation 100d from reading', 'Expected one of'],
      [officer, '!retention set organisation 100d from read minimum yes', 'cannot run from reading'],
      [officer, '!retention set organisation 90d minimum yes', 'It is that already'],
      [officer, '!retention why $unknown', 'not known here'],
      [bob, `!retention why ${own}`, 'not known here'],
      [ann, '!retention set organisation 200d', 'you do not hold that role'],
      [officer, '!hold place reason "all"', 'Say what to hold'],
      [officer, '!hold place room !nowhere:clinic.example reason "x"', 'was ever seen here'],
      [officer, '!hold place patient K7M-4QP reason "x"', 'no patient'],
      [officer, '!hold place user @bob:clinic.example since 2999-01-01 reason "x"', 'A hold begins in the past'],
      [
        officer,
        '!hold place user @bob:clinic.example since 2026-02-01 until 2026-01-01 reason "x"',
        '"until" must come after',
      ],
      [officer, '!hold place user @bob:clinic.example', 'missing'],
      [officer, `!hold place room ${held} reason "claim 1"`, 'covers some of it already'],
      [
        officer,
        `!hold place room ${held} user @ann:clinic.example since 2025-06-01 reason " Claim  1"`,
        'such as the same with',
      ],
      [officer, '!hold release lh_0000000000000000', 'There is no hold'],
      [officer, '!hold report lh_0000000000000000', 'There is no hold'],
      [officer, '!hold release everything', 'Expected a hold'],
      [ann, '!hold list', 'you do not hold that role'],
      [bob, `!recall ${own}`, 'Only its sender'],
      [ann, `!recall ${link(old)}`, 'for 24 hours after sending'],
      [ann, '!recall https://matrix.to/#/!nowhere:clinic.example/$x', 'not known here'],
      [ann, '!recall hello', 'That is not a message'],
      [bob, '!ephemeral https://matrix.to/#/!nowhere:clinic.example 24h', 'You are in no such room'],
      [ann, `!ephemeral ${held} 24h`, 'You are in no such room'],
      [ann, `!ephemeral ${room} 100d`, 'at most 90 days'],
      [bob, `!ephemeral ${room} 0h`, 'Expected a time'],
      [bob, `!ephemeral ${room} after read 1m`, 'at least 5 minutes'],
      [ann, `!ephemeral ${room} 24h`, 'Only a member who may remove'],
      [bob, `!ephemeral ${room} 24h`, 'The minimum for the organisation is 90 days after it was sent'],
      [ann, `!ephemeral ${own} after read 1h`, 'it cannot live shorter'],
      [bob, `!ephemeral ${held} 24h`, 'A legal hold covers it'],
      [bob, `!ephemeral https://matrix.to/#/${held}/${heldMessage} 24h`, 'A legal hold covers it'],
      [bob, `!ephemeral ${link('$nothing')} 24h`, 'not known here'],
      [bob, `!ephemeral ${room} off`, 'It is not ephemeral'],
      [bob, '!ephemeral hello 24h', 'not the link of a room'],
    ]
    for (const [who, typed, sentence] of refused) {
      store().clock.advance(3000)
      await store().db('audit_queue').delete()
      const said = await w.ask(who, typed)
      expect(said.mark, typed).to.equal('⛔')
      expect(said.body, typed).to.include(sentence)
      const runs = await w.audit('command.run')
      expect(
        runs.map(r => [r.outcome, typeof r.reason]),
        typed,
      ).to.deep.equal([['refused', 'string']])
    }
    expect(await all()).to.equal(before)
  })

  it('lets windows from the discharge begin when a patient is closed', async () => {
    const desk = await w.person('dora', 'desk')
    const added = await w.ask(desk, '!patient add +1 202 555 0143 dob 1953-04-09')
    const code = /[2-9A-Z]{3}-[2-9A-Z]{3}/.exec(added.body)?.[0] ?? ''
    await store().db('patient').update({ state: 'open', room_id: room })
    await wrote(2)
    const value = { from: 'discharge', keepMs: days(1) } as const
    await transact(store(), tx =>
      changePolicy(tx, { scope: { kind: 'organisation' }, minimum: false, value }, { by: officer }),
    )
    store().clock.advance(days(30))
    expect(await due()).to.deep.equal([])
    expect((await w.ask(desk, `!patient close ${code}`)).mark).to.equal('✅')
    store().clock.advance(days(2))
    expect(await due()).to.have.lengthOf(2)
  })

  it('holds everything of a stretch of time when dates alone are given', async () => {
    await wrote(2)
    await transact(store(), tx =>
      changePolicy(
        tx,
        { scope: { kind: 'organisation' }, minimum: false, value: { from: 'sent', keepMs: 1 } },
        { by: '@a:h' },
      ),
    )
    const all = await due()
    expect(all.length).to.be.greaterThan(1)
    const before = await w.ask(officer, '!hold place until 2001-01-01 reason "claim 1"')
    expect(before).to.include({ mark: '✅' })
    expect(await due(), 'nothing is that old').to.deep.equal(all)
    const since = await w.ask(officer, '!hold place since 2001-01-01 reason "claim 2"')
    expect(since.mark, since.body).to.equal('✅')
    expect(await due()).to.deep.equal([])
    expect((await w.ask(officer, '!hold list')).body)
      .to.include('everything since 2001-01-01')
      .and.include('everything before 2001-01-02')
  })

  it('puts a label on a room or a message when a second person approves, and the rule of the label counts', async () => {
    const other = '!other:clinic.example'
    const [inRoom] = await wrote(3)
    const [single, beside] = await wrote(2, '@ann:clinic.example', other)
    await transact(store(), async tx => {
      const rule = (label: string | null, keepMs: number) =>
        changePolicy(
          tx,
          {
            scope: label === null ? { kind: 'organisation' } : { kind: 'label', label },
            minimum: false,
            value: { from: 'sent', keepMs },
          },
          { by: '@a:h' },
        )
      await rule(null, days(400))
      await rule('billing', hours(1))
    })
    expect(await due()).to.deep.equal([])
    const link = `https://matrix.to/#/${other}/${single}`
    const decided = async (typed: string) => {
      const asked = await w.ask(officer, typed)
      expect(asked.mark, asked.body).to.equal('✅')
      const question = (await w.toldTo(second)).at(-1) ?? ''
      const done = await w.ask(second, `!approve ${await code(second)}`)
      expect(done.mark, done.body).to.equal('✅')
      return { asked: asked.body, question }
    }
    const { asked, question } = await decided(`!retention label ${room} Billing`)
    for (const words of [asked, question])
      expect(words)
        .to.match(/Messages: 3/)
        .and.match(/at most 1 hour after/)
        .and.match(/Would go at once: 3 messages of all rooms \(by the present labels 0\)/)
    expect(await due())
      .to.have.lengthOf(3)
      .and.include(inRoom)
    await decided(`!retention label ${link} billing`)
    expect(await due())
      .to.have.lengthOf(4)
      .and.include(single)
      .and.not.include(beside)
    // What is written there later has the room's label.
    store().clock.advance(days(1))
    await wrote(1, '@bob:clinic.example')
    expect(await due()).to.have.lengthOf(5)
    expect((await w.ask(officer, '!retention show')).body).to.match(/billing +1 +5/)
    expect((await w.ask(officer, `!retention why ${link}`)).body).to.match(/the window for .*billing/)
    const events = (await w.audit('retention.change')) as unknown as {
      object: { id: string }
      detail: Record<string, unknown>
    }[]
    expect(
      events
        .filter(e => e.detail.labelled === true)
        .map(e => [e.object.id, e.detail.about, e.detail.messages, e.detail.approved_by]),
    ).to.deep.equal([
      [room, 'billing', 3, second],
      [single, 'billing', 1, second],
    ])
    await decided(`!retention label ${room} billing off`)
    expect(await due()).to.deep.equal([single])
    for (const [typed, sentence] of [
      [`!retention label ${room} billing off`, 'It has no label billing'],
      [`!retention label ${link} billing`, 'has the label billing already'],
      ['!retention label !nowhere:clinic.example billing', 'No message of this room was ever seen'],
      [`!retention label ${room} 7up`, 'A label is one word'],
      [`!retention label ${room} ephemeral-sent-60s`, 'choose another name'],
      [`!retention label https://matrix.to/#/${room}/$nothing billing`, 'not known here'],
    ] as const)
      expect((await w.ask(officer, typed)).body, typed).to.include(sentence)
    expect(await w.ask(await w.person('ann', 'clinician'), `!retention label ${room} billing`)).to.include({
      mark: '⛔',
    })
  })

  it('lets holds overlap, each until it is released', async () => {
    await wrote(2)
    await w.ask(officer, `!hold place room ${room} reason "claim 1"`)
    const second = await w.ask(officer, `!hold place user @ann:clinic.example reason "claim 2"`)
    const [first] = await store().db('legal_hold').orderBy('placed_at').pluck('id')
    expect(second.body).to.include(`It overlaps with ${first}`)
    await store().db('legal_hold').where({ id: first }).update({ released_at: 1 })
    await transact(store(), tx =>
      changePolicy(
        tx,
        { scope: { kind: 'organisation' }, minimum: false, value: { from: 'sent', keepMs: 1 } },
        { by: '@a:h' },
      ),
    )
    expect(await due(), 'the other one holds').to.deep.equal([])
  })

  it('lets the sender recall for a day, a supervisor at any time, and nobody else', async () => {
    const ann = await w.person('ann', 'clinician')
    const bob = await w.person('bob', 'clinician')
    const sue = await w.person('sue', 'supervisor')
    const [old, , recent] = await wrote(3)
    await store().db('record').where({ event_id: recent }).update({ sent_at: store().clock.now() })
    const link = (event: string | undefined) => `https://matrix.to/#/${room}/${event}`
    expect((await w.ask(bob, `!recall ${link(recent)}`)).body).to.include('Only its sender')
    expect((await w.ask(ann, `!recall ${link(old)}`)).body).to.include('for 24 hours after sending')
    expect((await w.ask(ann, '!recall https://matrix.to/#/!other:clinic.example/$x')).body).to.include('not known here')
    expect((await w.ask(ann, `!recall ${link(recent)}`)).body).to.include('Receipts can be private')
    expect((await w.ask(ann, `!recall ${link(recent)}`)).body).to.include('recalled already')
    const edit = { 'm.relates_to': { rel_type: 'm.replace', event_id: old } }
    const event = { room_id: room, type: 'm.room.encrypted', sender: ann, origin_server_ts: 1, content: edit }
    const receipts = [{ room, user: '@bob:clinic.example', event: old ?? '', thread: '', at: store().clock.now() }]
    await transact(store(), async tx => {
      await recordNews(tx, { events: [], receipts, deviceLists: [] }, 'clinic.example')
      await noteRecords(tx, { events: [{ ...event, event_id: '$edit' }], receipts: [] })
    })
    expect((await w.ask(sue, `!recall ${link(old)}`)).body).to.include('@bob:clinic.example, ')
    const recalled = await store().db('record').whereNotNull('recalled_at').orderBy('event_id').pluck('event_id')
    expect(recalled).to.have.members([recent, old, '$edit'])
    expect(await w.audit('record.recall')).to.have.lengthOf(2)
  })

  /** What is written now. */
  const writes = async (event_id: string, sender: UserId, content: Record<string, unknown> = {}): Promise<string> => {
    const at = store().clock.now()
    const event = { event_id, room_id: room, type: 'm.room.encrypted', sender, origin_server_ts: at, content }
    await transact(store(), tx => noteRecords(tx, { events: [event], receipts: [] }))
    return `https://matrix.to/#/${room}/${event_id}`
  }
  const due = async () => (await dueRecords(store().db, store().clock.now())).map(x => x.event)

  it('makes a room ephemeral from now on, tells it so, and ends it', async () => {
    const ann = await w.person('ann', 'clinician')
    await wrote(2)
    w.inRoom(room, ann, { mayRemove: true, botIsIn: true })
    const said = await w.ask(ann, `!ephemeral https://matrix.to/#/${room}?via=h 24h`)
    expect(said.body).to.equal(
      'What is written there from now on goes 1 day after it was sent, within five minutes of that time.',
    )
    expect((await w.saidIn(room)).join())
      .to.include('are deleted 1 day after they were sent')
      .and.include('se borra 1 día')
    await writes('$new', ann)
    store().clock.advance(hours(25))
    expect(await due(), 'not what was there before').to.deep.equal(['$new'])
    expect((await w.ask(ann, '!ephemeral list')).body)
      .to.include(room)
      .and.include('1 day after it was sent')
    expect((await w.ask(officer, '!ephemeral list')).body, 'compliance sees all').to.include(ann)
    await w.ask(officer, `!hold place room ${room} reason "claim 1"`)
    expect(await due(), 'a hold comes first').to.deep.equal([])
    expect((await w.ask(ann, `!ephemeral ${room} off`)).body).to.include('What was written while it was still goes')
    await writes('$later', ann)
    expect((await store().db('record').where({ event_id: '$later' }).first()).labels).to.deep.equal([])
    expect((await w.ask(ann, '!ephemeral list')).body).to.include('You made nothing ephemeral')
    expect((await w.audit('ephemeral.change')).map(e => e.detail)).to.deep.equal([
      { keep_ms: hours(24), basis: 'sent', ended: false },
      { keep_ms: null, basis: null, ended: true },
    ])
  })

  it('lets one message go after it was read, with its edits, and its sender decide that for a day', async () => {
    const ann = await w.person('ann', 'clinician')
    const bob = await w.person('bob', 'clinician')
    for (const who of [ann, bob]) w.inRoom(room, who)
    const link = await writes('$secret', ann)
    await writes('$edit', ann, { 'm.relates_to': { rel_type: 'm.replace', event_id: '$secret' } })
    expect((await w.ask(bob, `!ephemeral ${link} after read 1h`)).body).to.include('Only a member who may remove')
    const said = await w.ask(ann, `!ephemeral ${link} after read 1h`)
    expect(said.body).to.include('goes 1 hour after it was first read').and.include('I am not in that room')
    store().clock.advance(days(30))
    expect(await due(), 'nobody has read it').to.deep.equal([])
    const read = { room, user: bob, event: '$edit', thread: '', at: store().clock.now() }
    await transact(store(), tx => noteRecords(tx, { events: [], receipts: [read] }))
    store().clock.advance(hours(1) - 60_000)
    expect(await due()).to.deep.equal([])
    store().clock.advance(60_000)
    expect(await due()).to.have.members(['$secret', '$edit'])
    expect((await w.ask(ann, `!ephemeral ${link} off`)).body).to.include('for 24 hours after sending')
    w.inRoom(room, bob, { mayRemove: true })
    expect((await w.ask(bob, `!ephemeral ${link} off`)).mark).to.equal('✅')
    expect(await due()).to.deep.equal([])
  })

  it('tells a care room in words that its patient may read, and leaves a room’s short life to those with power', async () => {
    const ann = await w.person('ann', 'clinician')
    const row = { room_id: room, class: 'care', patient_id: 'pt_1', created_at: 1, created_by: '@r_1:clinic.example' }
    await store().db('room').insert(row)
    w.inRoom(room, ann, { mayRemove: true })
    await w.ask(ann, `!ephemeral ${room} 12h`)
    const job = await store().db('outbox').where({ kind: 'care.ephemeral' }).first()
    expect(job).to.include({ queue: 'bridge', lane: room, patient_id: 'pt_1' })
    w.inRoom(room, ann)
    const link = await writes('$short', ann)
    expect((await w.ask(ann, `!ephemeral ${link} 20d`)).body).to.include(
      'In that room messages go 12 hours after it was sent',
    )
    expect((await w.ask(ann, `!ephemeral ${link} 1h`)).mark).to.equal('✅')
    expect((await w.ask(ann, `!ephemeral ${link} 20d`)).mark, 'what is one’s own may be undone').to.equal('✅')
  })

  const reacts = async (who: UserId, event: string, key = '🗑️'): Promise<void> => {
    const content = { 'm.relates_to': { rel_type: 'm.annotation', event_id: event, key } }
    const reaction = { eventId: `$r${event}${who}`, roomId: room, sender: who, type: 'm.reaction', content }
    const effects = await recallByReaction({ store: store() }, reaction as unknown as InboxEvent)
    if (effects.kind === 'done' && effects.apply) await transact(store(), effects.apply)
  }
  /** As a deletion run leaves it: gone here, and whether one of ours could remove it in the room. */
  const gone = async (event: string, removed: boolean): Promise<void> => {
    await store().db('record').where({ event_id: event }).update({ destroyed_at: store().clock.now() })
    await transact(store(), async tx => {
      await noteRemoved(tx, [{ event, removed }])
      await tellRecalls(tx)
    })
  }

  it('recalls by a waste basket on the message, for the same people, and answers them alone', async () => {
    const ann = await w.person('ann', 'clinician')
    const bob = await w.person('bob', 'clinician')
    const stranger = '@eve:elsewhere.example' as UserId
    await writes('$one', ann)
    await writes('$theirs', stranger)
    await reacts(ann, '$one', '👍')
    await reacts(bob, '$one')
    expect((await w.toldTo(bob)).join()).to.include('did not recall it. Only its sender')
    expect(await store().db('recall')).to.deep.equal([])
    await reacts(ann, '$one', '🗑')
    await reacts(ann, '$one')
    expect((await w.toldTo(ann)).join())
      .to.include(`https://matrix.to/#/${room}/$one`)
      .and.include('within a minute')
    await gone('$one', true)
    expect((await w.toldTo(ann)).at(-1)).to.include('$one\nRecalled: the message is gone')
    await reacts(stranger, '$theirs')
    await gone('$theirs', false)
    expect(await w.toldTo(stranger), 'nobody writes to people of other hospitals').to.deep.equal([])
    expect((await w.audit('record.recall')).map(e => [e.outcome, e.reason])).to.deep.equal([
      ['refused', 'not-yours'],
      ['done', null],
      ['done', null],
    ])
  })

  it('tells the sender, and as configured the readers’ supervisors, without a word of it', async () => {
    const ann = await w.person('ann', 'clinician')
    const bob = await w.person('bob', 'clinician')
    const sue = await w.person('sue', 'supervisor')
    const sam = await w.person('sam', 'supervisor')
    const read = async (event: string) => {
      const receipts = [{ room, user: bob, event, thread: '', at: store().clock.now() }]
      await transact(store(), tx => recordNews(tx, { events: [], receipts, deviceLists: [] }, 'clinic.example'))
    }
    const link = await writes('$one', ann)
    await read('$one')
    await w.ask(sue, `!recall ${link}`)
    expect((await w.toldTo(ann)).at(-1)).to.match(/^A message that you sent at .* UTC in https:.* was recalled by @sue/)
    expect(await w.toldTo(sam)).to.deep.equal([])
    const set = { key: 'recall.tell', value: JSON.stringify('sender_and_supervisors') }
    await store()
      .db('setting')
      .insert({ ...set, changed_at: 1, changed_by: '@ada:h' })
    await writes('$two', ann)
    await read('$two')
    await reacts(ann, '$two')
    for (const supervisor of [sue, sam])
      expect((await w.toldTo(supervisor)).at(-1)).to.match(
        /^A message of @ann.*was recalled by @ann.* Known to have read it: @bob:clinic\.example \(.* UTC\)\.$/,
      )
    await store().db('care_member').insert({ room_id: room, user_id: sam, membership: 'join', at: 1 })
    await writes('$three', ann)
    await read('$three')
    await reacts(ann, '$three')
    expect(await w.toldTo(sue), 'who is not in the room, where another supervisor is').to.have.lengthOf(1)
    expect(await w.toldTo(sam)).to.have.lengthOf(2)
  })

  it('says so where a recalled message could not be removed in its room', async () => {
    const ann = await w.person('ann', 'clinician')
    await w.ask(ann, `!recall ${await writes('$stays', ann)}`)
    await gone('$stays', false)
    expect((await w.saidIn('!chat-ann:clinic.example')).at(-1)).to.include(
      'Wardroom may not remove messages in that room, so clients may still show it and no other server was asked',
    )
  })
})
