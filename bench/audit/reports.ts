import { visibleActions } from '../../core/domain/audit/visible.ts'
import { type EntryFilter, findEntries } from '../../core/store/audit/log/entries.ts'
import { accessReport, commandsReport, linksReport } from '../../core/store/audit/reports.ts'
import type { Db } from '../../core/store/db.ts'
import { database } from '../../test/support/database.ts'
import { ownPostgres } from '../../test/support/own-postgres.ts'
import type { Bench } from '../bench.ts'
import { figure, median } from '../figure.ts'
import { scaled } from '../scale.ts'

const entries = scaled(1_000_000, 2000)
const rounds = 5
const month = '2026-10'
const from = Date.UTC(2026, 9, 1)
const length = 31 * 86_400_000

/**
 * A month of a large clinic, in one statement: 200 people of the staff, each with sixty of 2,000 patients; seven of ten entries are theirs, two of ten are of
 * links, texts and visits, one of commands and looks at the log. Their leaves are as long as real ones.
 */
const fill = (db: Db) =>
  db.raw(
    `insert into audit_entry (idx, queue_id, at, action, outcome, actor_kind, actor_ref, object_kind, object_ref, patient_ref, room_ref, leaf)
     select n, n, at, action, outcome, kind, actor, case when action = 'command.run' then 'command' else 'event' end, object, patient, room,
       '{"v":1,"id":' || n || ',"at":"' || to_char(to_timestamp(at / 1000) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.000"Z"') || '","actor":{"kind":"' || kind
         || '","id":"' || actor || '","device":"ABCDEFGHIJ"},"action":"' || action || '","object":{"kind":"event","ref":"' || object || '"},"outcome":"' || outcome
         || '"' || coalesce(',"patient":"' || patient || '"', '') || coalesce(',"room":"' || room || '"', '') || ',"origin":"' || left(encode(sha256(n::text::bytea), 'base64'), 43)
         || '"' || case when outcome = 'done' then '' else ',"reason":"wrong-birth-date"' end || ',"detail":{"status":"delivered","version":3}}'
     from (
       select n, ?::bigint + n::bigint * ? / ? as at, action, kind,
         case when n % 97 = 0 then 'refused' when n % 211 = 0 then 'failed' else 'done' end as outcome,
         case kind when 'user' then '@nurse' || u || ':clinic.example' when 'service' then 'bridge' else left(encode(sha256(('p' || p)::bytea), 'base64'), 43) end as actor,
         case when action = 'command.run' then (array['patient status','patient add','link new','audit patient','desk who','retention show'])[1 + n % 6]
           else left(encode(sha256(('e' || n)::bytea), 'base64'), 43) end as object,
         case when action in ('audit.view', 'admin.view', 'config.change') or (action = 'command.run' and n % 2 = 0) then null
           else left(encode(sha256(('p' || p)::bytea), 'base64'), 43) end as patient,
         case when action like 'message.%' then left(encode(sha256(('r' || p)::bytea), 'base64'), 43) end as room
       from (
         select n, u, (u * 10 + (n / 7) % 60) % 2000 as p, split_part(what, ' ', 1) as kind, split_part(what, ' ', 2) as action
         from (
           select n, (n::bigint * 7919) % 200 as u, (array[
             'user message.sent', 'user message.sent', 'user message.receipt', 'user patient.view', 'user message.sent', 'user message.receipt', 'user patient.view',
             'user message.edit', 'user message.sent', 'user consent.view', 'user message.receipt', 'user message.sent', 'user patient.view', 'user message.notice',
             'person link.verify', 'service link.create', 'service text.send', 'service text.status',
             'user command.run', 'user audit.view'])[1 + (n / 3) % 20] as what
           from generate_series(0, ? - 1) n
         ) a
       ) b
     ) c`,
    [from, length, entries, entries],
  )

const reports = { access: accessReport, links: linksReport, commands: commandsReport }

/** Questions of the administrators' page: newest first, a page of fifty and one more. */
const questions = async (db: Db): Promise<Record<string, EntryFilter>> => {
  const middle = Math.floor(entries / 2)
  const some = await db('audit_entry').whereNotNull('room_ref').where('idx', '>=', middle).orderBy('idx').first()
  const day = 86_400_000
  const limit = 51
  const admin = visibleActions(['admin'])
  const actor = '@nurse7:clinic.example'
  return {
    'first page': { limit },
    'a page in the middle': { before: middle, limit },
    'a person': { actor, limit },
    'a person, in the middle': { actor, before: middle, limit },
    'a patient': { patient: some.patient_ref, limit },
    'a room': { room: some.room_ref, limit },
    'a command': { object: 'patient status', limit },
    'an action': { actions: ['link.verify'], limit },
    'an action that never was': { actions: ['role.grant'], limit },
    failed: { outcome: 'failed', limit },
    'an action that failed': { actions: ['patient.view'], outcome: 'failed', limit },
    'what never failed': { actor: 'bridge', actions: ['link.create'], outcome: 'failed', before: 5000, limit },
    'a day': { since: from + 3 * day, until: from + 4 * day, limit },
    'until the second day': { until: from + 2 * day, limit },
    'a day of a person': { actor, since: from + 3 * day, until: from + 4 * day, limit },
    'what an administrator sees': { actions: admin, limit },
    'a day of what an administrator sees': { actions: admin, since: from + 3 * day, until: from + 4 * day, limit },
  }
}

/** What a compliance officer waits for: the slowest report over a million entries of one month, beside counting the same rows; the slowest page of the timeline. */
export const auditReports: Bench = {
  area: 'audit',
  figures: ['report_ms', 'timeline_ms'],
  run: async say => {
    say(`audit reports: ${entries} entries in one month`)
    const postgres = await ownPostgres({})
    const d = await database({ url: postgres.url })
    const { db } = d.store
    try {
      await fill(db)
      await db.raw('vacuum analyze audit_entry')
      const took: Record<string, number[]> = { access: [], links: [], commands: [] }
      const bare: number[] = []
      for (let r = 0; r <= rounds; r++) {
        const begin = performance.now()
        await db.raw('select action, count(*) from audit_entry where at >= ? and at < ? group by action', [
          from,
          from + length,
        ])
        if (r > 0) bare.push(performance.now() - begin)
        for (const [name, report] of Object.entries(reports)) {
          const a = performance.now()
          await report(db, month)
          if (r > 0) took[name]?.push(performance.now() - a)
        }
      }
      const pages: [string, number][] = []
      for (const [name, filter] of Object.entries(await questions(db))) {
        const ms: number[] = []
        for (let r = 0; r <= rounds; r++) {
          const a = performance.now()
          await findEntries(db, filter)
          if (r > 0) ms.push(performance.now() - a)
        }
        pages.push([name, median(ms)])
      }
      const [slowest, pageMs] = pages.sort(([, a], [, b]) => b - a)[0] ?? ['', 0]
      const medians = Object.entries(took).map(([name, all]) => [name, Math.round(median(all))] as const)
      return [
        figure({
          name: 'audit.report_ms',
          value: Math.max(...medians.map(([, ms]) => ms)),
          unit: 'ms',
          baseline: median(bare),
          goal: { atMost: 1000 },
          note: `${entries} entries of one month; ${medians.map(([name, ms]) => `${name} ${ms} ms`).join(', ')}; baseline: counting the same rows by action`,
        }),
        figure({
          name: 'audit.timeline_ms',
          value: pageMs,
          unit: 'ms',
          goal: { atMost: 200 },
          note: `the slowest of ${pages.length} questions over ${entries} entries: ${slowest}`,
        }),
      ]
    } finally {
      await d.drop()
      await postgres.end()
    }
  },
}
