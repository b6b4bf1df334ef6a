import express from 'express'
import { pageJobs, pageWebhooks, smsJobs, smsWebhooks, twilioPhones } from '../../../appservice/sms/index.ts'
import { localAccount, localSender, startLocal } from '../../../appservice/sms/local/main.ts'
import { pace } from '../../../appservice/sms/pace.ts'
import { twilioProvider } from '../../../appservice/sms/twilio.ts'
import type { PageEvent } from '../../../core/domain/oncall/paging/page.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import { listen } from '../../../core/http/listen.ts'
import { answerPage } from '../../../core/oncall/pages/engine.ts'
import { startPager } from '../../../core/oncall/pages/pager.ts'
import { type PageRequest, requestPage } from '../../../core/oncall/pages/request-page.ts'
import type { Dispatcher } from '../../../core/queues/dispatcher.ts'
import { type Outbox, startOutbox } from '../../../core/queues/outbox-worker.ts'
import { secret } from '../../../core/secret.ts'
import { type Contact, contactOf, contactSent } from '../../../core/store/oncall/page-contacts.ts'
import { pageByRef, readPage } from '../../../core/store/oncall/pages.ts'
import { type StoreDeps, type Tx, transact } from '../../../core/store/tx.ts'
import { database, type TestDatabase } from '../database.ts'
import { eventually } from '../eventually.ts'
import { localPhones } from '../receivers/local-phones.ts'
import { testLog } from '../test-log.ts'
import { at, clinic, dutyOf, lineNumber, phones } from './test-clinic.ts'

export { at, phones } from './test-clinic.ts'

/** Pages on a real database with a clock that the test moves, without a homeserver or a provider. */
export const pagesWorld = async () => {
  const d: TestDatabase = await database()
  const { store } = d
  store.clock.set(Date.UTC(2026, 4, 12, 16))
  const who = clinic()
  const duty = dutyOf(who)
  const log = testLog()
  const pagers: Dispatcher[] = []
  const tx = <T>(work: (tx: Tx) => Promise<T>) => transact(store, work)
  let n = 0
  const jobs = async (kind: string): Promise<Record<string, unknown>[]> => {
    const rows: { payload: string }[] = await store.db('outbox').where({ kind }).orderBy('seq')
    return Promise.all(rows.map(async r => JSON.parse(await store.seal.open('outbox.payload', r.payload))))
  }
  /** Asks for a page to cardiology, urgent, from Sue; every one about something else unless told. */
  const request = (more: Partial<PageRequest> = {}, on: StoreDeps = store) =>
    transact(on, t =>
      requestPage(t, duty, {
        target: { kind: 'role', role: 'cardiology' },
        priority: 'urgent',
        sender: at('sue'),
        actor: { kind: 'user', id: at('sue') },
        content: { text: 'bed 4', from: at('sue'), why: [] },
        what: `matter ${++n}`,
        ...more,
      }),
    )
  return {
    ...d,
    who,
    duty,
    log,
    tx,
    jobs,
    request,
    page: async (more: Partial<PageRequest> = {}) => {
      const made = await request(more)
      if (isRefusal(made)) throw new Error(made.sentence)
      return made
    },
    answer: (id: string, event: PageEvent) => tx(t => answerPage(t, duty, id, event)),
    state: async (id: string) => {
      const page = await readPage(store.db, id)
      if (!page) throw new Error('there is no such page')
      return page.page
    },
    byRef: (ref: string) => pageByRef(store.db, ref),
    contact: (page: string, key: string) => contactOf(store.db, page, key),
    /** `matrix ann`, `sms ann`, `line switchboard`, in their order. */
    contacts: async (page: string): Promise<string[]> => {
      const rows: { way: Contact['way']; person: string }[] = await store
        .db('page_contact')
        .where({ page_id: page })
        .orderByRaw('key::int')
      return rows.map(r => `${r.way} ${/^@([^:]+)/.exec(r.person)?.[1] ?? r.person}`)
    },
    /** Every card that waits goes out. */
    sendCards: async () => {
      const rows = await store
        .db('page_contact')
        .where({ way: 'matrix', state: 'queued' })
        .select('page_id as page', 'key')
      for (const c of rows)
        await tx(t => contactSent(t, c, { providerId: `$card-${c.page}-${c.key}`, roomId: '!chat:test' }))
    },
    /** What somebody was told by the bot about pages. */
    toldTo: async (name: string): Promise<string[]> =>
      (await jobs('bot.say')).filter(j => (j.to as { user?: string }).user === at(name)).map(j => j.text as string),
    /** A timer, as another process would have one. `own`: its monotonic clock runs with the real time, so that a moved clock is a step. */
    pager: (o: { own?: boolean; store?: StoreDeps; host?: string } = {}) => {
      const p = startPager({
        store: o.store ?? store,
        duty,
        log,
        pollMs: 20,
        monotonic: o.own ? () => performance.now() : () => store.clock.now(),
        host: o.host ?? (o.own ? 'own' : 'moved'),
      })
      pagers.push(p)
      return p
    },
    until: (id: string, is: (page: Awaited<ReturnType<typeof readPage>>) => boolean, what = 'the page') =>
      eventually(async () => is(await readPage(store.db, id)), { what }),
    stopPagers: async () => {
      for (const p of pagers.splice(0)) await p.stop()
    },
    stop: async () => {
      for (const p of pagers.splice(0)) await p.stop()
      await d.drop()
    },
  }
}
/** The same with the local Twilio-compatible server, the webhooks and the jobs that send; `idle`: another process sends. */
export const phonesWorld = async (o: { idle?: boolean } = {}) => {
  const w = await pagesWorld()
  const { store, log, duty } = w
  const app = express().set('query parser', false)
  const page = await listen(app, { graceMs: 200 })
  const publicUrl = page.url.replace('127.0.0.1', 'localhost')
  const authToken = secret(phonesToken)
  const webhooks = { store, accountSid: localAccount.accountSid, authToken, publicUrl, log }
  app.use('/sms', smsWebhooks(webhooks)).use('/voice', pageWebhooks({ ...webhooks, duty }))
  const local = await startLocal({ authToken, publicUrl, clock: store.clock, log, stepMs: 5, env: {} })
  const phones = twilioPhones(
    { ...localAccount, authToken, origin: local.url, publicUrl, voiceNumber: localSender, timeoutMs: 1000 },
    pace(1000),
  )
  const provider = twilioProvider({
    ...localAccount,
    authToken,
    origin: local.url,
    statusCallback: `${publicUrl}/sms/status`,
    ratePerSecond: 1000,
  })
  const outboxes: Outbox[] = []
  if (!o.idle) {
    const handlers = pageJobs({ store, duty, phones, log, uncertainMs: 50, patienceMs: 5000 })
    outboxes.push(await startOutbox({ queue: 'pages', store, log, handlers, pollMs: 20 }))
  }
  const inbound = smsJobs({ store, provider, log, publicUrl, duty })
  outboxes.push(await startOutbox({ queue: 'sms', store, log, handlers: inbound }))
  const telephones = localPhones(local.url)
  return {
    ...w,
    local,
    publicUrl,
    authToken,
    phones,
    behave: telephones.behave,
    texts: (name: string) => telephones.texts(numberOf(name)),
    calls: (name: string) => telephones.calls(numberOf(name)),
    pickUp: telephones.pickUp,
    say: (name: string, body: string) => telephones.say(numberOf(name), body),
    stop: async () => {
      for (const one of outboxes) await one.stop()
      await local.stop()
      await page.stop()
      await w.stop()
    },
  }
}
export const phonesToken = 'a-token-for-tests'
const numberOf = (name: string): string => phones[name] ?? (name === 'switchboard' ? lineNumber : name)

export type PhonesWorld = Awaited<ReturnType<typeof phonesWorld>>
export type PagesWorld = Awaited<ReturnType<typeof pagesWorld>>
