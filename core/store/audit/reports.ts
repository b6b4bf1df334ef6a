import type { Knex } from 'knex'
import { daysOfMonth, monthPeriod, type Period, startOfDay } from '../../domain/audit/period.ts'
import {
  type AccessPair,
  type AccessPatient,
  type AccessReport,
  type AccessUser,
  type CommandsReport,
  type CommandUse,
  type CommandUser,
  type DayCount,
  eachDay,
  type LinksReport,
  linksFrom,
  type Watching,
  withOutliers,
} from '../../domain/audit/reports.ts'
import { isOpen } from '../../domain/settings/open-hours.ts'
import type { Settings } from '../../domain/settings/settings.ts'
import type { Db } from '../db.ts'
import { readSettings } from '../staff/settings.ts'

type Sql = Db | Knex.Transaction

/** What shows somebody a patient's record, what is said in a care room, and what doubles another entry of the same act. Everything else changes something. */
const views = ['patient.view', 'consent.view', 'message.receipt', 'audit.view', 'audit.reveal', 'admin.view']
const messages = ['message.sent', 'message.edit', 'message.redact']
const doubles = ['command.run']
const kinds = { views, messages, doubles, others: [...views, ...messages, ...doubles] }

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

const json = async <T>(sql: Sql, query: string, bindings: Record<string, unknown>): Promise<T> => {
  const { rows } = await sql.raw(query, bindings as Record<string, Knex.RawBinding>)
  return rows[0].data as T
}
const listed = (columns: string, from: string) =>
  `(select coalesce(json_agg(x), '[]') from (select ${columns} from ${from}) x)`

/** Entries about patients by people of the staff, in `period`: by person, by pair, by patient. `closed`: quarters that count as out of hours. */
const accessOf = async (sql: Sql, period: Period, closed: readonly number[]) =>
  json<{ users: Omit<AccessUser, 'why'>[]; pairs: AccessPair[]; patients: AccessPatient[] }>(
    sql,
    `with pair as materialized (
       select actor_ref, patient_ref, count(*) filter (where action = any(cast(:views as text[])))::int as views,
         count(*) filter (where action = any(cast(:messages as text[])))::int as messages,
         count(*) filter (where action <> all(cast(:others as text[])))::int as changes,
         count(*) filter (where outcome <> 'done')::int as refused,
         count(*) filter (where action <> all(cast(:doubles as text[])) and at / ${quarter} = any(cast(:closed as bigint[])))::int as late,
         max(idx) as last, max(at) as last_at
       from audit_entry where ${within} and patient_ref is not null and actor_kind = 'user' group by 1, 2)
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
  )

/** Marks and figures of people in any period: what the digest shows of access (row 23). */
export const accessUsers = async (sql: Sql, period: Period): Promise<AccessUser[]> =>
  withOutliers((await accessOf(sql, period, closedQuarters(period, await readSettings(sql)))).users)

/** Looks at the log, at reports, exports and receipts, by person and kind. */
const watchingOf = async (sql: Sql, period: Period): Promise<Watching[]> => {
  const { rows } = await sql.raw(
    `select actor_ref as "user", case when action = 'command.run' then 'receipts: !' || object_ref else action end as what, count(*)::int as times, max(at) as "lastAt"
     from audit_entry where ${within} and actor_kind = 'user'
       and (action = any(cast(:watching as text[])) or action = 'command.run' and outcome = 'done' and object_ref = any(cast(:receipts as text[])))
     group by 1, 2 order by 3 desc, 1, 2 limit 200`,
    {
      ...period,
      watching: ['audit.view', 'audit.reveal', 'audit.report', 'audit.export', 'audit.verify', 'admin.view'],
      receipts: ['patient status', 'patient unanswered'],
    },
  )
  return rows
}

/** Who looked at which patients in a month of the clinic's time zone, and who is unlike the others (row 23); who looked at the log, reports and receipts (row 121). */
export const accessReport = async (sql: Sql, month: string): Promise<AccessReport> => {
  const m = await readMonth(sql, month)
  const { users, pairs, patients } = await accessOf(sql, m.period, closedQuarters(m.period, m.settings))
  const { rows } = await sql.raw(
    `select ${dayOf} as day, count(*) filter (where action = any(cast(:views as text[])))::int as views, count(*) filter (where action = any(cast(:messages as text[])))::int as messages,
       count(*) filter (where action <> all(cast(:others as text[])))::int as changes
     from audit_entry where ${within} and patient_ref is not null and actor_kind = 'user' group by 1`,
    { ...m.period, ...kinds, starts: m.starts },
  )
  return {
    month,
    period: m.period,
    users: withOutliers(users),
    pairs,
    patients,
    watching: await watchingOf(sql, m.period),
    days: eachDay(m.days, rows, { views: 0, messages: 0, changes: 0 }),
  }
}

const linkActions = [
  ...['link.create', 'link.tap', 'link.verify', 'link.lock', 'link.renew', 'link.withdraw', 'link.not_me'],
  ...['text.queue', 'text.send', 'text.status', 'session.start', 'session.write', 'message.read', 'number.stop'],
]

/** What became of a month's links, texts and visits. */
export const linksReport = async (sql: Sql, month: string): Promise<LinksReport> => {
  const m = await readMonth(sql, month)
  const bindings = { ...m.period, actions: linkActions, starts: m.starts }
  const counts: { rows: DayCount[] } = await sql.raw(
    `select ${dayOf} as day, action, outcome, case when action = 'text.status' then leaf::jsonb #>> '{detail,status}' end as status, count(*)::int as n
     from audit_entry where ${within} and action = any(cast(:actions as text[])) group by 1, 2, 3, 4`,
    bindings,
  )
  const reasons = await sql.raw(
    `select action, ${reasonOf} as reason, count(*)::int as n
     from audit_entry where ${within} and action = any(cast(:actions as text[])) and outcome <> 'done' group by 1, 2 order by 3 desc, 1, 2 limit 40`,
    bindings,
  )
  const trouble = await sql.raw(
    `select patient_ref as patient, count(*) filter (where action = 'link.verify')::int as refused, count(*) filter (where action = 'link.lock')::int as locked,
       count(*) filter (where action in ('text.send', 'text.status'))::int as "textsFailed", max(idx) as last
     from audit_entry where ${within} and patient_ref is not null
       and (action = 'link.lock' or action in ('link.verify', 'text.send', 'text.status') and outcome <> 'done')
     group by 1 order by count(*) desc, max(idx) desc limit 30`,
    bindings,
  )
  return { month, period: m.period, ...linksFrom(m.days, counts.rows), reasons: reasons.rows, trouble: trouble.rows }
}

/** Which commands were given in a month, by whom, and what was refused and why. */
export const commandsReport = async (sql: Sql, month: string): Promise<CommandsReport> => {
  const m = await readMonth(sql, month)
  const bindings = { ...m.period, starts: m.starts }
  const data = await json<{
    commands: CommandUse[]
    users: CommandUser[]
    days: { day: number; times: number; refused: number }[]
  }>(
    sql,
    `with used as materialized (
       select actor_ref, object_ref, ${dayOf} as day, count(*)::int as times, count(*) filter (where outcome = 'refused')::int as refused,
         count(*) filter (where outcome = 'failed')::int as failed
       from audit_entry where ${within} and action = 'command.run' group by 1, 2, 3)
     select json_build_object(
       'commands', ${listed(
         `object_ref as command, sum(times)::int as times, sum(refused)::int as refused, sum(failed)::int as failed, count(distinct actor_ref)::int as users`,
         'used group by object_ref order by 2 desc, 1 limit 200',
       )},
       'users', ${listed(
         `actor_ref as "user", sum(times)::int as times, sum(refused)::int as refused, sum(failed)::int as failed, count(distinct object_ref)::int as commands`,
         'used group by actor_ref order by 2 desc, 1 limit 5000',
       )},
       'days', ${listed('day, sum(times)::int as times, sum(refused)::int as refused', 'used group by day')}) as data`,
    bindings,
  )
  const { rows } = await sql.raw(
    `select object_ref as command, ${reasonOf} as reason, count(*)::int as n
     from audit_entry where ${within} and action = 'command.run' and outcome <> 'done' group by 1, 2 order by 3 desc, 1, 2 limit 60`,
    bindings,
  )
  return {
    month,
    period: m.period,
    commands: data.commands,
    users: data.users,
    reasons: rows,
    days: eachDay(m.days, data.days, { times: 0, refused: 0 }),
  }
}
