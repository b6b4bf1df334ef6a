// Everything that pages in one process, on the services' own code, which a test kills at a named step: timer, texts and calls, webhooks, POST /alarms, the bot's cards and messages.
import express from 'express'
import { alarmsRouter } from '../../../appservice/http/alarms.ts'
import { pageJobs, pageWebhooks, smsJobs, smsWebhooks, twilioPhones } from '../../../appservice/sms/index.ts'
import { localAccount, localSender } from '../../../appservice/sms/local/main.ts'
import { pace } from '../../../appservice/sms/pace.ts'
import { twilioProvider } from '../../../appservice/sms/twilio.ts'
import type { DeskDeps } from '../../../bots/desk/deps.ts'
import { deskJobs } from '../../../bots/desk/jobs.ts'
import type { PageEvent } from '../../../core/domain/oncall/paging/page.ts'
import { failures } from '../../../core/http/answers.ts'
import { listen } from '../../../core/http/listen.ts'
import { createLog } from '../../../core/log.ts'
import { MatrixRefusal } from '../../../core/matrix/homeserver.ts'
import { clinicDuty } from '../../../core/oncall/pages/clinic-duty.ts'
import { answerPage } from '../../../core/oncall/pages/engine.ts'
import { startPager } from '../../../core/oncall/pages/pager.ts'
import { type PageRequest, requestPage } from '../../../core/oncall/pages/request-page.ts'
import { startOutbox } from '../../../core/queues/outbox-worker.ts'
import { createSeal, type SealingKeys } from '../../../core/seal.ts'
import { secret } from '../../../core/secret.ts'
import { openDb } from '../../../core/store/db.ts'
import { type StoreDeps, transact } from '../../../core/store/tx.ts'
import { systemRandom } from '../../../core/system.ts'
import { type KillStep, killsHere } from '../oncall/kill-steps.ts'

/** What the parent gives in the environment variable PAGES_WORKER. */
export type PagesWorkerOptions = {
  url: string
  keys: SealingKeys
  localUrl: string
  publicUrl: string
  homeserverUrl: string
  token: string
  port: number
}
/** What the parent says: `wall` and `monotonic` are how far the two clocks are ahead of the machine's, ms. */
export type ToWorker =
  | { do: 'go'; wall: number; monotonic: number; kill?: KillStep }
  | { do: 'clock'; wall: number; monotonic: number }
  | { do: 'arm'; kill: KillStep }
  | { do: 'request'; id: number; request: PageRequest }
  | { do: 'answer'; id: number; page: string; event: PageEvent }
export type FromWorker = { ready: true } | { waits: true } | { id: number; result: unknown }

const o = JSON.parse(process.env.PAGES_WORKER ?? '{}') as PagesWorkerOptions
const kills = killsHere()
const ahead = { wall: 0, monotonic: 0 }
const say = (m: FromWorker) => void process.send?.(m)

const go = async (): Promise<StoreDeps> => {
  const store: StoreDeps = {
    db: openDb(o.url),
    clock: { now: () => Date.now() + ahead.wall },
    random: systemRandom,
    seal: createSeal(o.keys),
  }
  const log = createLog('bridge', 'fatal')
  const duty = clinicDuty
  const authToken = secret(o.token)
  const twilio = { ...localAccount, authToken, origin: o.localUrl, timeoutMs: 300 }
  const phones = twilioPhones({ ...twilio, publicUrl: o.publicUrl, voiceNumber: localSender }, pace(1000))
  const stepwise =
    <A extends unknown[], R>(step: string, act: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      kills.reach(step, 'before')
      const result = await act(...args)
      kills.reach(step, 'after')
      return result
    }
  const handlers = pageJobs({
    store,
    duty,
    phones: {
      ...phones,
      text: stepwise('text at the provider', phones.text),
      call: stepwise('call placed', phones.call),
      hangUp: stepwise('telephone stopped', phones.hangUp),
    },
    log,
    uncertainMs: 50,
  })
  const send: DeskDeps['bot']['send'] = async (room, _type, content, how) => {
    const step =
      room === '!desk' ? 'desk notified' : String(content.body).includes('🔔') ? 'card sent' : 'told by the bot'
    kills.reach(step, 'before')
    const answer = await fetch(`${o.homeserverUrl}/send/${encodeURIComponent(room)}/${how?.txnId}`, {
      method: 'PUT',
      body: JSON.stringify(content),
      signal: AbortSignal.timeout(300),
    })
    if (!answer.ok) throw new MatrixRefusal(answer.status, 'M_UNKNOWN', 'away')
    const { event_id } = (await answer.json()) as { event_id: string }
    kills.reach(step, 'after')
    return event_id as Awaited<ReturnType<DeskDeps['bot']['send']>>
  }
  const desk = {
    store,
    log,
    homeserver: { request: async () => ({ joined: {} }) },
    bot: { userId: '@wardroom:clinic.example', send, createDirect: async (user: string) => `!chat-${user}` },
  } as unknown as DeskDeps
  const all = deskJobs(desk)
  const chat = Object.fromEntries(
    Object.entries(all).filter(([kind]) => /^(bot\.say|desk\.alert|page\..*)$/.test(kind)),
  )
  const provider = twilioProvider({ ...twilio, statusCallback: `${o.publicUrl}/sms/status`, ratePerSecond: 1000 })
  const webhooks = { store, accountSid: localAccount.accountSid, authToken, publicUrl: o.publicUrl, log }
  await startOutbox({ queue: 'pages', store, log, handlers, pollMs: 100 })
  await startOutbox({ queue: 'bots', store, log, handlers: chat, pollMs: 100 })
  const inbound = smsJobs({ store, provider, log, publicUrl: o.publicUrl, duty })
  await startOutbox({ queue: 'sms', store, log, handlers: inbound, pollMs: 100 })
  const app = express()
    .set('query parser', false)
    .use('/alarms', alarmsRouter({ store, duty }))
    .use('/sms', smsWebhooks(webhooks))
    .use('/voice', pageWebhooks({ ...webhooks, duty }))
    .use(failures(log))
  await listen(app, { port: o.port })
  startPager({ store, duty, log, pollMs: 50, monotonic: () => Date.now() + ahead.monotonic, host: 'child' })
  say({ ready: true })
  return store
}

let store: StoreDeps | undefined
process.on('message', (m: ToWorker) => {
  if (m.do === 'go' || m.do === 'clock') Object.assign(ahead, { wall: m.wall, monotonic: m.monotonic })
  if ((m.do === 'go' || m.do === 'arm') && m.kill) kills.arm(m.kill)
  if (m.do === 'go')
    go().then(
      s => {
        store = s
      },
      () => process.kill(process.pid, 'SIGKILL'),
    )
  if (m.do !== 'request' && m.do !== 'answer') return
  const { id } = m
  if (!store) return
  transact<unknown>(store, tx =>
    m.do === 'request'
      ? requestPage(tx, clinicDuty, m.request)
      : answerPage(tx, clinicDuty, m.page, m.event, { kind: 'user', id: 'by' in m.event ? m.event.by : 'test' }),
  ).then(
    result => say({ id, result }),
    () => say({ id, result: { failed: true } }),
  )
})
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
say({ waits: true })
