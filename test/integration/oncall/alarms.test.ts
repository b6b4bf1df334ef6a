import { expect } from 'chai'
import express from 'express'
import { alarmsRouter } from '../../../appservice/http/alarms.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { failures } from '../../../core/http/answers.ts'
import { listen } from '../../../core/http/listen.ts'
import { refusalLog } from '../../../core/http/refusals.ts'
import { addAlarmSource, revokeAlarmSource } from '../../../core/store/oncall/alarms.ts'
import { openContent } from '../../../core/store/oncall/pages.ts'
import { eventually } from '../../support/eventually.ts'
import { at, type PagesWorld, pagesWorld } from '../../support/oncall/pages-world.ts'
import { testLog } from '../../support/test-log.ts'

describe('alarms of other systems', function () {
  this.timeout(120_000)
  let w: PagesWorld
  let server: Awaited<ReturnType<typeof listen>>
  let token: string
  let n = 0
  before(async () => {
    w = await pagesWorld()
    server = await listen(
      express()
        .use('/alarms', alarmsRouter({ store: w.store, duty: w.duty }))
        .use(failures(w.log)),
      { graceMs: 200 },
    )
    const made = await w.tx(tx =>
      addAlarmSource(tx, { name: 'ward-3', role: 'cardiology', priority: 'urgent' }, at('bob')),
    )
    if (isRefusal(made)) throw new Error(made.sentence)
    token = made.token
  })
  after(async () => {
    await server?.stop()
    await w?.stop()
  })
  const send = async (body: unknown, more: Record<string, string> = {}) => {
    const answer = await fetch(`${server.url}/alarms`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'idempotency-key': `key-${++n}`,
        ...more,
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
    return {
      status: answer.status,
      body: (await answer.json()) as Record<string, unknown> & { error?: { code: string } },
    }
  }

  it('page the role once, whatever is sent again, and say that they are secondary', async () => {
    const alarm = { what: 'pump stopped', where: 'room 12' }
    const sent = await Promise.all(Array.from({ length: 8 }, () => send(alarm, { 'idempotency-key': 'same' })))
    expect(sent.map(s => s.status).sort()).to.deep.equal([200, 200, 200, 200, 200, 200, 200, 202])
    expect(new Set(sent.map(s => s.body.ref)).size).to.equal(1)
    expect(sent[0]?.body.notice).to.equal('Secondary alarm, not for primary monitoring.')
    const stored = await w.byRef(String(sent[0]?.body.ref))
    expect(stored?.page.count).to.equal(1)
    const card = await openContent(w.store, w.store.db, stored?.page.id ?? '')
    expect(card?.note).to.include('not for primary monitoring')
    expect((await send({ what: 'another' }, { 'idempotency-key': 'same' })).status).to.equal(409)
    expect((await send(alarm)).body).to.include({ joined: 'duplicate', count: 2, ref: sent[0]?.body.ref })
  })

  it('leave an event each in the audit log, taken or refused', async () => {
    const log = testLog()
    const refusals = refusalLog({ store: w.store, log })
    const door = await listen(
      express()
        .use(refusals.watch(() => 'request.refused'))
        .use('/alarms', alarmsRouter({ store: w.store, duty: w.duty })),
      { graceMs: 200 },
    )
    const post = async (bearer: string): Promise<number> => {
      const headers = { 'content-type': 'application/json', 'idempotency-key': `door-${++n}`, authorization: bearer }
      const body = JSON.stringify({ what: 'the door' })
      const answer = await fetch(`${door.url}/alarms`, { method: 'POST', headers, body })
      await answer.arrayBuffer()
      return answer.status
    }
    const rows = async (action: string): Promise<number> => (await w.store.db('audit_queue').where({ action })).length
    try {
      const [taken, refused] = [await rows('alarm.receive'), await rows('request.refused')]
      expect(await post(`Bearer ${token}`)).to.equal(202)
      expect(await rows('alarm.receive')).to.equal(taken + 1)
      expect(await post('Bearer 11111111111111111111')).to.equal(401)
      await eventually(async () => (await rows('request.refused')) === refused + 1, { what: 'the refusal in the log' })
    } finally {
      await door.stop()
      await refusals.stop()
    }
  })

  it('are raised by what their words and values say, with the reason, and never lowered', async () => {
    const raised = await send({ what: 'monitor', values: [{ name: 'SpO2', value: 70, unit: '%' }] })
    expect(raised.body).to.include({ priority: 'stat' })
    expect((raised.body.why as string[]).length).to.be.greaterThan(0)
    expect((await send({ what: 'lift', priority: 'stat' })).body.priority).to.equal('stat')
  })

  it('are refused without a right, a key, a schema or an end', async () => {
    expect((await send({ what: 'x' }, { authorization: 'Bearer 11111111111111111111' })).status).to.equal(401)
    expect((await send({ what: 'x' }, { 'idempotency-key': '' })).status).to.equal(400)
    expect((await send({ what: 'x', patient: 'Rosa' })).body.error?.code).to.equal('bad-alarm')
    expect(
      (
        await fetch(`${server.url}/alarms`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': 'big' },
          body: JSON.stringify({ what: 'x', text: 'x'.repeat(40_000) }),
        })
      ).status,
    ).to.equal(413)
    expect(await w.dump()).not.to.include(token)
  })

  it('are limited by address while their token is wrong, and not where a source sends from', async () => {
    const guess = () => send({ what: 'x' }, { authorization: 'Bearer 22222222222222222222' })
    await w.store.db('rate_bucket').where('name', 'like', 'alarm-%').delete()
    const statuses = []
    for (let i = 0; i < 25; i++) statuses.push((await guess()).status)
    expect(statuses.filter(s => s === 401)).to.have.lengthOf(20)
    expect(statuses.slice(20)).to.deep.equal([429, 429, 429, 429, 429])
    expect((await send({ what: 'door open' })).status, 'a right token from there').to.equal(429)
    w.store.clock.advance(31_000)
    expect((await send({ what: 'door open' })).status).to.equal(202)
    for (let i = 0; i < 25; i++) await guess()
    expect((await send({ what: 'door open again' })).status).to.equal(202)
  })

  it('are let through when the clock has gone back, however many came before', async () => {
    await w.store.db('rate_bucket').where('name', 'like', 'alarm:%').update({ tokens: 0, at: w.store.clock.now() })
    expect((await send({ what: 'gate' })).status).to.equal(429)
    w.store.clock.advance(-3_600_000)
    expect((await send({ what: 'gate' })).status).to.equal(202)
    expect((await send({ what: 'gate' })).status).to.equal(202)
    w.store.clock.advance(3_600_000)
  })

  it('end when the source is revoked', async () => {
    expect(isRefusal(await w.tx(tx => revokeAlarmSource(tx, 'ward-3', at('bob'))))).to.equal(false)
    expect((await send({ what: 'x' })).status).to.equal(401)
  })
})
