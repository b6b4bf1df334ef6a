import { expect } from 'chai'
import { type Effects, type Inbox, startInbox } from '../../../core/queues/inbox-worker.ts'
import type { InboxEvent, RawEvent } from '../../../core/store/queues/inbox.ts'
import { forgetEvents, putEvents, sweepInbox } from '../../../core/store/queues/inbox.ts'
import { type Tx, transact } from '../../../core/store/tx.ts'
import { database, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { testLog } from '../../support/test-log.ts'

let n = 0
const event = (room: string, more: Partial<RawEvent> = {}): RawEvent => ({
  event_id: `$${++n}`,
  room_id: room,
  type: 'm.room.message',
  sender: '@ann:test',
  origin_server_ts: 1,
  content: {},
  ...more,
})

/** An effect that shows in a table when it is done twice. */
const effect = (e: InboxEvent) => async (tx: Tx) => {
  await tx.audit({
    actor: { kind: 'user', id: e.sender },
    action: 'command.run',
    object: { kind: 'event', id: e.eventId },
    outcome: 'done',
  })
}

describe('the inbox worker', () => {
  let d: TestDatabase
  let inboxes: Inbox[] = []
  let log = testLog()
  let seen: string[] = []
  beforeEach(async () => {
    d = await database()
    log = testLog()
    seen = []
  })
  afterEach(async () => {
    for (const i of inboxes) await i.stop()
    inboxes = []
    await d.drop()
  })

  const start = async (
    handle: (e: InboxEvent) => Promise<Effects> | Effects,
    more: { store?: TestDatabase['store']; pollMs?: number; refuseReplays?: boolean } = {},
  ) => {
    const inbox = await startInbox({
      source: 'bots',
      store: d.store,
      ...more,
      log,
      handle: async e => {
        const effects = await handle(e)
        seen.push(e.eventId)
        return effects
      },
    })
    inboxes.push(inbox)
    return inbox
  }
  const put = async (...events: RawEvent[]) => {
    await transact(d.store, tx => putEvents(tx, 'bots', events))
    return events.map(e => e.event_id)
  }
  const effects = async (): Promise<string[]> =>
    (await d.store.db('audit_queue').where({ action: 'command.run' }).orderBy('id')).map(r => r.object.id)
  const states = async () =>
    Object.fromEntries((await d.store.db('inbox').select('event_id', 'state')).map(r => [r.event_id, r.state]))

  it('does the effects of each event once, in the order of its room, with several processes at work', async () => {
    const ids = await put(...Array.from({ length: 120 }, (_, i) => event(`!r${i % 5}:test`)))
    const handle = (e: InboxEvent): Effects => ({ kind: 'done', apply: effect(e) })
    const all = [await start(handle), await start(handle, { store: { ...d.another(), clock: d.store.clock } })]
    const more = await put(...Array.from({ length: 60 }, (_, i) => event(`!r${i % 5}:test`)))
    for (const i of all) await i.idle()
    const done = await effects()
    const everything = [...ids, ...more]
    expect([...done].sort()).to.deep.equal([...everything].sort())
    for (let r = 0; r < 5; r++) {
      const ofRoom = everything.filter((_, i) => i % 5 === r)
      expect(done.filter(id => ofRoom.includes(id))).to.deep.equal(ofRoom)
    }
  })

  it('obeys a ciphertext once, whatever event id a homeserver gives it later, also written in another way', async () => {
    const said = (ciphertext: string) => ({ ...event('!a:test'), type: 'm.room.encrypted', content: { ciphertext } })
    const [first, other] = await put(said('AwgAEg'), said('AwgAEw'))
    const inbox = await start(e => ({ kind: 'done', apply: effect(e) }), { refuseReplays: true })
    await inbox.idle()
    const [again, padded] = await put(said('AwgAEg'), said('AwgAEg=='))
    await inbox.idle()
    expect(await effects()).to.deep.equal([first, other])
    expect(await states()).to.include({ [again ?? '']: 'dead', [padded ?? '']: 'dead' })
    const reasons = await d.store.db('audit_queue').where({ action: 'event.poison' }).pluck('reason')
    expect(reasons).to.deep.equal(['replayed', 'replayed'])
  })

  it('shows an event the effects of the ones before it', async () => {
    await put(event('!a:test'), event('!a:test'), event('!a:test'))
    const counts: number[] = []
    const inbox = await start(async e => {
      counts.push((await effects()).length)
      return { kind: 'done', apply: effect(e) }
    })
    await inbox.idle()
    expect(counts).to.deep.equal([0, 1, 2])
  })

  it('is told of a stored event, and does not wait for its next look', async () => {
    const inbox = await start(e => ({ kind: 'done', apply: effect(e) }), { pollMs: 600_000 })
    await inbox.idle()
    for (let i = 0; i < 5; i++) {
      const [id] = await put(event('!a:test'))
      await eventually(() => seen.includes(id ?? ''))
    }
  })

  it('gives a poison event up after some tries, visibly, and lets its room and all others go on', async () => {
    const [poison, after, other] = await put(event('!a:test'), event('!a:test'), event('!b:test'))
    const alerts: string[] = []
    const inbox = await startInbox({
      source: 'bots',
      store: d.store,
      log,
      maxAttempts: 3,
      alert: a => alerts.push(`${a.code} ${a.ref}`),
      handle: async e => {
        if (e.eventId === poison) throw new Error('it cannot be understood')
        return { kind: 'done', apply: effect(e) }
      },
    })
    inboxes.push(inbox)
    await eventually(async () => (await effects()).length === 2)
    expect(await effects()).to.deep.equal([other, after])
    expect(await states()).to.deep.equal({ [poison ?? '']: 'dead', [after ?? '']: 'done', [other ?? '']: 'done' })
    expect(alerts).to.deep.equal([`event.poison ${poison}`])
    const audit = await d.store.db('audit_queue').where({ action: 'event.poison' })
    expect(audit).to.have.lengthOf(1)
    expect(audit[0]).to.include({ outcome: 'failed', room: '!a:test', reason: 'Error' })
  })

  it('keeps nothing of an effect that fails half way', async () => {
    const [id] = await put(event('!a:test'))
    let tries = 0
    const inbox = await start(e => ({
      kind: 'done',
      apply: async tx => {
        await effect(e)(tx)
        if (++tries < 3) await tx.sql.raw('select 1/0')
      },
    }))
    await eventually(async () => (await effects()).length > 0)
    await inbox.idle()
    expect(await effects()).to.deep.equal([id])
    expect(tries).to.equal(3)
  })

  it('waits for a room key without holding up the room, and handles the event when the key comes', async () => {
    const [waiting, after] = await put(event('!a:test'), event('!a:test'))
    let key = false
    const inbox = await start(e =>
      e.eventId === waiting && !key
        ? { kind: 'park', reason: 'no_room_key', until: d.store.clock.now() + 60_000 }
        : { kind: 'done', apply: effect(e) },
    )
    await eventually(async () => (await effects()).length === 1)
    expect(await states()).to.deep.equal({ [waiting ?? '']: 'parked', [after ?? '']: 'done' })
    key = true
    await inbox.wake('!elsewhere:test')
    await inbox.idle()
    expect(await effects()).to.deep.equal([after])
    await inbox.wake('!a:test')
    await inbox.idle()
    expect(await effects()).to.deep.equal([after, waiting])
  })

  it('does not miss a key that comes while the event is being looked at', async () => {
    const [id] = await put(event('!a:test'))
    let inbox: Inbox | undefined
    let key = false
    inbox = await start(async e => {
      if (key) return { kind: 'done', apply: effect(e) }
      await eventually(() => inbox)
      key = true
      await inbox?.wake('!a:test')
      return { kind: 'park', reason: 'no_room_key', until: d.store.clock.now() + 60_000 }
    })
    await eventually(async () => (await effects()).includes(id ?? ''))
  })

  it('looks again at its start, since a key may have come while it was down', async () => {
    const [id] = await put(event('!a:test'))
    const first = await start(() => ({ kind: 'park', reason: 'no_room_key', until: d.store.clock.now() + 60_000 }))
    await eventually(async () => (await states())[id ?? ''] === 'parked')
    await first.stop()
    inboxes = []
    const second = await start(e => ({ kind: 'done', apply: effect(e) }))
    await second.idle()
    expect(await effects()).to.deep.equal([id])
  })

  it('gives an event up, visibly, when its key never comes, and lets the handler say so', async () => {
    const [id] = await put(event('!a:test'))
    const calls: boolean[] = []
    const inbox = await start(e => {
      calls.push(e.expired)
      return e.expired
        ? { kind: 'give-up', reason: 'no_room_key', apply: effect(e) }
        : { kind: 'park', reason: 'no_room_key', until: e.receivedAt + 60_000 }
    })
    await eventually(async () => (await states())[id ?? ''] === 'parked')
    d.store.clock.advance(30_000)
    await inbox.wake()
    await inbox.idle()
    d.store.clock.advance(31_000)
    await eventually(async () => (await states())[id ?? ''] === 'dead')
    expect(calls).to.deep.equal([false, false, true])
    expect(await effects()).to.deep.equal([id])
    expect(await d.store.db('audit_queue').where({ action: 'event.poison' })).to.have.lengthOf(1)
    expect(log.problems()).to.deep.equal(['an event was given up; its room goes on without it'])
  })

  it('does not let a slow room hold up another', async () => {
    let release: (() => void) | undefined
    const held = new Promise<void>(done => {
      release = done
    })
    const [slow, quick] = await put(event('!slow:test'), event('!quick:test'))
    const inbox = await start(async e => {
      if (e.eventId === slow) await held
      return { kind: 'done', apply: effect(e) }
    })
    await eventually(async () => (await effects()).includes(quick ?? ''))
    expect(await effects()).to.deep.equal([quick])
    release?.()
    await inbox.idle()
    expect(await effects()).to.deep.equal([quick, slow])
  })

  it('gives up an event whose sealing key is gone, and goes on', async () => {
    const [id, after] = await put(event('!a:test'), event('!a:test'))
    await d.store.db('inbox').where({ event_id: id }).update({ event: 'not.a.sealed.thing.x' })
    const inbox = await startInbox({
      source: 'bots',
      store: d.store,
      log,
      maxAttempts: 1,
      handle: async e => ({ kind: 'done', apply: effect(e) }),
    })
    inboxes.push(inbox)
    await inbox.idle()
    expect(await effects()).to.deep.equal([after])
    expect((await states())[id ?? '']).to.equal('dead')
  })

  it('keeps nothing of an event whose content was destroyed while it waited, once it is handled', async () => {
    const [waiting = ''] = await put(event('!a:test'))
    await transact(d.store, tx => forgetEvents(tx, [waiting]))
    const kept = () => d.store.db('inbox').where({ event_id: waiting }).first()
    expect((await kept()).event).not.to.equal('')
    const inbox = await start(e => ({ kind: 'done', apply: effect(e) }))
    await inbox.idle()
    expect(await effects()).to.deep.equal([waiting])
    expect(await kept()).to.include({ state: 'done', event: '' })
    await transact(d.store, tx => forgetEvents(tx, [waiting]))
    expect(await kept()).to.equal(undefined)
  })

  it('forgets what was handled long ago, and only that', async () => {
    const [old] = await put(event('!a:test'))
    const inbox = await start(e => ({ kind: 'done', apply: effect(e) }))
    await inbox.idle()
    await inbox.stop()
    inboxes = []
    d.store.clock.advance(10_000)
    const [waiting] = await put(event('!b:test'))
    expect(await sweepInbox(d.store, 20_000)).to.equal(0)
    expect(await sweepInbox(d.store, 5_000)).to.equal(1)
    expect(Object.keys(await states())).to.deep.equal([waiting])
    expect(old).to.not.equal(waiting)
  })
})
