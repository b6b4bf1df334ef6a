import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { days } from '../../core/domain/clock.ts'
import type { UserId } from '../../core/domain/ids.ts'
import { defaultPolicy } from '../../core/domain/oncall/paging/default-policy.ts'
import { priorities } from '../../core/domain/oncall/paging/priority.ts'
import { isRefusal } from '../../core/domain/refusal.ts'
import { clinicDuty } from '../../core/oncall/pages/clinic-duty.ts'
import { requestPage } from '../../core/oncall/pages/request-page.ts'
import { putOnCallPerson } from '../../core/store/oncall/people.ts'
import { grantRole } from '../../core/store/staff/roles.ts'
import { transact } from '../../core/store/tx.ts'
import { database, type TestDatabase } from '../../test/support/database.ts'
import { eventually } from '../../test/support/eventually.ts'
import { clinicSchedule } from '../../test/support/oncall/clinic.ts'
import { ownPostgres } from '../../test/support/own-postgres.ts'
import { seededRandom } from '../../test/support/random.ts'
import type { Bench } from '../bench.ts'
import { figure, quantile } from '../figure.ts'
import { paced } from '../paced.ts'
import { scaled } from '../scale.ts'
import type { PagesTask } from './pages-child.ts'

const perSecond = 50
const pages = perSecond * scaled(60, 4)
const open = scaled(10_000, 500)
/** The wait of an urgent page: so long it takes until each of the open ones was due once. */
const spreadMs = 300_000
const watchMs = scaled(120_000, 10_000)
const roles = 100

const child = async (task: PagesTask): Promise<{ url: string; stop(): Promise<void> }> => {
  const process_: ChildProcess = spawn(
    process.execPath,
    [fileURLToPath(new URL('./pages-child.ts', import.meta.url))],
    {
      env: { ...process.env, BENCH_PAGES: JSON.stringify(task) },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const kill = () => void process_.kill('SIGKILL')
  process.once('exit', kill)
  const gone = new Promise(done => process_.once('exit', done))
  const line = await new Promise<string>((done, failed) => {
    let out = ''
    process_.stdout?.on('data', chunk => {
      out += String(chunk)
      if (out.includes('\n')) done(out)
    })
    void gone.then(() => failed(new Error('a process of the measurement has ended')))
  })
  return {
    url: (JSON.parse(line) as { url: string }).url,
    stop: async () => {
      process.off('exit', kill)
      kill()
      await gone
    },
  }
}

const personOf = (n: number) => `@clinician${n}:h` as UserId
const phoneOf = (n: number) => `+1202${String(5_550_000 + n).padStart(7, '0')}`

/** A clinic of 100 roles and 500 people, all of whom are reached by text first. */
const clinic = async ({ store }: TestDatabase): Promise<void> => {
  const random = seededRandom('on-call pages bench')
  const now = store.clock.now()
  const texts = Object.fromEntries(priorities.map(p => [p, [{ way: 'sms', waitMs: 0 }] as const]))
  await transact(store, async tx => {
    for (let n = 0; n < roles * 5; n++) {
      await grantRole(tx, { userId: personOf(n), role: 'clinician', by: 'bench', identity: null })
      const put = await putOnCallPerson(tx, personOf(n), { phone: phoneOf(n), ladder: texts }, 'bench')
      if (isRefusal(put)) throw new Error(put.sentence)
    }
    for (let n = 0; n < roles; n++) {
      const crew = Array.from({ length: 5 }, (_, i) => personOf(n * 5 + i))
      const s = clinicSchedule(n, crew, now - days(100), random)
      const fallback = crew[0] as string
      await tx.sql('oncall_role').insert({
        key: s.id,
        name: s.id,
        unit: 'main',
        user_id: `@role_${s.id}:h`,
        version: 1,
        zone: s.zone,
        fallback,
        layers: JSON.stringify(s.layers),
        policy: JSON.stringify(defaultPolicy(s.id, fallback)),
        created_at: now,
        created_by: 'bench',
        changed_at: now,
        changed_by: 'bench',
      })
    }
  })
}

/** Every page has another sender: what one says often is one page. */
const page = async ({ store }: TestDatabase, n: number, priority: 'urgent' | 'stat'): Promise<string> => {
  const sender = `@sender${n}:h`
  const made = await transact(store, tx =>
    requestPage(tx, clinicDuty, {
      target: { kind: 'role', role: `role-${n % roles}` },
      priority,
      sender,
      actor: { kind: 'user', id: sender },
      content: { text: 'Please call back', from: sender, why: [] },
      what: `matter ${n}`,
    }),
  )
  if (isRefusal(made)) throw new Error(made.sentence)
  return made.ref
}

type Text = { body: string; createdAt: number }
const textsAt = async (provider: string): Promise<Text[]> =>
  (await (await fetch(`${provider}/local/messages`)).json()) as Text[]

/** From the request for a page until the provider's stand-in has accepted the text. */
const accepted = async (d: TestDatabase, provider: string): Promise<{ accepted: number; created: number }[]> => {
  const from = new Map<string, { begun: number; created: number }>()
  await paced(pages, perSecond, async n => {
    const begun = Date.now()
    const ref = await page(d, n, 'stat')
    from.set(ref, { begun, created: Date.now() - begun })
  })
  const texts = async () => {
    const found = new Map<string, number>()
    for (const t of await textsAt(provider)) {
      const ref = /Ref (\w+)\./.exec(t.body)?.[1]
      if (ref && !found.has(ref)) found.set(ref, t.createdAt)
    }
    return found
  }
  const found = await eventually(
    async () => {
      const all = await texts()
      return [...from.keys()].every(ref => all.has(ref)) ? all : undefined
    },
    { timeout: 120_000, interval: 1000, what: 'every text' },
  )
  return [...from].map(([ref, { begun, created }]) => ({ created, accepted: (found.get(ref) as number) - begun }))
}

/** The provider's stand-in alone, at the same pace. */
const bare = (provider: string, token: string): Promise<number[]> =>
  paced(perSecond * 10, perSecond, async n => {
    const begun = performance.now()
    const account = 'AClocal00000000000000000000000wardroom'
    const answer = await fetch(`${provider}/2010-04-01/Accounts/${account}/Messages.json`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${account}:${token}`).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({
        To: phoneOf(n % 500),
        Body: 'Bare.',
        MessagingServiceSid: 'MGlocal00000000000000000000000wardroom',
      }),
    })
    await answer.body?.cancel()
    if (!answer.ok) throw new Error(`the provider answered ${answer.status}`)
    return performance.now() - begun
  })

/**
 * How late turns of 10,000 open pages are committed. The pages are copies of one page of each role, due evenly over five minutes; the database itself says when a turn was
 * committed.
 */
const lateness = async (d: TestDatabase, say: (line: string) => void): Promise<number[]> => {
  const { db } = d.store
  for (let n = 0; n < roles; n++) await page(d, 1_000_000 + n, 'urgent')
  const templates = await db('page').where('source', 'like', '@sender10000%').select('id')
  const ids = templates.map(t => t.id as string)
  await eventually(
    async () => (await db('outbox').where({ queue: 'pages', state: 'pending' }).first('seq')) === undefined,
    {
      timeout: 60_000,
      interval: 500,
      what: 'the texts of the templates',
    },
  ).catch(() => undefined)
  const copies = Math.ceil(open / ids.length)
  const start = d.store.clock.now() + 5000
  const gap = spreadMs / (copies * ids.length)
  await db.raw(
    `with t as (select p.*, row_number() over (order by id) - 1 as i from page p where id = any(?::text[])),
       c as (select t.*, n, 'n' || (n * ? + i) as x, (?::bigint + ((n * ? + i) * ?::float8))::bigint as due from t, generate_series(0, ?) n)
     insert into page (id, ref, priority, phase, state, source, target, correlation, created_at, next_due, looked_at, changed_at)
     select id || 'x' || n, x, priority, phase,
       jsonb_set(jsonb_set(jsonb_set(state, '{id}', to_jsonb(id || 'x' || n)), '{ref}', to_jsonb(x)), '{dueAt}', to_jsonb(due)),
       source || n, target, correlation || n, created_at, due, looked_at, changed_at from c`,
    [ids, ids.length, start, ids.length, gap, copies - 1],
  )
  await db('page').whereIn('id', ids).update({ next_due: null, closed_at: start })
  await db.raw('analyze page')
  say(`on-call: ${copies * ids.length} pages are open; ${Math.round(watchMs / 1000)} s of their timers`)
  await new Promise(done => setTimeout(done, start + watchMs + 5000 - Date.now()))
  // The first turn of a copy writes its first contact.
  const { rows } = await db.raw(
    `select extract(epoch from pg_xact_commit_timestamp(c.xmin)) * 1000 - (?::bigint + substr(p.ref, 2)::int * ?::float8) as late
     from page p join lateral (select xmin from page_contact where page_id = p.id order by at limit 1) c on true
     where p.ref like 'n%' and substr(p.ref, 2)::int * ?::float8 <= ?`,
    [start, gap, gap, watchMs],
  )
  const due = Math.floor(watchMs / gap)
  if (rows.length < due) throw new Error(`${due} pages were due, ${rows.length} were looked at`)
  return rows.map((r: { late: string }) => Number(r.late))
}

/** Pages on what the bridge runs for them, in processes of their own: until the provider has them, and how late their timers are. Chat is no part of it. */
export const oncallPages: Bench = {
  area: 'oncall',
  figures: ['page_accepted_p99', 'timer_late_p99'],
  run: async say => {
    const postgres = await ownPostgres({ track_commit_timestamp: 'on' })
    const d = await database({ url: postgres.url })
    const token = randomBytes(16).toString('hex')
    const ends: (() => Promise<void>)[] = []
    try {
      await clinic(d)
      const provider = await child({ kind: 'provider', token })
      ends.push(provider.stop)
      const alone = await bare(provider.url, token)
      const bridge = await child({
        kind: 'pages',
        token,
        databaseUrl: d.url,
        keys: d.keys,
        providerUrl: provider.url,
      })
      ends.push(bridge.stop)
      say(`on-call: ${perSecond} pages a second, ${pages} in all`)
      const all = await accepted(d, provider.url)
      const [ms, created] = [all.map(p => p.accepted), all.map(p => p.created)]
      await d.store.db('page').update({ next_due: null, closed_at: Date.now() })
      const late = await lateness(d, say)
      return [
        figure({
          name: 'oncall.page_accepted_p99',
          value: quantile(ms, 0.99),
          unit: 'ms',
          baseline: quantile(alone, 0.99),
          goal: { atMost: 2000 },
          note: `${ms.length} stat pages to ${roles} roles, ${perSecond}/s; median ${quantile(ms, 0.5)} ms, slowest ${Math.max(...ms)} ms; of it until the page is committed: median ${quantile(created, 0.5)} ms, p99 ${quantile(created, 0.99)} ms; baseline: the provider's stand-in alone`,
        }),
        figure({
          name: 'oncall.timer_late_p99',
          value: quantile(late, 0.99),
          unit: 'ms',
          goal: { atMost: 1000 },
          note: `${late.length} timers of ${open} open pages, which come within ${spreadMs / 60_000} min, due → turn committed; median ${Math.round(quantile(late, 0.5))} ms, earliest ${Math.round(Math.min(...late))} ms, latest ${Math.round(Math.max(...late))} ms`,
        }),
      ]
    } finally {
      for (const end of ends.reverse()) await end()
      await d.drop()
      await postgres.end()
    }
  },
}
