import { expect } from 'chai'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { checkLog } from '../../../core/store/audit/log/check.ts'
import { latestCheckpoint } from '../../../core/store/audit/log/checkpoints.ts'
import { findEntries, logSize, readEntries } from '../../../core/store/audit/log/entries.ts'
import { sequence } from '../../../core/store/audit/log/sequence.ts'
import { storedTree } from '../../../core/store/audit/log/tiles.ts'
import { erasePatient, refOf, resolveRefs } from '../../../core/store/audit/subjects.ts'
import { tryLease } from '../../../core/store/bots/leases.ts'
import { type StoreDeps, transact, txOn } from '../../../core/store/tx.ts'
import { parseCheckpoint } from '../../../core/tlog/checkpoint.ts'
import { openNote } from '../../../core/tlog/note.ts'
import { audited, type TestAuditLog, testAuditLog, testOrigin } from '../../support/audit-log.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'

const view = (id: string) => ({
  actor: { kind: 'user' as const, id: '@ann:test' },
  action: 'status.view' as const,
  object: { kind: 'report' as const, id },
  outcome: 'done' as const,
})

/** A patient with a care room, a person with a ghost, a link and a session: rows only, as the bridge writes them. */
const patientWith = async ({ db }: StoreDeps, patient: string) => {
  const ids = {
    room: `!care-${patient}:test`,
    person: `ps_${patient}`,
    link: `ln_${patient}`,
    session: `se_${patient}`,
    ghost: `@p_${patient}:test`,
  }
  await db('patient').insert({
    id: patient,
    code: patient,
    state: 'open',
    room_id: ids.room,
    created_at: 1,
    created_by: 'x',
  })
  await db('room').insert({ room_id: ids.room, class: 'care', patient_id: patient, created_at: 1, created_by: 'x' })
  const person = { id: ids.person, patient_id: patient, kind: 'patient', phone: 'x', phone_lookup: patient, dob: 'x' }
  await db('person').insert({ ...person, ghost: ids.ghost, created_at: 1 })
  const link = { id: ids.link, person_id: ids.person, patient_id: patient, token_hash: patient, reason: 'message' }
  await db('link').insert({ ...link, created_at: 1, expires_at: 2 })
  await db('session').insert({
    ...{ id: ids.session, link_id: ids.link, person_id: ids.person, patient_id: patient, room_id: ids.room },
    ...{
      cookie_hash: patient,
      csrf_hash: 'x',
      user_id: ids.ghost,
      started_at: 1,
      seen_at: 1,
      verified_at: 1,
      idle_ms: 1,
      reauth_ms: 1,
    },
  })
  return ids
}

describe('the audit log', function () {
  this.timeout(120_000)
  let d: TestDatabase
  let log: TestAuditLog
  before(async () => {
    d = await database()
    log = testAuditLog(d.store)
  })
  after(() => d.drop())

  it('numbers events in order, without a gap, under a signed checkpoint', async () => {
    for (let i = 0; i < 600; i++) await audited(d.store, { detail: { n: i } })
    const batches = await log.sequence(100)
    expect(batches.map(b => [b.from, b.to])).to.deep.equal([0, 1, 2, 3, 4, 5].map(i => [i * 100, (i + 1) * 100]))
    const entries = await readEntries(d.store.db, { from: 0, limit: 1000 })
    expect(entries.map(e => e.idx)).to.deep.equal(Array.from({ length: 600 }, (_, i) => i))
    expect(entries.map(e => e.detail?.n)).to.deep.equal(Array.from({ length: 600 }, (_, i) => i))
    const latest = await latestCheckpoint(d.store.db)
    const note = openNote(latest?.note ?? '', [log.key.verifier])
    if (isRefusal(note)) throw new Error(note.sentence)
    expect(note.signedBy).to.have.lengthOf(1)
    const checkpoint = parseCheckpoint(note.text)
    expect(checkpoint).to.deep.include({ origin: testOrigin, size: 600 })
    expect(await logSize(d.store.db)).to.equal(600)
    expect(await d.store.db('audit_queue')).to.deep.equal([])
  })

  it('names patients by commitments that can be looked up and resolved', async () => {
    await audited(d.store, {
      object: { kind: 'patient', id: 'pt_1' },
      patient: 'pt_1',
      origin: { ip: '10.1.2.3', agent: 'Mozilla' },
    })
    await log.sequence()
    const ref = (await refOf(d.store, 'patient', 'pt_1')) ?? ''
    expect(ref).to.match(/^[A-Za-z0-9_-]{43}$/)
    const [found] = await findEntries(d.store.db, { patient: ref, limit: 10 })
    expect(found?.object).to.deep.equal({ kind: 'patient', ref })
    const resolved = await resolveRefs(d.store, [ref, found?.origin ?? ''])
    expect(resolved.get(ref)).to.deep.equal({ kind: 'patient', value: 'pt_1' })
    expect(JSON.parse(resolved.get(found?.origin ?? '')?.value ?? '')).to.deep.equal({
      ip: '10.1.2.3',
      agent: 'Mozilla',
    })
    const leaves = (await d.store.db('audit_entry').select('leaf')).map(r => r.leaf).join()
    expect(leaves).not.to.include('pt_1').and.not.to.include('10.1.2.3')
  })

  it('links what names a room, person, link, session or ghost to the patient, also where the event does not say so', async () => {
    const w = await patientWith(d.store, 'pt_linked')
    const kinds = ['room', 'person', 'link', 'session'] as const
    for (const kind of kinds) await audited(d.store, { object: { kind, id: w[kind] } })
    await audited(d.store, { actor: { kind: 'user', id: w.ghost }, object: { kind: 'report', id: 'of-ghost' } })
    await log.sequence()
    const patient = (await refOf(d.store, 'patient', 'pt_linked')) ?? ''
    const found = await findEntries(d.store.db, { patient, limit: 10 })
    expect(found.map(e => e.object.kind)).to.deep.equal(['report', ...[...kinds].reverse()])
    expect(found[0]?.actor.ref).to.match(/^[A-Za-z0-9_-]{43}$/)
  })

  it('erases a patient: unfindable, also in what is queued and comes later, while every proof holds', async () => {
    const w = await patientWith(d.store, 'pt_gone')
    // Named before anybody knew whose it is, and the room of the staff, which is nobody's.
    await audited(d.store, {
      object: { kind: 'patient', id: 'pt_gone' },
      patient: 'pt_gone',
      room: '!staff:test',
      reason: 'her sister called twice',
      origin: { ip: '10.99.1.1' },
    })
    await audited(d.store, {
      object: { kind: 'patient', id: 'pt_other' },
      patient: 'pt_other',
      origin: { ip: '10.99.1.1' },
    })
    for (const kind of ['room', 'person', 'link', 'session'] as const)
      await audited(d.store, { object: { kind, id: w[kind] } })
    await log.sequence()
    const ref = (await refOf(d.store, 'patient', 'pt_gone')) ?? ''
    const named = (await findEntries(d.store.db, { patient: ref, limit: 100 })).flatMap(e =>
      [e.object.ref, e.patient, e.origin, e.reason].filter(r => r !== undefined),
    )
    expect((await resolveRefs(d.store, named)).size).to.equal(7)
    const before = await latestCheckpoint(d.store.db)
    await audited(d.store, { object: { kind: 'patient', id: 'pt_gone' }, patient: 'pt_gone' })
    expect(await transact(d.store, tx => erasePatient(tx, 'pt_gone'))).to.be.at.least(7)
    await audited(d.store, { object: { kind: 'link', id: w.link }, patient: 'pt_gone' })
    await log.sequence()

    expect(await refOf(d.store, 'patient', 'pt_gone')).to.equal(null)
    expect(await resolveRefs(d.store, named)).to.deep.equal(new Map())
    for (const kind of ['room', 'person', 'link', 'session'] as const)
      expect(await refOf(d.store, kind, w[kind]), kind).to.equal(null)
    const log_ = (await d.store.db('audit_entry').select()).map(r => JSON.stringify(r)).join()
    const subjects = JSON.stringify(await d.store.db('audit_subject').select())
    for (const secret of ['pt_gone', ...Object.values(w)]) expect(log_ + subjects).not.to.include(secret)
    // What is said of others stays: the staff's room, and the same address of another patient.
    expect(await refOf(d.store, 'room', '!staff:test')).not.to.equal(null)
    const other = (await refOf(d.store, 'patient', 'pt_other')) ?? ''
    const [kept] = await findEntries(d.store.db, { patient: other, limit: 1 })
    expect((await resolveRefs(d.store, [kept?.origin ?? ''])).get(kept?.origin ?? '')?.value).to.include('10.99.1.1')
    const pins = before ? [before] : []
    expect(await checkLog(d.store.db, { verifiers: [log.key.verifier], pins })).to.deep.equal([])
  })

  it('keeps hostile fields bounded, readable as JSON, and out of the way of the next entry', async () => {
    const hostile = [
      '\0',
      '\ud800',
      'a'.repeat(1_000_000),
      '"}\n{\\',
      '\u202e gnp.exe',
      "'; drop table audit_entry; --",
      '𝒳'.repeat(9000),
    ]
    for (const text of hostile)
      await audited(d.store, {
        actor: { kind: 'user', id: text, device: text },
        object: { kind: 'event', id: text },
        patient: text,
        room: text,
        reason: text,
        origin: { ip: text, agent: text },
        detail: { [text]: text, ok: 1, deep: { a: [{ b: text }] } as never, nan: Number.NaN },
      })
    await audited(d.store, { object: { kind: 'report', id: 'after' } })
    await log.sequence()
    const entries = await readEntries(d.store.db, {
      from: (await logSize(d.store.db)) - hostile.length - 1,
      limit: 100,
    })
    expect(entries.at(-1)?.object.ref).to.equal('after')
    for (const e of entries.slice(0, -1)) expect(e.detail?.ok).to.equal(1)
    const leaves: string[] = await d.store.db('audit_entry').pluck('leaf')
    expect(Math.max(...leaves.map(l => l.length))).to.be.below(16_384)
    const { rows } = await d.store.db.raw('select max(length(value)) as longest from audit_subject')
    expect(Number(rows[0].longest)).to.be.below(100_000)
    expect(await checkLog(d.store.db, { verifiers: [log.key.verifier] })).to.deep.equal([])
  })

  it('takes events of one transaction together and in their order, whichever transaction began first', async () => {
    const early = await d.store.db.transaction()
    await txOn(d.store, early).audit(view('early'))
    await audited(d.store, view('late'))
    await log.sequence()
    await early.commit()
    await log.sequence()
    const from = (await logSize(d.store.db)) - 2
    expect((await readEntries(d.store.db, { from, limit: 2 })).map(e => e.object.ref)).to.deep.equal(['late', 'early'])
  })

  it('refuses the batch of a sequencer that leads no more', async () => {
    const epoch = (await tryLease(d.store.db, 'audit-log', 'old', 1)) ?? 0
    await eventually(async () => (await tryLease(d.store.db, 'audit-log', 'new', 60_000)) ?? false)
    const tree = await storedTree(d.store.db, await logSize(d.store.db))
    await audited(d.store, view('fenced'))
    const old = { store: d.store, lease: { name: 'audit-log', epoch }, origin: testOrigin, keys: [log.key] }
    const refused = await sequence(old, tree, 10).then(
      () => 'written',
      (err: Error) => err.name,
    )
    expect(refused).to.equal('LeaseLost')
    await d.store.db('lease').delete()
    expect((await log.sequence()).map(b => b.to - b.from)).to.deep.equal([1])
  })
})
