import type { Knex } from 'knex'
import type { Instant } from '../../domain/clock.ts'
import type { Interruption } from '../../domain/oncall/admission/budget.ts'
import type { Answered } from '../../domain/oncall/admission/load.ts'
import type { Way } from '../../domain/oncall/paging/ladder.ts'
import type { Priority } from '../../domain/oncall/paging/priority.ts'
import type { Db } from '../db.ts'
import type { Tx } from '../tx.ts'

type Sql = Db | Knex.Transaction

/** `queued` → `sending` → `sent` (with the provider's or the homeserver's id) → `answered` or `failed`; `skipped`: nobody wanted it any more before it went. */
export type ContactState = 'queued' | 'sending' | 'sent' | 'skipped' | 'answered' | 'failed'

/** One contact about a page, under the key of its effect. `person`: a user id, or the name of a telephone line. */
export type Contact = {
  page: string
  key: string
  way: Way | 'line'
  person: string
  priority: Priority
  state: ContactState
  at: Instant
  begunAt: Instant | null
  providerId: string | null
  roomId: string | null
}

type Row = Record<string, unknown>
const contact = (r: Row): Contact => ({
  page: r.page_id as string,
  key: r.key as string,
  way: r.way as Contact['way'],
  person: r.person as string,
  priority: r.priority as Priority,
  state: r.state as ContactState,
  at: r.at as Instant,
  begunAt: r.begun_at as Instant | null,
  providerId: r.provider_id as string | null,
  roomId: r.room_id as string | null,
})

export type NewContact = Pick<Contact, 'page' | 'key' | 'way' | 'person' | 'priority'> & { overBudget: boolean }

/** A second row of the same key is not written. `first` marks a page's first contact with a person: their interruption. */
export const addContacts = async (tx: Tx, all: readonly NewContact[]): Promise<void> => {
  if (all.length === 0) return
  const first = new Set<string>()
  const rows = all.map(c => {
    const one = `${c.page} ${c.person}`
    const begins = !first.has(one)
    first.add(one)
    return { ...c, begins }
  })
  await tx.sql.raw(
    `insert into page_contact (page_id, key, way, person, priority, state, at, over_budget, first)
     select c.page, c.key, c.way, c.person, c.priority, 'queued', ?, c."overBudget",
       c.begins and not exists (select 1 from page_contact e where e.page_id = c.page and e.person = c.person)
     from jsonb_to_recordset(?::jsonb) as c (page text, key text, way text, person text, priority text, "overBudget" boolean, begins boolean)
     on conflict do nothing`,
    [tx.now, JSON.stringify(rows)],
  )
}

export const contactOf = async (sql: Sql, page: string, key: string): Promise<Contact | undefined> => {
  const row = await sql('page_contact').where({ page_id: page, key }).first()
  return row && contact(row)
}

/** The contact that a card's event, a text or a call belongs to. */
export const contactByProviderId = async (sql: Sql, providerId: string): Promise<Contact | undefined> => {
  const row = await sql('page_contact').where({ provider_id: providerId }).first()
  return row && contact(row)
}

export const contactsWith = async (sql: Sql, page: string, person: string): Promise<Contact[]> =>
  (await sql('page_contact').where({ page_id: page, person }).orderBy('at')).map(contact)

/** It is handed to a provider now: a later try that finds this looks there first. */
export const contactBegun = async (tx: Tx, c: Pick<Contact, 'page' | 'key'>): Promise<void> => {
  await tx
    .sql('page_contact')
    .where({ page_id: c.page, key: c.key, state: 'queued' })
    .update({ state: 'sending', begun_at: tx.now })
}

/** `sure`: the provider itself says that the id is this contact's; then it is taken from one that only guessed so after a crash. */
export const contactSent = async (
  tx: Tx,
  c: Pick<Contact, 'page' | 'key'>,
  ids: { providerId: string; roomId?: string; sure?: boolean },
): Promise<void> => {
  if (ids.sure)
    await tx.sql.raw(
      `update page_contact set provider_id = null where (provider_id = ? and (page_id, key) <> (?, ?)) or (page_id = ? and key = ? and provider_id <> ?)`,
      [ids.providerId, c.page, c.key, c.page, c.key, ids.providerId],
    )
  await tx.sql.raw(
    `update page_contact set provider_id = coalesce(provider_id, ?), room_id = coalesce(room_id, ?), sent_at = coalesce(sent_at, ?),
       state = case when state in ('queued','sending') then 'sent' else state end where page_id = ? and key = ?`,
    [ids.providerId, ids.roomId ?? null, tx.now, c.page, c.key],
  )
}

/** False when it was over already, so that a report that comes twice does nothing twice. */
export const endContact = async (
  tx: Tx,
  c: Pick<Contact, 'page' | 'key'>,
  state: 'skipped' | 'answered' | 'failed',
  error?: string,
): Promise<boolean> => {
  const ended = await tx
    .sql('page_contact')
    .where({ page_id: c.page, key: c.key })
    .whereIn('state', ['queued', 'sending', 'sent'])
    .update({ state, done_at: tx.now, error: error ?? null })
  return ended > 0
}

/** It has not gone out in time and is tried on; true the first time. */
export const contactLate = async (tx: Tx, c: Pick<Contact, 'page' | 'key'>, error: string): Promise<boolean> =>
  (await tx.sql('page_contact').where({ page_id: c.page, key: c.key }).whereNull('error').update({ error })) > 0

/** Somebody's answer to a page, for the weekly report: the time that it took. */
export const noteAnswered = async (tx: Tx, page: string, person: string): Promise<void> => {
  await tx.sql('page_contact').where({ page_id: page, person }).whereNull('answered_at').update({ answered_at: tx.now })
}

/** The first of a provider's ids that no contact has yet, or that this one has. */
export const unclaimedContactId = async (
  sql: Sql,
  c: Pick<Contact, 'page' | 'key'>,
  ids: readonly string[],
): Promise<string | undefined> => {
  const others: string[] = await sql('page_contact')
    .whereIn('provider_id', [...ids])
    // Not `whereNot` with both: knex negates each by itself.
    .whereRaw('(page_id, key) <> (?, ?)', [c.page, c.key])
    .pluck('provider_id')
  return ids.find(id => !others.includes(id))
}

/** Calls about these pages that may still ring. */
export const openCalls = async (sql: Sql, pages: readonly string[]): Promise<Contact[]> =>
  (
    await sql('page_contact')
      .where({ way: 'voice' })
      .whereIn('page_id', [...pages])
      .whereIn('state', ['sending', 'sent'])
  ).map(contact)

/** The interruptions of these people since then. */
export const interruptionsSince = async (
  sql: Sql,
  people: readonly string[],
  since: Instant,
): Promise<Interruption[]> =>
  sql('page_contact')
    .whereIn('person', [...people])
    .where('at', '>', since)
    .where({ first: true })
    .select('person', 'at', 'priority')

/** Everybody's interruptions of a stretch of time with their answers, for the weekly report. */
export const answeredBetween = async (sql: Sql, from: Instant, to: Instant): Promise<Answered[]> =>
  sql('page_contact')
    .where('at', '>=', from)
    .where('at', '<', to)
    .where({ first: true })
    .whereNot({ way: 'line' })
    .select('person', 'at', 'priority', 'answered_at as answeredAt', 'over_budget as overBudget')

/** Pages that want somebody: they are called, have let the time pass, or are to take it over; and those that they have. Newest first. */
export const pagesOf = async (
  sql: Sql,
  person: string,
): Promise<{ id: string; ref: string; has: boolean; ways: Contact['way'][] }[]> => {
  const { rows } = await sql.raw(
    `select p.id, p.ref, p.state->'acceptedBy' @> to_jsonb(?::text) as has, array_agg(distinct c.way) as ways
     from page_contact c join page p on p.id = c.page_id
     where c.person = ? and p.closed_at is null and p.phase <> 'resolved'
       and (p.state->'acceptedBy' @> to_jsonb(?::text) or exists (select 1 from jsonb_array_elements(p.state->'asked') a
         where a->>'person' = ? and a->>'state' in ('asked','ignored')))
     group by p.id order by p.created_at desc limit 20`,
    [person, person, person, person],
  )
  return rows
}
