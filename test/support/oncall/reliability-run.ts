import { setTimeout as pause } from 'node:timers/promises'
import type { Behaviour } from '../../../appservice/sms/local/behaviours.ts'
import { hours, seconds } from '../../../core/domain/clock.ts'
import type { Page } from '../../../core/domain/oncall/paging/page.ts'
import type { SeededRandom } from '../random.ts'
import type { KillStep } from './kill-steps.ts'
import type { ReliabilityWorld } from './reliability-world.ts'
import type { Road } from './rough-road.ts'
import { at, phones } from './test-clinic.ts'

/** What people do about one page. `other`: somebody else takes it while the telephone rings. */
export type Story = 'text' | 'call' | 'decline' | 'nobody' | 'handover' | 'other'
/** Soon over, so that a run is short. */
const quick: readonly Story[] = ['text', 'call', 'decline', 'handover', 'other']

/** Every durable step, and a story that comes to it. `any moment`: killed from outside. */
export const namedSteps: readonly (readonly [string, Story])[] = [
  ['page stored', 'text'],
  ['step taken', 'text'],
  ['contact handed to the outbox', 'call'],
  ['card sent', 'text'],
  ['text or call begun', 'text'],
  ['text at the provider', 'text'],
  ['provider’s id noted', 'text'],
  ['call placed', 'call'],
  ['answer received', 'text'],
  ['answer stored', 'text'],
  ['told by the bot', 'text'],
  ['declined', 'decline'],
  ['escalated', 'decline'],
  ['handed over', 'handover'],
  ['taken over', 'handover'],
  ['resolved', 'handover'],
  ['telephone stopped', 'other'],
  ['exhausted', 'nobody'],
  ['desk’s notice queued', 'nobody'],
  ['desk notified', 'nobody'],
  ['clock settled', 'nobody'],
  ['any moment', 'text'],
]

export type Trouble =
  | 'none'
  | 'provider busy'
  | 'provider failing'
  | 'provider away'
  | 'taken without a word'
  | 'texts undelivered'
  | 'no reports'
  | 'homeserver down'
  | 'homeserver silent'
  | 'homeserver loses answers'
  | 'database killed'
  | 'connections cut'
  | 'an hour ahead'
  | 'an hour back'
export const troubles: readonly Trouble[] = [
  'none',
  'provider busy',
  'provider failing',
  'provider away',
  'taken without a word',
  'texts undelivered',
  'no reports',
  'homeserver down',
  'homeserver silent',
  'homeserver loses answers',
  'database killed',
  'connections cut',
  'an hour ahead',
  'an hour back',
]
const behaviourOf: Partial<Record<Trouble, readonly Behaviour[]>> = {
  'provider busy': ['rate_429'],
  'provider failing': ['error_500'],
  'provider away': ['hold'],
  'taken without a word': ['reset_after_accept', 'hang_after_accept'],
  'texts undelivered': ['unreachable', 'landline'],
  'no reports': ['no_report'],
}

export type Run = { kill: KillStep; second?: KillStep; story: Story; trouble: Trouble; road: Road; from: number }

/** What is known of one page from outside. `before`: the contacts that were begun when somebody was seen to have it. */
type Told = {
  n: number
  story: Story
  alarm: boolean
  ref?: string
  id?: string
  lineAnswers: boolean
  handedOver: boolean
  before?: ReadonlySet<string>
  acted: number
}
type Row = { id: string; ref: string; phase: Page['phase']; state: Page; next_due: number | null }
type ContactRow = { page_id: string; key: string; way: string; person: string; state: string; begun_at: number | null }

const nameOf = (user: string): string => /^@([^:]+)/.exec(user)?.[1] ?? user

/** What a run came to; `wrong`: what must not happen. */
export type RunResult = {
  killed: number
  pages: number
  texts: number
  calls: number
  repeated: number
  wrong: string[]
}

/** Three pages through one run of kills and trouble, until each is over and nothing is left to do. */
export const throughTrouble = async (
  w: ReliabilityWorld,
  run: Run,
  random: SeededRandom,
  n: number,
): Promise<RunResult> => {
  const wrong: string[] = []
  let killed = 0
  await w.db.raw('truncate page, page_clock, outbox, alarm, inbound_text, audit_queue cascade')
  w.homeserver.forget()
  w.moveTo(run.from)
  if (w.dead()) await w.begin(run.kill)
  else w.arm(run.kill)
  w.road.is(run.road)
  const everyone = [...Object.keys(phones), 'switchboard']
  for (const name of everyone) await w.behave(name, name === 'switchboard' ? 'no_answer' : 'normal')

  const pages: Told[] = [run.story, random.pick(quick), random.pick(quick)].map((story, i) => ({
    n: n * 10 + i,
    story,
    alarm: i === 0 ? story === 'nobody' || random.int(2) === 0 : random.int(2) === 0,
    lineAnswers: random.int(2) === 0,
    handedOver: false,
    acted: 0,
  }))

  const request = async (p: Told): Promise<string | undefined> => {
    if (p.alarm) {
      const answer = await fetch(w.source.url, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${w.source.token}`,
          'content-type': 'application/json',
          'idempotency-key': `run-${p.n}`,
        },
        body: JSON.stringify({ what: `pump ${p.n} stopped` }),
        signal: AbortSignal.timeout(3000),
      }).catch(() => undefined)
      return answer?.ok ? ((await answer.json()) as { ref: string }).ref : undefined
    }
    const made = (await w.ask({
      do: 'request',
      request: {
        target: { kind: 'role', role: 'cardiology' },
        priority: 'stat',
        sender: at('sue'),
        actor: { kind: 'user', id: at('sue') },
        content: { text: `bed ${p.n}`, from: at('sue'), why: [] },
        what: `bed ${p.n}`,
      },
    })) as { ref?: string } | undefined
    return made?.ref
  }
  const answer = (page: Row, kind: 'accept' | 'decline', by: string) =>
    w.ask({ do: 'answer', page: page.id, event: { kind, by, way: 'command' } })

  const lose = (p: Told, why: string) => {
    const what = `page ${p.ref ?? p.n} (${p.story}): ${why}`
    if (!wrong.includes(what)) wrong.push(what)
  }
  const over = (p: Told, page: Row | undefined, contacts: readonly ContactRow[]): boolean => {
    if (!page) return false
    if (p.story === 'handover' && page.phase === 'accepted') return false
    if (page.phase === 'accepted' || page.phase === 'resolved') return true
    const line = contacts.find(c => c.page_id === page.id && c.way === 'line')
    return page.phase === 'exhausted' && line !== undefined && ['failed', 'answered'].includes(line.state)
  }

  /** What a person would do now; everything may be done again. */
  const act = async (p: Told, page: Row, contacts: readonly ContactRow[]): Promise<void> => {
    const mine = contacts.filter(c => c.page_id === page.id)
    const asked = page.state.asked.filter(a => a.state === 'asked' || a.state === 'ignored').map(a => a.person)
    const has = (way: string, person?: string) =>
      mine.find(c => c.way === way && c.state === 'sent' && (person === undefined || c.person === person))
    const ringing = async (name: string) =>
      (await w.calls(name)).find(c => c.status === 'ringing' && c.url.includes(page.id))
    const open = page.phase === 'open' || page.phase === 'exhausted'
    if (p.acted > performance.now()) return
    p.acted = performance.now() + 150
    const texted = mine.find(c => c.way === 'sms' && c.state !== 'queued' && asked.includes(c.person))
    if (open && texted && (p.story === 'text' || (p.story === 'decline' && texted.person === at('bob'))))
      await w.say(nameOf(texted.person), page.ref)
    if (p.story === 'call')
      for (const person of asked) {
        const call = open && has('voice', person) && (await ringing(nameOf(person)))
        if (call) await w.pickUp(call.sid, '1')
      }
    if (p.story === 'decline' && open && asked[0] && asked[0] !== at('bob')) await answer(page, 'decline', asked[0])
    if (p.story === 'other' && open && mine.some(c => c.way === 'voice' && c.state !== 'queued'))
      await answer(page, 'accept', at('bob'))
    if (p.story === 'handover') {
      const [holder] = page.state.acceptedBy
      const other = at(holder === at('bob') ? 'cy' : 'bob')
      if (open && asked[0]) await answer(page, 'accept', asked[0])
      else if (page.phase === 'accepted' && page.state.handover)
        await answer(page, 'accept', page.state.handover.to[0] ?? '')
      else if (page.phase === 'accepted' && holder && !p.handedOver) {
        p.handedOver = true
        await w.ask({
          do: 'answer',
          page: page.id,
          event: { kind: 'hand_over', by: holder, to: { kind: 'user', user: other } },
        })
      } else if (page.phase === 'accepted' && holder) {
        const taken = mine.some(
          c => c.person === holder && page.state.asked.some(a => a.person === holder && a.state === 'accepted'),
        )
        if (taken) await w.ask({ do: 'answer', page: page.id, event: { kind: 'resolve', by: holder } })
      }
    }
    if (page.phase === 'exhausted' && p.lineAnswers) {
      await w.behave('switchboard', 'normal')
      const call = await ringing('switchboard')
      if (call) await w.pickUp(call.sid, '1')
    }
  }

  /** Who is called for a page that somebody has: nobody, beyond what was under way. */
  const watch = (p: Told, page: Row, contacts: readonly ContactRow[]) => {
    const begun = contacts.filter(c => c.page_id === page.id && c.state !== 'queued' && c.state !== 'skipped')
    const isTaken = page.phase === 'accepted' && !page.state.handover && p.story !== 'handover'
    if (isTaken && !p.before) p.before = new Set(begun.map(c => c.key))
    if (isTaken && p.before)
      for (const c of begun)
        if (c.way !== 'matrix' && !p.before.has(c.key)) lose(p, `${c.way} to ${nameOf(c.person)} although it was taken`)
  }

  const started = performance.now()
  // A telephone that nobody picks up rings for half a minute of real time, and a run may have several, one after the other.
  const limit = 150_000
  let troubled: 'not yet' | 'now' | 'past' = 'not yet'
  let healAt = 0
  let secondArmed = false
  const begin = performance.now()
  const killAt = run.kill.step === 'any moment' ? begin + random.int(1000) : Number.POSITIVE_INFINITY
  const makeTrouble = async () => {
    const behaviours = behaviourOf[run.trouble]
    if (behaviours)
      for (const name of Object.keys(phones))
        await w.behave(name, random.pick(behaviours), run.trouble === 'provider away' ? undefined : 1 + random.int(4))
    if (run.trouble === 'homeserver down') w.homeserver.is('down')
    if (run.trouble === 'homeserver silent') w.homeserver.is('silent')
    if (run.trouble === 'homeserver loses answers') w.homeserver.is('lost')
    if (run.trouble === 'database killed') {
      await w.postgres.kill()
      await w.postgres.start()
    }
    if (run.trouble === 'connections cut')
      await w.db.raw(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      )
    if (run.trouble === 'an hour ahead') w.move(hours(1), true)
    if (run.trouble === 'an hour back') w.move(-hours(1), true)
  }
  const heal = async () => {
    w.homeserver.is('up')
    if (behaviourOf[run.trouble]) for (const name of Object.keys(phones)) await w.behave(name, 'normal')
  }
  const left = async () => {
    const { rows } = await w.db.raw(
      `select (select count(*)::int from outbox where state = 'pending') as jobs, (select count(*)::int from page_contact where state in ('queued', 'sending')) as contacts`,
    )
    return rows[0] as { jobs: number; contacts: number }
  }
  for (;;) {
    if (performance.now() - started > limit) {
      wrong.push(`not over after ${limit} ms`)
      break
    }
    if (killAt < performance.now() && killed === 0) w.kill()
    if (w.dead()) {
      killed++
      const second = run.second && !secondArmed ? run.second : undefined
      secondArmed = true
      await w.begin(second)
      continue
    }
    try {
      for (const p of pages) {
        const ref = p.id === undefined ? await request(p) : undefined
        if (ref === undefined) continue
        p.ref = ref
        p.id = (await w.db('page').where({ ref }).first('id'))?.id
      }
      const rows: Row[] = await w.db('page').select('id', 'ref', 'phase', 'state', 'next_due')
      const contacts: ContactRow[] = await w
        .db('page_contact')
        .select('page_id', 'key', 'way', 'person', 'state', 'begun_at')
      const rowOf = (p: Told) => rows.find(r => r.id === p.id)
      if (troubled === 'not yet' && contacts.length > 0 && random.int(3) === 0) {
        troubled = 'now'
        healAt = performance.now() + 150 + random.int(600)
        await makeTrouble()
        continue
      }
      if (troubled === 'now' && performance.now() > healAt) {
        troubled = 'past'
        await heal()
      }
      for (const p of pages) {
        const page = rowOf(p)
        if (!page) continue
        watch(p, page, contacts)
        if (!over(p, page, contacts)) await act(p, page, contacts)
      }
      const done = troubled === 'past' && pages.every(p => over(p, rowOf(p), contacts))
      const rest = done ? await left() : undefined
      if (rest && rest.jobs === 0 && rest.contacts === 0) break
    } catch (err) {
      if (troubled !== 'now') throw err
    }
    await pause(40)
    w.move(seconds(random.pick([5, 15, 40])))
  }
  await w.road.quiet()
  return { killed, ...(await judge(w, pages, lose, wrong)) }
}

/** Every page was asked for once, is over, and whoever must know was told; every text has the reference of a page of its reader. */
const judge = async (
  w: ReliabilityWorld,
  pages: readonly Told[],
  lose: (p: Told, why: string) => void,
  wrong: string[],
): Promise<Omit<RunResult, 'killed'>> => {
  const rows: (Row & { senders: string[] })[] = await w.db('page').select('id', 'ref', 'phase', 'state', 'next_due')
  const contacts: ContactRow[] = await w
    .db('page_contact')
    .select('page_id', 'key', 'way', 'person', 'state', 'begun_at')
  const failed = await w.db('outbox').where({ state: 'failed' }).select('kind', 'last_error')
  for (const job of failed) wrong.push(`a job was given up: ${job.kind} ${job.last_error}`)
  if (rows.length !== pages.length) wrong.push(`${rows.length} pages of ${pages.length}`)
  const sent = w.homeserver.sent()
  const said = (room: string, words: RegExp) => sent.some(e => e.room === room && words.test(e.body))
  for (const p of pages) {
    const page = rows.find(r => r.id === p.id)
    if (!page) {
      lose(p, 'lost')
      continue
    }
    const mine = contacts.filter(c => c.page_id === page.id)
    if (mine.length === 0) lose(p, 'nobody was called')
    const news = (await w.db('page_news').where({ page_id: page.id }).orderBy('id').pluck('what')) as {
      kind: string
      news?: { kind: string }
    }[]
    const wasExhausted = news.some(one => one.news?.kind === 'exhausted')
    const wasAccepted = news.some(one => one.news?.kind === 'accepted')
    if (wasExhausted && p.alarm && !said('!desk', new RegExp(`${page.ref}: an alarm`))) lose(p, 'the desk was not told')
    if (!p.alarm && wasAccepted && !said(`!chat-${at('sue')}`, new RegExp(`${page.ref}: .* has accepted`)))
      lose(p, 'the sender was not told who took it')
    if (!p.alarm && wasExhausted && !said(`!chat-${at('sue')}`, new RegExp(`${page.ref}: .*fallback`)))
      lose(p, 'the sender was not told that nobody took it')
    if (!['accepted', 'resolved', 'exhausted'].includes(page.phase)) lose(p, `left ${page.phase}`)
  }
  let texts = 0
  let calls = 0
  let repeated = 0
  for (const name of [...Object.keys(phones), 'switchboard']) {
    const person = phones[name] ? at(name) : 'switchboard'
    const of = (page: string, ways: readonly string[]) =>
      contacts.filter(c => c.page_id === page && c.person === person && ways.includes(c.way)).length
    const counted = new Map<string, number>()
    for (const m of await w.texts(name)) {
      if (!w.isNew(m.sid)) continue
      const page = rows.find(r => m.body.includes(r.ref))
      if (!/^(STAT|Urgent|Routine) page\. Open your chat\. Ref /.test(m.body)) continue
      texts++
      if (!page || !m.body.endsWith(`Ref ${page.ref}.`)) wrong.push(`a text without a page: ${m.body}`)
      else counted.set(`${page.id} sms`, (counted.get(`${page.id} sms`) ?? 0) + 1)
    }
    for (const c of await w.calls(name)) {
      if (!w.isNew(c.sid)) continue
      const page = rows.find(r => c.url.includes(r.id))
      calls++
      if (!page) wrong.push('a call without a page')
      else counted.set(`${page.id} voice`, (counted.get(`${page.id} voice`) ?? 0) + 1)
    }
    for (const [which, count] of counted) {
      const [page = '', way = ''] = which.split(' ')
      repeated += Math.max(0, count - of(page, way === 'sms' ? ['sms'] : ['voice', 'line']))
    }
  }
  return { pages: rows.length, texts, calls, repeated, wrong }
}
