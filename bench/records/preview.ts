import { days } from '../../core/domain/clock.ts'
import type { Policy } from '../../core/domain/records/policy.ts'
import { previewFates } from '../../core/store/records/fates.ts'
import { database } from '../../test/support/database.ts'
import { ownPostgres } from '../../test/support/own-postgres.ts'
import type { Bench } from '../bench.ts'
import { figure, median } from '../figure.ts'
import { scaled } from '../scale.ts'

const events = scaled(1_000_000)
const rounds = 5
const now = Date.UTC(2026, 10, 1)

const policies: Policy[] = [
  { id: 'a', scope: { kind: 'organisation' }, from: 'sent', keepMs: days(365), minimum: false },
  { id: 'b', scope: { kind: 'class', class: 'care' }, from: 'discharge', keepMs: days(365 * 2), minimum: false },
  { id: 'c', scope: { kind: 'class', class: 'staff' }, from: 'activity', keepMs: days(90), minimum: false },
  { id: 'd', scope: { kind: 'room', room: '!7:h' }, from: 'read', keepMs: days(7), minimum: false },
  { id: 'e', scope: { kind: 'user', user: '@3:h' }, from: 'sent', keepMs: days(400), minimum: false },
  { id: 'f', scope: { kind: 'label', label: 'billing' }, from: 'sent', keepMs: days(2555), minimum: true },
]

/** What an administrator waits for before a change of retention: the preview over everything, beside counting the same rows. */
export const recordsPreview: Bench = {
  area: 'records',
  figures: ['preview_ms'],
  run: async say => {
    say(`records: ${events} events of ten people in each of 2,000 rooms`)
    const postgres = await ownPostgres({})
    const d = await database({ url: postgres.url })
    const { db } = d.store
    try {
      await db.raw(
        `insert into record (event_id, room_id, class, sender, sent_at, labels, read_at)
         select '$' || n, '!' || n % 2000 || ':h', (array['care','staff','direct'])[n % 2000 % 3 + 1], '@' || (n % 2000 + n / 2000 % 10) % 200 || ':h',
           ?::bigint - (random() * 600)::bigint * 86400000, case when n % 40 = 0 then '{billing}' else '{}' end::text[],
           case when n % 3 = 0 then ?::bigint - 86400000::bigint * 10 end
         from generate_series(1, ?) n`,
        [now, now, events],
      )
      await db.raw(
        `insert into record_room (room_id, active_at, discharged_at)
         select '!' || n || ':h', ?::bigint - 86400000::bigint * (n % 200), case when n % 2 = 0 then ?::bigint - 86400000::bigint * 800 end from generate_series(0, 1999) n`,
        [now, now],
      )
      await db.raw(
        `insert into legal_hold (id, room_id, matter, placed_at, placed_by) select 'lh_' || n, '!' || n || ':h', '', 0, '@x:h' from generate_series(1, 5) n`,
      )
      await db.raw('vacuum analyze record, record_group, record_room')
      const took: number[] = []
      const bare: number[] = []
      let messages = 0
      for (let r = 0; r <= rounds; r++) {
        const a = performance.now()
        await db.raw('select room_id, count(*) from record where sent_at < ? group by room_id', [now - days(365)])
        const b = performance.now()
        messages = (await previewFates(db, now, policies)).messages
        const c = performance.now()
        if (r === 0) continue
        bare.push(b - a)
        took.push(c - b)
      }
      return [
        figure({
          name: 'records.preview_ms',
          value: median(took),
          unit: 'ms',
          baseline: median(bare),
          goal: { atMost: 2000 },
          note: `${events} events, ${policies.length} policies, 5 holds; ${messages} would go; baseline: counting by one date alone`,
        }),
      ]
    } finally {
      await d.drop()
      await postgres.end()
    }
  },
}
