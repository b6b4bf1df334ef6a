import type { AuditEvent } from '../../core/domain/audit/event.ts'
import { isQueued } from '../../core/store/audit/log/queue.ts'
import { type StoreDeps, transact } from '../../core/store/tx.ts'
import { encodeSigningKey, generateSigningKey } from '../../core/tlog/key.ts'
import { database } from '../../test/support/database.ts'
import { eventually } from '../../test/support/eventually.ts'
import { ownPostgres } from '../../test/support/own-postgres.ts'
import { auditProcess } from '../../test/support/processes/audit-process.ts'
import type { Bench } from '../bench.ts'
import { figure, median, quantile } from '../figure.ts'
import { scaled } from '../scale.ts'

const rounds = 5
const perRound = scaled(4000, 200)
const writers = 16

// As a ward has them: patients whom several people open, messages of their own.
const event = (n: number): Omit<AuditEvent, 'at'> => ({
  actor: { kind: 'user', id: `@nurse${n % 40}:wardroom.test`, device: 'ABCDEFGHIJ' },
  action: 'message.notice',
  object: { kind: 'event', id: `$${n.toString().padStart(43, 'x')}` },
  outcome: 'done',
  patient: `pt_patient${n % 200}`,
  room: `!room${n % 200}:wardroom.test`,
  origin: { ip: `10.1.2.${n % 200}`, agent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X)' },
  detail: { template: 'notice', version: 3, segments: 1 },
})

/** The same bytes into a bare table, in a transaction of its own: what the action would be without an audit log. */
const plainInsert = ({ db, clock }: StoreDeps, n: number) => {
  const e = event(n)
  const json = JSON.stringify
  return db.transaction(async sql => {
    await sql.raw(
      'insert into bench_plain (at, action, outcome, actor, object, patient, room, origin, detail) values (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      [
        ...[clock.now(), e.action, e.outcome, json(e.actor), json(e.object), e.patient ?? '', e.room ?? ''],
        ...[json(e.origin), json(e.detail)],
      ],
    )
  })
}

/** Actions a second, `writers` at a time, and when each was committed. */
const measure = async (from: number, one: (n: number) => Promise<unknown>) => {
  let next = from
  const committed: number[] = []
  const begin = performance.now()
  const writer = async () => {
    for (let n = next++; n < from + perRound; n = next++) {
      await one(n)
      committed.push(Date.now())
    }
  }
  await Promise.all(Array.from({ length: writers }, writer))
  return { perSecond: perRound / ((performance.now() - begin) / 1000), committed }
}

/** How long each action stood unsigned: until the checkpoint over as many entries as were committed with it. */
const waits = (committed: readonly number[], before: number, signed: readonly { to: number; at: number }[]): number[] =>
  [...committed]
    .sort((a, b) => a - b)
    .map((at, i) => {
      const by = signed.find(s => s.to > before + i)
      if (!by) throw new Error(`action ${i} was never signed`)
      return Math.max(0, by.at - at)
    })

/** Durable audited actions a second with the sequencer beside the writers, against transactions that insert the same bytes into a bare table; how long until each is signed. */
export const auditLog: Bench = {
  area: 'audit',
  figures: ['actions_per_s', 'signed_p99'],
  run: async say => {
    say(
      `audit log: ${rounds} rounds of ${perRound} actions by ${writers} writers, the sequencer in a process of its own`,
    )
    const postgres = await ownPostgres({})
    const d = await database({ url: postgres.url, max: writers })
    const logKey = encodeSigningKey(generateSigningKey('bench.test/audit', 'note', d.store.random))
    const sequencer = auditProcess({ role: 'sequencer', url: d.url, keys: d.keys, origin: 'bench.test/audit', logKey })
    try {
      await d.store.db.raw(
        `create table bench_plain (id bigint generated always as identity primary key, at bigint, action text, outcome text, actor jsonb, object jsonb,
         patient text, room text, origin jsonb, detail jsonb)`,
      )
      await eventually(() => sequencer.lines().includes('leads'), { timeout: 60_000, what: 'the sequencer' })
      const signed = () =>
        sequencer.lines().flatMap(line => {
          const [word, to, at] = line.split(' ')
          return word === 'signed' ? [{ to: Number(to), at: Number(at) }] : []
        })
      const plain: number[] = []
      const audited: number[] = []
      const unsigned: number[] = []
      // Taking turns, so that whatever else the machine does weighs on both; the first round warms up and does not count.
      for (let r = 0; r <= rounds; r++) {
        const from = r * perRound
        const bare = await measure(from, n => plainInsert(d.store, n))
        const whole = await measure(from, n => transact(d.store, tx => tx.audit(event(n))))
        await eventually(async () => !(await isQueued(d.store.db)), { timeout: 60_000 })
        await eventually(() => signed().at(-1)?.to === from + perRound)
        if (r === 0) continue
        plain.push(bare.perSecond)
        audited.push(whole.perSecond)
        unsigned.push(...waits(whole.committed, from, signed()))
      }
      const note = `${writers} writers, one durable transaction each time; baseline: the same bytes into a bare table in the same kind of transaction`
      return [
        figure({
          name: 'audit.actions_per_s',
          ...{ value: median(audited), unit: 'actions/s', baseline: median(plain), goal: { ratioAtLeast: 0.6 }, note },
        }),
        figure({
          name: 'audit.signed_p99',
          ...{ value: quantile(unsigned, 0.99), unit: 'ms', goal: { atMost: 1000 } },
          note: 'from the commit of an action, under that load, to the commit of a signed checkpoint over it',
        }),
      ]
    } finally {
      await sequencer.kill()
      await d.drop()
      await postgres.end()
    }
  },
}
