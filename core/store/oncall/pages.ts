import type { Knex } from 'knex'
import type { Instant } from '../../domain/clock.ts'
import type { DedupeRules, Earlier } from '../../domain/oncall/admission/dedupe.ts'
import type { News, Page } from '../../domain/oncall/paging/page.ts'
import type { Priority } from '../../domain/oncall/paging/priority.ts'
import { newRef } from '../../domain/oncall/paging/ref.ts'
import { nextDue } from '../../domain/oncall/paging/timeline.ts'
import type { Db } from '../db.ts'
import type { StoreDeps, Tx } from '../tx.ts'

type Sql = Db | Knex.Transaction

/** Where a page came from and what for. `source`: a person's id, or `source:<id>` of an alarm; `target`: as the policy writes it; `correlation`: a keyed hash. */
export type PageOrigin = {
  source: string
  target: string
  correlation: string
  roomId?: string
  eventId?: string
  patientId?: string
}

/** What the card shows beside the state; sealed at rest. `why`: what the triage rules say; `link`: the room or the message that it is about. */
export type PageContent = { text: string; from: string; why: readonly string[]; note?: string; link?: string }

export type StoredPage = PageOrigin & { page: Page; version: number; createdAt: Instant; closedAt: Instant | null }

type Row = {
  id: string
  state: Page
  version: number
  source: string
  target: string
  correlation: string
  room_id: string | null
  event_id: string | null
  patient_id: string | null
  created_at: Instant
  closed_at: Instant | null
}
const stored = (r: Row): StoredPage => ({
  page: r.state,
  version: r.version,
  source: r.source,
  target: r.target,
  correlation: r.correlation,
  ...(r.room_id === null ? {} : { roomId: r.room_id }),
  ...(r.event_id === null ? {} : { eventId: r.event_id }),
  ...(r.patient_id === null ? {} : { patientId: r.patient_id }),
  createdAt: r.created_at,
  closedAt: r.closed_at,
})

const contentContext = 'page.content'

/** What stands in columns of its own, for the timer and for questions. */
const columns = (page: Page, now: Instant) => ({
  priority: page.priority,
  phase: page.phase,
  state: JSON.stringify(page),
  next_due: nextDue(page),
  looked_at: page.at,
  changed_at: now,
})

export const insertPage = async (tx: Tx, page: Page, origin: PageOrigin, content: PageContent): Promise<void> => {
  await tx.sql('page').insert({
    id: page.id,
    ref: page.ref,
    ...columns(page, tx.now),
    source: origin.source,
    target: origin.target,
    correlation: origin.correlation,
    room_id: origin.roomId ?? null,
    event_id: origin.eventId ?? null,
    patient_id: origin.patientId ?? null,
    content: await tx.deps.seal.close(contentContext, JSON.stringify(content)),
    created_at: tx.now,
  })
}

/** The pages as their turns left them; a resolved one frees its reference. */
export const savePages = async (tx: Tx, pages: readonly Page[]): Promise<void> => {
  const rows = pages.map(page => ({ id: page.id, ...columns(page, tx.now), state: page }))
  await tx.sql.raw(
    `update page p set priority = n.priority, phase = n.phase, state = n.state, next_due = n.next_due, looked_at = n.looked_at,
       changed_at = n.changed_at, version = p.version + 1, closed_at = case when n.phase = 'resolved' then n.changed_at else p.closed_at end
     from jsonb_to_recordset(?::jsonb) as n (id text, priority text, phase text, state jsonb, next_due bigint, looked_at bigint, changed_at bigint)
     where p.id = n.id`,
    [JSON.stringify(rows)],
  )
}

/** The page, locked until the end of the transaction. */
export const lockPage = async (tx: Tx, id: string): Promise<StoredPage | undefined> => {
  const row = await tx.sql('page').where({ id }).forUpdate().first()
  return row && stored(row as Row)
}

/** Those of these pages that no other process has, locked until the end of the transaction. */
export const lockFreePages = async (tx: Tx, ids: readonly string[]): Promise<StoredPage[]> => {
  const rows: Row[] = await tx
    .sql('page')
    .whereIn('id', [...ids])
    .orderBy('id')
    .forUpdate()
    .skipLocked()
  return rows.map(stored)
}

export const readPage = async (sql: Sql, id: string): Promise<StoredPage | undefined> => {
  const row = await sql('page').where({ id }).first()
  return row && stored(row as Row)
}

/** The page that a reference means: the open one, or the last that had it. */
export const pageByRef = async (sql: Sql, ref: string): Promise<StoredPage | undefined> => {
  const row = await sql('page').where({ ref }).orderByRaw('closed_at is null desc, created_at desc').first()
  return row && stored(row as Row)
}

export type PageQuestion = { eventId: string; page: string; person: string; roomId: string }

/** The bot has asked a page's sender. */
export const putQuestion = async (tx: Tx, q: PageQuestion): Promise<void> => {
  const row = { event_id: q.eventId, page_id: q.page, person: q.person, room_id: q.roomId }
  await tx.sql('page_question').insert(row).onConflict('event_id').ignore()
}

export const questionOf = async (sql: Sql, eventId: string): Promise<PageQuestion | undefined> =>
  sql('page_question')
    .where({ event_id: eventId })
    .first('event_id as eventId', 'page_id as page', 'person', 'room_id as roomId')

/** Null when the words have been forgotten. */
export const openContent = async (deps: StoreDeps, sql: Sql, id: string): Promise<PageContent | null> => {
  const row = await sql('page').where({ id }).first('content')
  return row?.content ? (JSON.parse(await deps.seal.open(contentContext, row.content)) as PageContent) : null
}

const longestText = 4000

/** Adds words to a page's, those in the middle of very many left out; nothing where they have been forgotten. */
export const addToContent = async (tx: Tx, id: string, words: string): Promise<void> => {
  const content = await openContent(tx.deps, tx.sql, id)
  if (!content) return
  const all = `${content.text}\n${words}`
  const half = longestText / 2
  const text = all.length > longestText ? `${all.slice(0, half)}\n…\n${all.slice(-half)}` : all
  const sealed = await tx.deps.seal.close(contentContext, JSON.stringify({ ...content, text } satisfies PageContent))
  await tx.sql('page').where({ id }).update({ content: sealed })
}

/** Pages with something to do now, the longest overdue first; also those that the clock, having gone back, makes look as if they came from the future. */
export const duePages = async (deps: StoreDeps, busy: readonly string[], limit: number): Promise<string[]> => {
  const now = deps.clock.now()
  const { rows } = await deps.db.raw(
    `select id from page where next_due is not null and (next_due <= ? or looked_at > ?) and id <> all(?::text[])
     order by next_due limit ?`,
    [now, now, [...busy], limit],
  )
  return (rows as { id: string }[]).map(r => r.id)
}

/** Earlier pages of the same source and target that a newcomer may join. */
export const earlierPages = async (
  tx: Tx,
  of: Pick<PageOrigin, 'source' | 'target' | 'correlation'>,
  rules: DedupeRules,
): Promise<Earlier[]> => {
  const { rows } = await tx.sql.raw(
    `select id, correlation as key, priority, phase, created_at as "createdAt" from page
     where phase <> 'resolved' and closed_at is null and source = ? and target = ? and (correlation = ? or created_at > ?)`,
    [of.source, of.target, of.correlation, tx.now - rules.stormMs],
  )
  return rows
}

/** Nobody else decides about pages of this source and target until the transaction ends: of two equal alarms one is the first. */
export const claimCorrelation = async (tx: Tx, of: Pick<PageOrigin, 'source' | 'target'>): Promise<void> => {
  await tx.sql.raw('select pg_advisory_xact_lock(hashtextextended(?, 24))', [`${of.source} ${of.target}`])
}

/** References are not given anew so soon: somebody may still answer an old message. */
const restMs = 86_400_000

/** A free reference, held until the transaction ends. */
export const claimRef = async (tx: Tx): Promise<string> => {
  const tried = new Set<string>()
  for (;;) {
    const ref = newRef(tx.deps.random, r => tried.has(r))
    tried.add(ref)
    const { rows } = await tx.sql.raw(
      `select pg_try_advisory_xact_lock(hashtextextended('page ' || ?, 24)) as mine,
         exists (select 1 from page where ref = ? and (closed_at is null or created_at > ?)) as taken`,
      [ref, ref, tx.now - restMs],
    )
    if (rows[0].mine && !rows[0].taken) return ref
    if (tried.size > 500) throw new Error('no free reference for a page')
  }
}

/** What the page's timeline keeps: news, answers and what was refused. */
export type TimelineEntry =
  | { kind: 'news'; news: News }
  | { kind: 'answer'; by: string; answer: string; way?: string }
  | { kind: 'refused'; by: string; answer: string; code: string }

export const noteTimeline = async (
  tx: Tx,
  entries: readonly { page: string; what: TimelineEntry }[],
): Promise<void> => {
  if (entries.length > 0)
    await tx.sql('page_news').insert(entries.map(e => ({ page_id: e.page, at: tx.now, what: JSON.stringify(e.what) })))
}

export const timelineOf = async (sql: Sql, page: string): Promise<{ at: Instant; what: TimelineEntry }[]> =>
  sql('page_news').where({ page_id: page }).orderBy('id').select('at', 'what')

export type PageLine = {
  id: string
  ref: string
  priority: Priority
  phase: Page['phase']
  target: string
  createdAt: Instant
  acceptedBy: readonly string[]
  count: number
}

/** Pages that are not over, the most urgent first. */
export const openPages = async (sql: Sql, limit = 100): Promise<PageLine[]> => {
  const rows: Row[] = await sql('page')
    .whereNull('closed_at')
    .orderByRaw(`array_position(array['stat','urgent','routine'], priority), created_at`)
    .limit(limit)
  return rows.map(r => ({
    id: r.state.id,
    ref: r.state.ref,
    priority: r.state.priority,
    phase: r.state.phase,
    target: r.target,
    createdAt: r.created_at,
    acceptedBy: r.state.acceptedBy,
    count: r.state.count,
  }))
}
