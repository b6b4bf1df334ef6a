import { expect } from 'chai'
import fc from 'fast-check'
import type { EventShape } from '../../core/domain/audit/room-event.ts'
import { days, hours } from '../../core/domain/clock.ts'
import type { UserId } from '../../core/domain/ids.ts'
import { decide } from '../../core/domain/records/decide.ts'
import { type RecordFacts, recordClasses } from '../../core/domain/records/facts.ts'
import type { Hold } from '../../core/domain/records/hold.ts'
import { type Policy, windowBases } from '../../core/domain/records/policy.ts'
import { removeAgain } from '../../core/records/remove-again.ts'
import { passPointOfNoReturn } from '../../core/store/records/doom.ts'
import { dueRecords, recordById } from '../../core/store/records/fates.ts'
import { noteRecords } from '../../core/store/records/note.ts'
import { aboutOf } from '../../core/store/records/policies.ts'
import { askRecall, noteRemoved } from '../../core/store/records/recall.ts'
import { transact } from '../../core/store/tx.ts'
import { database, type TestDatabase } from '../support/database.ts'
import { deletionOf } from '../support/processes/deletion-process.ts'
import { seed } from '../support/random.ts'
import { placed } from '../support/records/placed.ts'
import { contentHomeserver } from '../support/worlds/content-homeserver.ts'

const long = process.env.WARDROOM_LONG === '1'
const begin = Date.UTC(2026, 0, 1)
const name = fc.constantFrom('1', '2', '3')
const instant = fc.integer({ min: 0, max: 400 }).map(h => begin + hours(h))

/** Facts of one room are one: its class, its last activity, its patient's discharge. */
const world = fc.record({
  rooms: fc.array(
    fc.record({
      class: fc.constantFrom(...recordClasses),
      activeAt: instant,
      dischargedAt: fc.option(instant, { nil: undefined }),
      patient: fc.option(name, { nil: undefined }),
    }),
    { minLength: 3, maxLength: 3 },
  ),
  records: fc.array(
    fc.record({
      room: fc.integer({ min: 0, max: 2 }),
      sender: name.map(n => `@${n}:h`),
      labels: fc.uniqueArray(name, { maxLength: 2 }).map(l => l.toSorted()),
      sentAt: instant,
      readAt: fc.option(instant, { nil: undefined }),
      recalledAt: fc.option(instant, { nil: undefined, freq: 3 }),
      removedAt: fc.option(instant, { nil: undefined, freq: 3 }),
      edits: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined, freq: 2 }),
    }),
    { minLength: 1, maxLength: 30 },
  ),
  policies: fc.uniqueArray(
    fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      scope: fc.oneof(
        fc.constant({ kind: 'organisation' as const }),
        fc.constantFrom(...recordClasses).map(c => ({ kind: 'class' as const, class: c })),
        name.map(n => ({ kind: 'room' as const, room: `!${n}` })),
        name.map(n => ({ kind: 'user' as const, user: `@${n}:h` })),
        name.map(n => ({ kind: 'label' as const, label: n })),
      ),
      from: fc.constantFrom(...windowBases),
      keepMs: fc.option(fc.integer({ min: 1, max: 300 }).map(hours), { nil: null }),
      minimum: fc.boolean(),
    }),
    {
      maxLength: 6,
      comparator: (a, b) =>
        a.id === b.id ||
        (a.minimum === b.minimum && a.scope.kind === b.scope.kind && aboutOf(a.scope) === aboutOf(b.scope)),
    },
  ),
  holds: fc.array(
    fc
      .record({
        room: fc.option(
          name.map(n => `!${n}`),
          { nil: undefined },
        ),
        user: fc.option(
          name.map(n => `@${n}:h`),
          { nil: undefined },
        ),
        patient: fc.option(name, { nil: undefined }),
        since: fc.option(instant, { nil: undefined }),
        until: fc.option(instant, { nil: undefined }),
        releasedAt: fc.option(instant, { nil: undefined }),
      })
      .filter(h => (h.room ?? h.user ?? h.patient ?? h.since ?? h.until) !== undefined),
    { maxLength: 3 },
  ),
  now: instant.map(at => at + days(10)),
})
type World = typeof world extends fc.Arbitrary<infer T> ? T : never

/** What a record says that it replaces; and that message where it is one of the same sender in the same room that replaces nothing itself. */
const namedBy = (edits: number | undefined) => (edits === undefined ? null : `$${edits}`)
const editedBy = (w: World, { edits, room, sender }: World['records'][number]) => {
  const t = edits === undefined ? undefined : w.records[edits]
  return t?.edits === undefined && t?.room === room && t.sender === sender ? t : undefined
}

/** Half of all edits are real ones: of the sender and in the room of what they name. */
const withEdits = (w: World): World => ({
  ...w,
  records: w.records.map((r, n) => {
    const t = r.edits !== undefined && n % 2 === 0 ? w.records[r.edits] : undefined
    return t ? { ...r, room: t.room, sender: t.sender } : r
  }),
})

const factsOf = (w: World): RecordFacts[] =>
  w.records.map(({ edits, ...r }, n) => {
    const room = w.rooms[r.room]
    if (!room) throw new Error('no such room')
    return {
      ...r,
      edited: editedBy(w, { edits, ...r }),
      event: `$${n}`,
      room: `!${r.room + 1}`,
      class: room.class,
      patient: room.patient,
      roomActiveAt: Math.max(room.activeAt, r.sentAt),
      dischargedAt: room.dischargedAt,
    }
  })
const holdsOf = (w: World): Hold[] => w.holds.map((h, n) => ({ ...h, id: `h${n}`, placedAt: begin }))

/** Rows 32, 33, 49. */
describe('the records in the database', function () {
  this.timeout(long ? 600_000 : 60_000)
  let d: TestDatabase

  before(async () => {
    d = await database()
  })
  after(() => d.drop())

  const store = async (w: World): Promise<void> => {
    const { db } = d.store
    await db.raw('truncate record, record_room, retention_policy, legal_hold cascade')
    await db('record_room').insert(
      w.rooms.map((r, n) => ({ room_id: `!${n + 1}`, active_at: r.activeAt, discharged_at: r.dischargedAt ?? null })),
    )
    await db('record').insert(
      factsOf(w).map((f, n) => ({
        event_id: f.event,
        edits: namedBy(w.records[n]?.edits),
        room_id: f.room,
        class: f.class,
        sender: f.sender,
        patient_id: f.patient ?? null,
        sent_at: f.sentAt,
        labels: [...f.labels],
        read_at: f.readAt ?? null,
        recalled_at: f.recalledAt ?? null,
        removed_at: f.removedAt ?? null,
      })),
    )
    if (w.policies.length > 0)
      await db('retention_policy').insert(
        w.policies.map((p: Policy) => ({
          id: p.id,
          scope: p.scope.kind,
          about: aboutOf(p.scope),
          basis: p.from,
          keep_ms: p.keepMs,
          minimum: p.minimum,
          set_at: begin,
          set_by: 'test',
        })),
      )
    const held = holdsOf(w)
    if (held.length > 0)
      await db('legal_hold').insert(
        held.map(h => ({
          id: h.id,
          room_id: h.room ?? null,
          user_id: h.user ?? null,
          patient_id: h.patient ?? null,
          since: h.since ?? null,
          until: h.until ?? null,
          matter: '',
          placed_at: begin,
          placed_by: 'test',
          released_at: h.releasedAt ?? null,
        })),
      )
  }

  it('go by the very decision of the pure rules, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(world.map(withEdits), async w => {
        await store(w)
        const rules = { policies: w.policies, holds: holdsOf(w) }
        const expected = factsOf(w)
          .map(f => ({ event: f.event, decision: decide(f, rules, w.now) }))
          .filter(({ decision }) => decision.do !== 'keep')
          .map(({ event, decision }) => ({
            event,
            fate: decision.do,
            rule: { kind: decision.rule.kind, id: 'id' in decision.rule ? decision.rule.id : null },
          }))
        const found = (await dueRecords(d.store.db, w.now)).map(({ event, fate, rule }) => ({ event, fate, rule }))
        const byEvent = (a: { event: string }, b: { event: string }) => (a.event < b.event ? -1 : 1)
        expect(found.sort(byEvent)).to.deep.equal(expected.sort(byEvent))
      }),
      { seed, numRuns: long ? 2000 : 60 },
    )
  })

  it('are saved by a hold as long as they have not passed the point of no return, also those that are due', async () => {
    const { clock } = d.store
    const facts = {
      sender: '@1:h',
      labels: [],
      readAt: undefined,
      recalledAt: undefined,
      removedAt: undefined,
      edits: undefined,
    }
    const room = { class: 'staff' as const, activeAt: begin, dischargedAt: undefined, patient: undefined }
    await store({
      rooms: [room, room, room],
      records: [
        { ...facts, room: 0, sentAt: begin },
        { ...facts, room: 1, sentAt: begin },
      ],
      policies: [{ id: 'a', scope: { kind: 'organisation' }, from: 'sent', keepMs: days(1), minimum: false }],
      holds: [],
      now: begin,
    })
    clock.set(begin + days(2))
    const held = await placed(d.store, { room: '!1' }, 'a claim')
    expect(held.cover).to.deep.include({ there: 1, passed: 0 })
    expect(
      (await transact(d.store, tx => passPointOfNoReturn(tx, 'dr_1', { limit: 10 }))).map(x => x.event),
    ).to.deep.equal(['$1'])
    const late = await placed(d.store, { user: '@1:h' }, 'another claim')
    expect(late.cover).to.deep.include({ there: 1, passed: 1 })
  })

  it('are removed in their room once more after 1, 8, 24 and 72 hours when they were recalled, with their own edits', async () => {
    const { store } = d
    const homeserver = await contentHomeserver()
    const deletion = { ...deletionOf(store, homeserver.url), classes: ['direct' as const] }
    const event = (id: string, sender: string, edits?: string): EventShape => ({
      ...{ event_id: id, room_id: '!again', type: 'm.room.encrypted', sender, origin_server_ts: store.clock.now() },
      content: edits ? { 'm.relates_to': { rel_type: 'm.replace', event_id: edits } } : {},
    })
    const events = [event('$said', '@ann:h'), event('$edit', '@ann:h', '$said'), event('$not', '@bob:h', '$said')]
    try {
      await transact(store, async tx => {
        await noteRecords(tx, { events, receipts: [] })
        await tx.sql('record').where({ room_id: '!again' }).update({ class: 'direct' })
      })
      for (const id of ['$said', '$not']) {
        const found = await recordById(store.db, id)
        if (!found) throw new Error(`${id} has no record`)
        await transact(store, tx => askRecall(tx, found, { by: '@ann:h' as UserId }))
        await transact(store, tx => noteRemoved(tx, [{ event: id, removed: id === '$said' }]))
      }
      let passed = 0
      for (const [after, times] of [
        [0, 0],
        [1, 1],
        [7, 1],
        [8, 2],
        [24, 3],
        [71, 3],
        [72, 4],
        [900, 4],
      ] as const) {
        store.clock.advance(hours(after - passed))
        passed = after
        await removeAgain(deletion)
        await removeAgain(deletion)
        expect(homeserver.removals, `after ${after} hours`).to.deep.equal(Array(times).fill(['$said', '$edit']).flat())
      }
    } finally {
      await homeserver.stop()
    }
  })

  it('are noted as the homeserver reports them: sent, edited, removed, first read by another; twice is once', async () => {
    const { store } = d
    await store.db.raw('truncate record, record_room cascade')
    await store.db('room').insert({
      room_id: '!care',
      class: 'care',
      patient_id: 'pt_1',
      created_at: begin,
      created_by: '@r:h',
    })
    store.clock.set(begin + days(3))
    const event = (event_id: string, at: number, more: Partial<EventShape> = {}): EventShape => ({
      event_id,
      room_id: '!care',
      type: 'm.room.encrypted',
      sender: '@ann:h',
      origin_server_ts: at,
      content: { session_id: 'session', ciphertext: 'never kept' },
      ...more,
    })
    const edit = { 'm.relates_to': { rel_type: 'm.replace', event_id: '$one' }, session_id: 'session' }
    const events = [
      event('$one', begin),
      event('$edit', begin + 1, { content: edit }),
      event('$late', begin + days(90)),
      event('$state', begin, { type: 'm.room.member', state_key: '@ann:h', content: { membership: 'join' } }),
      event('$gone', begin + 3, { type: 'm.room.redaction', content: { redacts: '$one' } }),
    ]
    const receipts = [
      { room: '!care', user: '@ann:h', event: '$late', thread: '', at: begin + 4 },
      { room: '!care', user: '@p:h', event: '$edit', thread: '', at: begin + 5 },
    ]
    for (let n = 0; n < 2; n++) await transact(store, tx => noteRecords(tx, { events, receipts }))
    const rows = await store
      .db('record')
      .orderBy('sent_at')
      .select('event_id', 'class', 'patient_id', 'edits', 'read_at')
    expect(rows).to.deep.equal([
      { event_id: '$one', class: 'care', patient_id: 'pt_1', edits: null, read_at: begin + 5 },
      { event_id: '$edit', class: 'care', patient_id: 'pt_1', edits: '$one', read_at: begin + 5 },
      { event_id: '$late', class: 'care', patient_id: 'pt_1', edits: null, read_at: null },
    ])
    // A server whose clock is fast makes nothing live longer.
    expect((await store.db('record').where({ event_id: '$late' }).first()).sent_at).to.be.within(
      begin + days(3),
      begin + days(4),
    )
    // Nor does one that claims to be long ago bring its messages under a rule, or out of a hold.
    await transact(store, tx => noteRecords(tx, { events: [event('$ago', -1)], receipts: [] }))
    expect((await store.db('record').where({ event_id: '$ago' }).first()).sent_at).to.be.within(
      begin + days(3) - days(30),
      begin + days(4) - days(30),
    )
    await store.db('record').where({ event_id: '$ago' }).delete()
    const removed = await store.db('record').whereNotNull('removed_at').orderBy('event_id').pluck('event_id')
    expect(removed).to.deep.equal(['$edit', '$one'])
    // An edit that arrives after the recall of its message is recalled with it, and only one by its own sender.
    await store
      .db('record')
      .where({ event_id: '$one' })
      .update({ recalled_at: begin + 9, recalled_by: '@sue:h' })
    const late = [
      event('$edit2', begin + 10, { content: edit }),
      event('$other', begin + 10, { content: edit, sender: '@bob:h' }),
    ]
    await transact(store, tx => noteRecords(tx, { events: late, receipts: [] }))
    const recalled = await store.db('record').whereNotNull('recalled_at').orderBy('event_id').pluck('event_id')
    expect(recalled).to.deep.equal(['$edit2', '$one'])
  })
})
