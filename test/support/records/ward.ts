import { expect } from 'chai'
import type { EventShape } from '../../../core/domain/audit/room-event.ts'
import type { UserId } from '../../../core/domain/ids.ts'
import { decide } from '../../../core/domain/records/decide.ts'
import type { Hold } from '../../../core/domain/records/hold.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { deletionRun } from '../../../core/records/deletion.ts'
import { recordById, type StoredRecord } from '../../../core/store/records/fates.ts'
import { type HoldCover, holdLock, placeHold, releaseHold } from '../../../core/store/records/holds.ts'
import { noteRecords } from '../../../core/store/records/note.ts'
import { changePolicy, listPolicies } from '../../../core/store/records/policies.ts'
import { askRecall } from '../../../core/store/records/recall.ts'
import { type StoreDeps, type Tx, transact } from '../../../core/store/tx.ts'
import type { TestDatabase } from '../database.ts'
import { deletionOf } from '../processes/deletion-process.ts'
import type { ContentHomeserver } from '../worlds/content-homeserver.ts'
import { type Criteria, covers, type Message, meet, plainly, rooms, type Step } from './steps.ts'

/** A hold and what it found when it was placed: none of that may be lost until it is released. `released` is set before the release begins. */
type Pledge = { hold: Hold; saved: string[]; released: boolean }

/** Records in the database and their content at a homeserver, with what the holds promise about them. */
export type RecordsWard = {
  begin(messages: readonly Message[]): Promise<void>
  /** Takes a step over this connection's pool. */
  take(step: Step, store?: StoreDeps): Promise<void>
  /** Fails when something that a hold in force found is doomed or gone. */
  check(): Promise<void>
  /** Lets the deletion finish, and fails unless everything is as the pure rules say, before and after all holds are released. */
  finish(): Promise<{ held: number; gone: number }>
}

const officer = { by: '@cora:h', approvedBy: '@carl:h' }
type Row = { event_id: string; room_id: string; sender: string; patient_id: string | null; sent_at: number } & {
  [at in 'doomed_at' | 'hidden_at' | 'removed_at']: number | null
}

/** What a hold covers, by the test's own words. */
const coverOf = async (tx: Tx, c: Criteria): Promise<HoldCover & { saved: string[] }> => {
  const rows: Row[] = (await tx.sql('record').select('*')).filter((r: Row) =>
    covers(c, { room: r.room_id, sender: r.sender, patient: r.patient_id ?? undefined, sentAt: r.sent_at }),
  )
  const there = rows.filter(r => r.doomed_at === null)
  return {
    there: there.length,
    hidden: there.filter(r => r.hidden_at !== null || r.removed_at !== null).length,
    passed: rows.length - there.length,
    rooms: new Set(rows.map(r => r.room_id)).size,
    saved: there.map(r => r.event_id),
  }
}

export const recordsWard = (d: TestDatabase, homeserver: ContentHomeserver): RecordsWard => {
  const { db, clock } = d.store
  let pledges: Pledge[] = []
  let sent: string[] = []
  let serial = 0
  const holds = new Map<string, { id: string; criteria: Criteria; matter: string }>()

  const send = async (store: StoreDeps, { room, sender, labels, ageMs }: Message): Promise<void> => {
    const event: EventShape = {
      event_id: `$${++serial}`,
      room_id: room,
      type: 'm.room.encrypted',
      sender,
      origin_server_ts: clock.now() - ageMs,
      content: { session_id: `session-${serial}` },
    }
    homeserver.content.set(event.event_id, event)
    await transact(store, async tx => {
      await noteRecords(tx, { events: [event], receipts: [] })
      await tx.sql('record').where({ event_id: event.event_id }).update({ labels })
    })
    sent.push(event.event_id)
  }

  /** Its counts can be off by no more than what others did meanwhile: nothing but the point of no return waits for it. */
  const place = (store: StoreDeps, { criteria, matter }: Step & { do: 'hold' }): Promise<void> =>
    transact(store, async tx => {
      await tx.sql.raw('select pg_advisory_xact_lock(?)', [holdLock])
      const before = await coverOf(tx, criteria)
      const placed = await placeHold(tx, criteria, { matter, by: officer.by })
      // Holds are placed one after the other, so that only a release can come between the two looks.
      const same = [...holds.values()].filter(h => h.matter === plainly(matter) && meet(h.criteria, criteria))
      if (isRefusal(placed)) {
        expect(same.map(h => placed.sentence.includes(h.id))).to.include(true)
        return undefined
      }
      const { id, cover } = placed
      const left = await tx.sql('legal_hold').whereNull('released_at').pluck('id')
      expect(
        same.filter(h => left.includes(h.id)),
        'of the same matter',
      ).to.deep.equal([])
      holds.set(id, { id, criteria, matter: plainly(matter) })
      const after = await coverOf(tx, criteria)
      for (const count of ['there', 'hidden', 'passed', 'rooms'] as const)
        expect(cover[count], `${count} of a hold by ${JSON.stringify(criteria)}`).to.be.within(
          before[count],
          after[count],
        )
      return { hold: { ...criteria, id, placedAt: tx.now }, saved: before.saved, released: false }
    }).then(pledge => void (pledge && pledges.push(pledge)))

  const release = async (store: StoreDeps, pledge: Pledge): Promise<void> => {
    pledge.released = true
    expect(await transact(store, tx => releaseHold(tx, pledge.hold.id, officer))).to.equal(true)
  }

  const nth = <T>(of: readonly T[], n: number): T | undefined => of[n % Math.max(1, of.length)]
  const message = async (n: number): Promise<StoredRecord | undefined> => {
    const id = nth(sent, n)
    return id === undefined ? undefined : recordById(db, id)
  }

  const take: RecordsWard['take'] = async (s, store = d.store) => {
    switch (s.do) {
      case 'send':
        return send(store, s.message)
      case 'hold':
        return place(store, s)
      case 'policy':
        return void (await transact(store, tx => changePolicy(tx, s, officer)))
      case 'wait':
        return clock.advance(s.ms)
      case 'delete':
        return void (await deletionRun(deletionOf(store, homeserver.url)))
      case 'release': {
        const inForce = nth(
          pledges.filter(p => !p.released),
          s.nth,
        )
        return inForce && release(store, inForce)
      }
    }
    const m = await message(s.nth)
    if (!m) return
    const asked = { by: m.sender as UserId, chat: '!chat', thread: '$command' }
    const removal = { event_id: `$removed-${m.event}`, room_id: m.room, sender: m.sender, type: 'm.room.redaction' }
    const removed = { ...removal, origin_server_ts: clock.now(), content: { redacts: m.event } }
    const receipt = { room: m.room, user: '@reader:h', event: m.event, thread: '', at: clock.now() }
    await transact(store, async tx => {
      if (s.do === 'recall') await askRecall(tx, m, asked)
      else if (s.do === 'remove') await noteRecords(tx, { events: [removed], receipts: [] })
      else await noteRecords(tx, { events: [], receipts: [receipt] })
    })
  }

  const check = async (): Promise<void> => {
    const inForce = pledges.filter(p => !p.released)
    const ids = [...new Set(inForce.flatMap(p => p.saved))]
    // First the homeserver: what is hidden was copied before it went from there.
    const there = new Set(ids.filter(id => homeserver.content.has(id)))
    const copied = new Set(await db('record_copy').whereIn('event_id', ids).pluck('event_id'))
    const doomed = new Set(await db('record').whereIn('event_id', ids).whereNotNull('doomed_at').pluck('event_id'))
    const lost = inForce
      .filter(p => !p.released)
      .flatMap(p => p.saved.filter(id => doomed.has(id) || !(there.has(id) || copied.has(id))))
    expect(lost, 'lost under a hold').to.deep.equal([])
  }

  /** Compares every record with the pure rules. Gives the events that are gone. */
  const asDecided = async (): Promise<string[]> => {
    const rules = { policies: await listPolicies(db), holds: pledges.filter(p => !p.released).map(p => p.hold) }
    const copied = new Set(await db('record_copy').pluck('event_id'))
    const gone: string[] = []
    for (const id of sent) {
      const m = await recordById(db, id)
      if (!m) throw new Error(`${id} has no record`)
      const there = homeserver.content.has(id) || copied.has(id)
      if (m.doomedAt === null) {
        expect(decide(m, rules, clock.now()).do, `${id} is still there`).not.to.equal('destroy')
        expect(there, `${id} is to be kept`).to.equal(true)
      } else {
        expect([there, m.destroyedAt === null], `${id} was to be destroyed`).to.deep.equal([false, false])
        gone.push(id)
      }
    }
    return gone
  }

  return {
    take,
    check,
    begin: async messages => {
      for (const table of ['record_copy', 'recall', 'record', 'record_group', 'record_room', 'retention_policy'])
        await db(table).delete()
      for (const table of ['retention_history', 'legal_hold', 'deletion_certificate', 'audit_queue', 'outbox'])
        await db(table).delete()
      await db('room')
        .insert(
          rooms
            .filter(r => r.class === 'care')
            .map(r => ({ room_id: r.room, class: r.class, patient_id: r.patient, created_at: 0, created_by: '@r:h' })),
        )
        .onConflict('room_id')
        .ignore()
      homeserver.content.clear()
      pledges = []
      holds.clear()
      sent = []
      for (const m of messages) await send(d.store, m)
    },
    finish: async () => {
      await take({ do: 'delete' })
      await check()
      const before = await asDecided()
      for (const p of pledges) if (!p.released) await release(d.store, p)
      await take({ do: 'delete' })
      const gone = await asDecided()
      const noted: { id: string; n: number }[] = (
        await db.raw(
          `select object->>'id' as id, count(*)::int as n from audit_queue where action = 'record.destroy' group by 1`,
        )
      ).rows
      expect(noted.map(e => e.id).sort(), 'entries of what was destroyed').to.deep.equal(gone.toSorted())
      expect(noted.filter(e => e.n > 1)).to.deep.equal([])
      const open = await db('record')
        .whereNotNull('run_id')
        .whereNotIn('run_id', db('deletion_certificate').select('run_id'))
        .pluck('run_id')
      expect(open, 'runs without a certificate').to.deep.equal([])
      const [certified] = (
        await db.raw(
          `select coalesce(sum((detail->>'count')::int), 0)::int as n from audit_queue where action = 'record.certificate'`,
        )
      ).rows
      expect(certified?.n, 'certified').to.equal(gone.length)
      return { held: gone.length - before.length, gone: gone.length }
    },
  }
}
