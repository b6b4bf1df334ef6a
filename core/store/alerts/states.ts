import type { Finding } from '../../domain/audit/alerts/rule.ts'
import { number } from '../../domain/audit/alerts/rule.ts'
import { type Instant, minutes } from '../../domain/clock.ts'
import { sinkHealth } from '../sinks/sinks.ts'
import type { Tx } from '../tx.ts'
import { ruleValues } from './alert-rules.ts'
import { clearAlert, openKeys, raise } from './alerts.ts'

/** What is wrong now, by the key of its alert. */
export type States = ReadonlyMap<string, Readonly<Record<string, string>>>

/** Raises what is wrong now and clears what was and is not any more; a rule that is turned off clears everything. */
export const settleStates = async (tx: Tx, rule: string, wrong: States, enabled: boolean): Promise<void> => {
  const now: States = enabled ? wrong : new Map()
  for (const key of await openKeys(tx.sql, rule)) if (!now.has(key)) await clearAlert(tx, { rule, key })
  for (const [key, about] of now) {
    const finding: Finding = { rule, key, about, count: 1, first: null, last: null, at: tx.now }
    await raise(tx, finding)
  }
}

const shown = (ms: number) => String(Math.max(1, Math.round(ms / minutes(1))))

/** Raises `stale-checkpoint` while events wait to get into the log. Any process may ask: the one that keeps the log may be the one that is gone. */
export const settleStale = async (tx: Tx): Promise<void> => {
  const values = (await ruleValues(tx.sql)).get('stale-checkpoint') ?? {}
  const oldest: { at: Instant } | undefined = await tx.sql('audit_queue').orderBy('id').first('at')
  const age = oldest ? tx.now - oldest.at : 0
  const late = age > minutes(number(values, 'minutes'))
  await settleStates(
    tx,
    'stale-checkpoint',
    new Map(late ? [['queue', { minutes: shown(age) }]] : []),
    values.enabled === true,
  )
}

/** Raises `print-stale` while the stored page of who is on call is older than it may be; `madeAt`: when it was renewed last, or since when it is waited for. */
export const settlePrint = async (tx: Tx, madeAt: Instant): Promise<void> => {
  const values = (await ruleValues(tx.sql)).get('print-stale') ?? {}
  const age = tx.now - madeAt
  const late = age > minutes(number(values, 'minutes'))
  await settleStates(
    tx,
    'print-stale',
    new Map(late ? [['stored-copy', { minutes: shown(age) }]] : []),
    values.enabled === true,
  )
}

/** Work that could have been done since before `late`: the first of each lane and room, because the others wait for it. */
const oldestWork = async (tx: Tx, late: Instant): Promise<{ name: string; due: Instant }[]> => {
  const { rows } = await tx.sql.raw(
    `select 'outbox ' || queue as name, min(due_at) as due from outbox j
     where state = 'pending' and due_at < ? and (lane is null or not exists (
       select 1 from outbox k where k.queue = j.queue and k.lane = j.lane and k.state = 'pending' and (k.order_at, k.seq) < (j.order_at, j.seq)))
     group by queue
     union all
     select 'inbox ' || source, min(greatest(due_at, received_at)) from inbox i
     where state = 'pending' and due_at < ? and received_at < ? and not exists (
       select 1 from inbox k where k.source = i.source and k.room_id = i.room_id and k.state = 'pending' and k.id < i.id)
     group by source`,
    [late, late, late],
  )
  return rows
}

const queueNames: Record<string, string> = {
  'inbox bots': 'the bot (service bots)',
  'outbox bots': 'the bot (service bots)',
  'inbox ghosts': 'the bridge',
  'outbox bridge': 'the bridge',
  'outbox sms': 'text messages (service bridge)',
  'outbox audit': 'the jobs of the audit service',
}

/** Raises `service-down` for services whose work waits, and `sink-behind` for sinks that lack entries. */
export const settleServices = async (tx: Tx): Promise<void> => {
  const values = await ruleValues(tx.sql)
  const down = values.get('service-down') ?? {}
  const behind = values.get('sink-behind') ?? {}
  const services = new Map<string, Record<string, string>>()
  for (const { name, due } of await oldestWork(tx, tx.now - minutes(number(down, 'minutes'))))
    services.set(name, { service: queueNames[name] ?? name, minutes: shown(tx.now - due) })
  await settleStates(tx, 'service-down', services, down.enabled === true)
  const sinks = new Map<string, Record<string, string>>()
  for (const s of await sinkHealth(tx.sql, tx.now)) {
    const late = s.state !== 'paused' && s.lagEntries > 0 && s.lagMs > minutes(number(behind, 'minutes'))
    if (late) sinks.set(s.name, { sink: s.name, state: s.state, minutes: shown(s.lagMs) })
    if (s.dead > 0)
      sinks.set(`${s.name} dead`, { sink: s.name, state: `refused ${s.dead} entries`, minutes: shown(s.lagMs) })
  }
  await settleStates(tx, 'sink-behind', sinks, behind.enabled === true)
}
