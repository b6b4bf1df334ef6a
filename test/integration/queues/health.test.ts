import { expect } from 'chai'
import express from 'express'
import { healthRouter } from '../../../core/http/health.ts'
import { type Listener, listen } from '../../../core/http/listen.ts'
import { createMetrics } from '../../../core/metrics.ts'
import { queueGauges } from '../../../core/queues/gauges.ts'
import { secret } from '../../../core/secret.ts'
import { reach } from '../../../core/store/db.ts'
import { putEvents } from '../../../core/store/queues/inbox.ts'
import { transact } from '../../../core/store/tx.ts'
import { database, type TestDatabase } from '../../support/database.ts'

describe("a service's health and metrics", () => {
  let d: TestDatabase
  const servers: Listener[] = []
  before(async () => {
    d = await database()
  })
  after(async () => {
    for (const s of servers) await s.stop()
    await d.drop()
  })
  const serve = async (o: Partial<Parameters<typeof healthRouter>[0]> = {}) => {
    const metrics = createMetrics()
    queueGauges(metrics, d.store, { inbox: ['bots'], outbox: ['sms'] })
    const server = await listen(
      express().use(healthRouter({ checks: { database: () => reach(d.store.db) }, metrics, ...o })),
    )
    servers.push(server)
    return (path: string, headers: Record<string, string> = {}) => fetch(server.url + path, { headers })
  }

  it('says that it is ready while every part answers', async () => {
    const get = await serve()
    expect((await get('/health/live')).status).to.equal(200)
    const ready = await get('/health/ready')
    expect(ready.status).to.equal(200)
    expect(await ready.json()).to.deep.equal({ ok: true, checks: { database: 'ok' } })
  })

  it('names the part that is away, by its code only', async () => {
    const away = () => fetch('http://127.0.0.1:9/?token=abc')
    const get = await serve({ checks: { database: () => reach(d.store.db), homeserver: away } })
    const ready = await get('/health/ready')
    expect(ready.status).to.equal(503)
    const { checks } = (await ready.json()) as { checks: Record<string, string> }
    expect(checks.database).to.equal('ok')
    expect(checks.homeserver)
      .to.match(/^TypeError/)
      .and.not.include('abc')
  })

  it('counts what waits, without a room or a person', async () => {
    const event = {
      event_id: '$1',
      room_id: '!room:test',
      type: 'm.room.message',
      sender: '@ann:test',
      origin_server_ts: 1,
      content: {},
    }
    await transact(d.store, async tx => {
      await putEvents(tx, 'bots', [event])
      await tx.enqueue({ queue: 'sms', kind: 'say', payload: {} })
    })
    const get = await serve()
    const text = await (await get('/metrics')).text()
    expect(text).to.include('wardroom_inbox_events{source="bots",state="pending"} 1')
    expect(text).to.include('wardroom_outbox_jobs{queue="sms",state="due"} 1')
    expect(text).to.not.include('room:test')
  })

  it('shows metrics to the machine itself, or to who has the token', async () => {
    const open = await serve()
    expect((await open('/metrics', { 'x-forwarded-for': '203.0.113.9' })).status).to.equal(403)
    const guarded = await serve({ metricsToken: secret('t0ken') })
    expect((await guarded('/metrics')).status).to.equal(403)
    expect((await guarded('/metrics', { authorization: 'Bearer wrong' })).status).to.equal(403)
    expect((await guarded('/metrics', { authorization: 'Bearer t0ken' })).status).to.equal(200)
  })
})
