import type { Knex } from 'knex'
import { daysOfMonth, monthPeriod, type Period, startOfDay } from '../../domain/audit/period.ts'
import {
  type AccessDay,
  type AccessReport,
  type AccessUser,
  type CommandsReport,
  type DayCount,
  eachDay,
  type LinksReport,
  linksFrom,
  type Watching,
  withOutliers,
} from '../../domain/audit/reports.ts'
import type { Instant } from '../../domain/clock.ts'
import { isOpen } from '../../domain/settings/open-hours.ts'
import type { Settings } from '../../domain/settings/settings.ts'
import type { Db } from '../db.ts'
import { readSettings } from '../staff/settings.ts'

type Sql = Db | Knex.Transaction

/** What shows somebody a patient's record, and what is said in a care room. Everything else changes something, but for the command itself, which doubles what it did. */
const views = ['patient.view', 'consent.view', 'message.receipt', 'audit.view', 'audit.reveal', 'admin.view']
const messages = ['message.sent', 'message.edit', 'message.redact']
const kinds = {
  views,
  messages,
  others: [...views, ...messages, 'command.run'],
  watching: ['audit.view', 'audit.reveal', 'audit.report', 'audit.export', 'audit.verify', 'admin.view'],
  receipts: ['patient status', 'patient unanswered'],
}

const quarter = 15 * 60_000

/** The quarters of an hour (since 1970) of a period in which nobody is there by `clinic.hours`. */
const closedQuarters = (period: Period, settings: Settings): number[] => {
  const out: number[] = []
  for (let q = Math.floor(period.from / quarter); q * quarter < period.until; q++)
    if (!isOpen(settings['clinic.hours'], settings['clinic.time_zone'], q * quarter)) out.push(q)
  return out
}

type Month = { month: string; period: Period; days: string[]; starts: number[]; settings: Settings }

const readMonth = async (sql: Sql, month: string): Promise<Month> => {
  const settings = await readSettings(sql)
  const zone = settings['clinic.time_zone']
  const days = daysOfMonth(month)
  return {
    month,
    period: monthPeriod(month, zone),
    days,
    starts: days.map(day => startOfDay(day, zone)),
    settings,
  }
}

const within = 'at >= :from and at < :until'
const dayOf = '(width_bucket(at, cast(:starts as bigint[])) - 1)'

/** A code; what was said in free words is a commitment and stays one. */
const reasonOf = `case jsonb_typeof(leaf::jsonb -> 'reason') when 'string' then leaf::jsonb ->> 'reason' when 'object' then 'in free words'
  else coalesce(leaf::jsonb #>> '{detail,code}', 'no reason given') end`

const rowsOf = async <T>(sql: Sql, query: string, bindings: Record<string, unknown>): Promise<T> => {
  const { rows } = await sql.raw(query, bindings as Record<string, Knex.RawBinding>)
  return rows[0].data as T
}
const listed = (columns: string, from: string) =>
  `(select coalesce(json_agg(x), '[]') from (select ${columns} from ${from}) x)`

/** Enough memory for counting a busy month without the disk, in a transaction (or a part of one) of its own. */
const inMemory = <T>(sql: Sql, work: (sql: Knex.Transaction) => Promise<T>): Promise<T> =>
  sql.transaction(async part => {
    await part.raw(`set local work_mem = '64MB'`)
    return work(part)
  })

type Access = Pick<AccessReport, 'pairs' | 'patients'> & { users: Omit<AccessUser, 'why'>[] }

const n = (condition: string) => `count(*) filter (where ${condition})::int`
const some = (name: string) => `any(cast(:${name} as text[]))`
const actsOfStaff = `${within} and patient_ref is not null and actor_kind = 'user'`
const sumOf = (what: string, condition: string) => `coalesce(sum(${what}) filter (where ${condition}), 0)::int`
/** Of counts by action: an action is looked up once for its count, and not once for each entry. */
const acts = `${sumOf('n', `action = ${some('views')}`)} as views, ${sumOf('n', `action = ${some('messages')}`)} as messages,
  ${sumOf('n', `not (action = ${some('others')})`)} as changes`

/** The acts of the staff towards patients in `period`: by person, by pair, by patient. `closed`: quarters that count as out of hours. */
const accessOf = (sql: Sql, period: Period, closed: readonly number[]) =>
  inMemory(sql, part =>
    rowsOf<Access>(
      part,
      `with act as materialized (
         select actor_ref, patient_ref, action, count(*)::int as n, ${n(`outcome <> 'done'`)} as refused, max(idx) as last, max(at) as last_at,
           ${n(`at / ${quarter} = any(cast(:closed as bigint[]))`)} as late
         from audit_entry where ${actsOfStaff} group by 1, 2, 3),
       pair as materialized (
         select actor_ref, patient_ref, ${acts}, sum(refused)::int as refused, max(last) as last, max(last_at) as last_at,
           ${sumOf('late', `action <> 'command.run'`)} as late
         from act group by 1, 2)
       select json_build_object(
         'users', ${listed(
           `actor_ref as "user", count(*)::int as patients, sum(views)::int as views, sum(messages)::int as messages, sum(changes)::int as changes,
            sum(refused)::int as refused, sum(late)::int as "outOfHours"`,
           'pair group by actor_ref order by 2 desc, 1 limit 5000',
         )},
         'pairs', ${listed(
           'actor_ref as "user", patient_ref as patient, views, messages, changes, last, last_at as "lastAt"',
           'pair order by views + messages + changes desc, last desc limit 100',
         )},
         'patients', ${listed(
           'patient_ref as patient, count(*)::int as users, sum(views)::int as views, max(last) as last',
           'pair group by patient_ref order by 2 desc, 3 desc, 4 desc limit 50',
         )}) as data`,
      { ...period, ...kinds, closed },
    ),
  )

/** Looks at the log, at reports, exports, receipts and lists of patients, by person and kind. */
const watchingOf = (sql: Sql, period: Period) =>
  inMemory(sql, part =>
    rowsOf<Watching[]>(
      part,
      `select ${listed(
        'actor_ref as "user", what, count(*)::int as times, max(at) as "lastAt"',
        `(select actor_ref, action as what, at from audit_entry where ${within} and actor_kind = 'user' and patient_ref is null and action = ${some('watching')}
          union all
          select actor_ref, action, at from audit_entry where ${actsOfStaff} and action = ${some('watching')}
          union all
          select actor_ref, 'receipts: !' || object_ref, at from audit_entry
          where ${within} and actor_kind = 'user' and action = 'command.run' and outcome = 'done' and object_ref = ${some('receipts')}
          union all
          select actor_ref, 'patient lists', at from audit_entry
          where ${within} and actor_kind = 'user' and action = 'patient.view' and outcome = 'done' and patient_ref is null and object_ref <> all(cast(:receipts as text[]))) e
         group by 1, 2 order by 3 desc, 1, 2 limit 200`,
      )} as data`,
      { ...period, ...kinds },
    ),
  )

const accessDays = (sql: Sql, { period, starts }: Month) =>
  rowsOf<(Omit<AccessDay, 'day'> & { day: number })[]>(
    sql,
    `select ${listed(
      `day, ${acts}`,
      `(select ${dayOf} as day, action, count(*) as n from audit_entry where ${actsOfStaff} group by 1, 2) c group by day`,
    )} as data`,
    { ...period, ...kinds, starts },
  )

/** Marks and figures of people in any period: what the digest shows of access (row 23). */
export const accessUsers = async (sql: Sql, period: Period): Promise<AccessUser[]> =>
  withOutliers((await accessOf(sql, period, closedQuarters(period, await readSettings(sql)))).users)

/** Who looked at which patients in a month of the clinic's time zone, and who is unlike the others (row 23); who looked at the log, reports and receipts (row 121). */
export const accessReport = async (sql: Sql, month: string): Promise<AccessReport> => {
  const m = await readMonth(sql, month)
  const a = await accessOf(sql, m.period, closedQuarters(m.period, m.settings))
  return {
    month,
    period: m.period,
    users: withOutliers(a.users),
    pairs: a.pairs,
    patients: a.patients,
    watching: await watchingOf(sql, m.period),
    days: eachDay(m.days, await accessDays(sql, m), { views: 0, messages: 0, changes: 0 }),
  }
}

const linkActions = [
  ...['link.create', 'link.tap', 'link.verify', 'link.lock', 'link.renew', 'link.withdraw', 'link.not_me'],
  ...['text.queue', 'text.send', 'text.status', 'session.start', 'session.write', 'message.read', 'number.stop'],
]
/** What a step in vain looks like; none of them is frequent. */
const inVain = `(outcome <> 'done' or action = 'link.lock')`
const textFailed = `action in ('text.send', 'text.status') and outcome <> 'done'`

/** What became of a month's links, texts and visits. */
export const linksReport = async (sql: Sql, month: string): Promise<LinksReport> => {
  const m = await readMonth(sql, month)
  const bindings = { ...m.period, actions: linkActions, starts: m.starts }
  // In a leaf every quotation mark of a value is escaped: only the detail itself reads like this.
  const status = `case when action = 'text.status' and leaf like '%"status":"delivered"%' then 'delivered' end`
  const counts = await rowsOf<DayCount[]>(
    sql,
    `select ${listed(
      `${dayOf} as day, action, outcome, ${status} as status, count(*)::int as n`,
      `audit_entry where ${within} and action = ${some('actions')} group by 1, 2, 3, 4`,
    )} as data`,
    bindings,
  )
  const { reasons, trouble } = await inMemory(sql, part =>
    rowsOf<Pick<LinksReport, 'reasons' | 'trouble'>>(
      part,
      `with failed as materialized (
         select action, case when outcome <> 'done' then ${reasonOf} end as reason, patient_ref as patient, count(*)::int as n, max(idx) as last,
           ${n(`action = 'link.verify'`)} as refused, ${n(`action = 'link.lock'`)} as locked, ${n(textFailed)} as failed
         from audit_entry where ${within} and action = ${some('actions')} and ${inVain} group by 1, 2, 3)
       select json_build_object(
         'reasons', ${listed('action, reason, sum(n)::int as n', 'failed where reason is not null group by 1, 2 order by 3 desc, 1, 2 limit 40')},
         'trouble', ${listed(
           'patient, sum(refused)::int as refused, sum(locked)::int as locked, sum(failed)::int as "textsFailed", max(last) as last',
           `failed where patient is not null and refused + locked + failed > 0
            group by 1 order by sum(refused + locked + failed) desc, max(last) desc limit 30`,
         )}) as data`,
      bindings,
    ),
  )
  return { month, period: m.period, ...linksFrom(m.days, counts), reasons, trouble }
}

/** Which commands were given in a month, by whom, and what was refused and why. */
export const commandsReport = async (sql: Sql, month: string): Promise<CommandsReport> => {
  const m = await readMonth(sql, month)
  const found = await inMemory(sql, part =>
    rowsOf<
      Pick<CommandsReport, 'commands' | 'users' | 'reasons'> & {
        days: { day: number; times: number; refused: number }[]
      }
    >(
      part,
      `with counted as materialized (
         select actor_ref, object_ref, day, reason, count(*)::int as times, ${n(`outcome = 'refused'`)} as refused, ${n(`outcome = 'failed'`)} as failed
         from (select actor_ref, object_ref, ${dayOf} as day, outcome, case when outcome <> 'done' then ${reasonOf} end as reason
               from audit_entry where ${within} and action = 'command.run') e
         group by 1, 2, 3, 4)
       select json_build_object(
         'commands', ${listed(
           `object_ref as command, sum(times)::int as times, sum(refused)::int as refused, sum(failed)::int as failed, count(distinct actor_ref)::int as users`,
           'counted group by object_ref order by 2 desc, 1 limit 200',
         )},
         'users', ${listed(
           `actor_ref as "user", sum(times)::int as times, sum(refused)::int as refused, sum(failed)::int as failed, count(distinct object_ref)::int as commands`,
           'counted group by actor_ref order by 2 desc, 1 limit 5000',
         )},
         'reasons', ${listed(
           'object_ref as command, reason, sum(times)::int as n',
           'counted where reason is not null group by 1, 2 order by 3 desc, 1, 2 limit 60',
         )},
         'days', ${listed('day, sum(times)::int as times, sum(refused)::int as refused', 'counted group by day')}) as data`,
      { ...m.period, starts: m.starts },
    ),
  )
  const { commands, users, reasons } = found
  return {
    month,
    period: m.period,
    commands,
    users,
    reasons,
    days: eachDay(m.days, found.days, { times: 0, refused: 0 }),
  }
}

/** When each of these users last did something, as far as the log has come; who never did is missing. */
export const lastActs = async (sql: Sql, users: readonly string[]): Promise<Map<string, Instant>> => {
  const { rows } = await sql.raw(
    `select u as user_id, e.at from unnest(?::text[]) u
     cross join lateral (select at from audit_entry where actor_ref = u and actor_kind = 'user' order by idx desc limit 1) e`,
    [users] as never,
  )
  return new Map((rows as { user_id: string; at: Instant }[]).map(r => [r.user_id, r.at]))
}
