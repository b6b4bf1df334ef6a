import { days } from '../../core/domain/clock.ts'
import { defaultPolicy } from '../../core/domain/oncall/paging/default-policy.ts'
import { whoIsOn } from '../../core/domain/oncall/schedule/who-is-on.ts'
import { worldZones } from '../../core/oncall/zones.ts'
import { addAbsence } from '../../core/store/oncall/changes.ts'
import { onCallRole } from '../../core/store/oncall/read.ts'
import { grantRole } from '../../core/store/staff/roles.ts'
import { transact } from '../../core/store/tx.ts'
import { database } from '../../test/support/database.ts'
import { clinicSchedule } from '../../test/support/oncall/clinic.ts'
import { ownPostgres } from '../../test/support/own-postgres.ts'
import { seededRandom } from '../../test/support/random.ts'
import type { Bench } from '../bench.ts'
import { figure, quantile } from '../figure.ts'
import { scaled } from '../scale.ts'

const schedules = scaled(1000, 50)
const questions = scaled(20_000, 500)
/** A change of some schedule after so many questions: what changed is read anew then. */
const changeEvery = 1000

const crew = (n: number) => Array.from({ length: 5 }, (_, i) => `@clinician${n * 5 + i}:h`)

/** Who is on duty for a role by its key, asked of PostgreSQL, while schedules are changed now and then; beside an empty query. */
export const oncallStore: Bench = {
  area: 'oncall',
  figures: ['stored_who_ms'],
  run: async say => {
    say(`on-call: ${schedules} schedules in PostgreSQL, ${questions} questions`)
    const postgres = await ownPostgres({})
    const d = await database({ url: postgres.url })
    try {
      const { store } = d
      const random = seededRandom('on-call store bench')
      const now = store.clock.now()
      const person = crew(0)[0] as never
      await transact(store, async tx => {
        await grantRole(tx, { userId: person, role: 'clinician', by: 'configuration', identity: null })
        for (let n = 0; n < schedules; n++) {
          const s = clinicSchedule(n, crew(n % 100), now - days(100), random)
          const made = { created_at: now, created_by: 'bench', changed_at: now, changed_by: 'bench' }
          const [layers, policy] = [s.layers, defaultPolicy(s.id, s.fallback)].map(x => JSON.stringify(x))
          const role = { key: s.id, name: s.id, unit: 'main', user_id: `@role_${s.id}:h`, version: 1 }
          const { zone, fallback } = s
          await tx.sql('oncall_role').insert({ ...role, zone, fallback, layers, policy, ...made })
          const rows = s.overrides.map(o => ({
            id: `${s.id}-${o.id}`,
            role: s.id,
            kind: o.kind,
            person: o.person,
            from_at: o.from,
            to_at: o.to,
          }))
          await tx.sql('oncall_override').insert(rows.map(r => ({ ...r, made_at: now, made_by: 'bench' })))
        }
      })
      const [asked, empty, anew]: number[][] = [[], [], []]
      for (let i = 0; i < questions; i++) {
        const changed = i % changeEvery === 0
        if (changed) {
          const span = { from: now + days(1), to: now + days(2) }
          await transact(store, tx => addAbsence(tx, { person, ...span }, { by: 'bench', zone: 'UTC' }))
        }
        const begun = performance.now()
        const entry = await onCallRole({ sql: store.db, now, deps: store }, `role-${random.int(schedules)}`)
        if (!entry) throw new Error('a role is missing')
        whoIsOn(entry.schedule, now, worldZones)
        const ms = performance.now() - begun
        asked?.push(ms)
        if (changed && i > 0) anew?.push(ms)
        const bare = performance.now()
        await store.db.raw('select 1')
        empty?.push(performance.now() - bare)
      }
      return [
        figure({
          name: 'oncall.stored_who_ms',
          value: quantile(asked ?? [], 0.99),
          unit: 'ms',
          baseline: quantile(empty ?? [], 0.99),
          goal: { atMost: 1 },
          note: `p99 of ${questions} questions to ${schedules} schedules in PostgreSQL, one after another; the first after a change took ${Math.max(0, ...(anew ?? [])).toFixed(0)} ms at the most; baseline: an empty query`,
        }),
      ]
    } finally {
      await d.drop()
      await postgres.end()
    }
  },
}
