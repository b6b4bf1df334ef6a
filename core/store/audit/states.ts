import type { Finding } from '../../domain/audit/rule.ts'
import { number } from '../../domain/audit/rule.ts'
import { type Instant, minutes } from '../../domain/clock.ts'
import { systemHealth } from '../queues/health.ts'
import type { Tx } from '../tx.ts'
import { ruleValues } from './alert-rules.ts'
import { clearAlert, openKeys, raise } from './alerts.ts'
import { sinkHealth } from './sinks.ts'

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
  for (const q of (await systemHealth(tx.sql, tx.now)).queues) {
    const waited = q.oldestDue === null ? 0 : tx.now - q.oldestDue
    if (waited <= minutes(number(down, 'minutes'))) continue
    services.set(q.name, { service: queueNames[q.name] ?? q.name, minutes: shown(waited) })
  }
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
