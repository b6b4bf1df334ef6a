import type { Priority } from '../../domain/oncall/paging/priority.ts'
import { triageRulesOf } from '../../domain/oncall/triage/own-rules.ts'
import { triage } from '../../domain/oncall/triage/triage.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import { type AlarmSource, claimAlarm, keepAlarm } from '../../store/oncall/alarms.ts'
import { readSettings } from '../../store/staff/settings.ts'
import type { Tx } from '../../store/tx.ts'
import type { Duty } from './duty.ts'
import { requestPage } from './request-page.ts'

/** What a source tells. `what`: the kind of alarm; `key`: the source's own for what it is about, so that repeats are one page; values are looked at by the triage rules. */
export type Alarm = {
  what: string
  text?: string
  where?: string
  key?: string
  priority?: Priority
  values?: readonly { name: string; value: number; unit: string }[]
}

export const alarmNotice = 'Secondary alarm, not for primary monitoring.'

/** `repeated`: the same Idempotency-Key came before, and this is what was said then. */
export type AlarmAnswer = { repeated: boolean; answer: Readonly<Record<string, unknown>> }

/**
 * An alarm becomes a page to the source's role, or one more of an earlier page, once for each key. The triage rules may raise its priority, never lower it, and
 * the card says why. Refuses with `other-body` (the key came with another alarm) and `unknown-role`.
 */
export const receiveAlarm = async (
  tx: Tx,
  duty: Duty,
  source: AlarmSource,
  key: string,
  alarm: Alarm,
): Promise<AlarmAnswer | Refusal> => {
  const body = tx.deps.seal.lookup('alarm.body', JSON.stringify(alarm))
  const known = await claimAlarm(tx, source.id, key)
  if (known)
    return known.body === body
      ? { repeated: true, answer: known.answer }
      : refuse('other-body', 'This Idempotency-Key came with another alarm before.')
  const values = alarm.values ?? []
  const text = [alarm.what, alarm.text].filter(Boolean).join('. ')
  const given = alarm.priority ?? source.priority
  const rules = triageRulesOf(await readSettings(tx.sql))
  const suggestion = triage({ priority: given, sender: source.name, text, values }, rules)
  const why = suggestion.why.map(w => `${w.priority}: ${w.because}.`)
  const shown = [text, alarm.where, ...values.map(v => `${v.name} ${v.value} ${v.unit}`)].filter(Boolean).join(' · ')
  const made = await requestPage(tx, duty, {
    target: { kind: 'role', role: source.role },
    priority: suggestion.priority,
    sender: `source:${source.id}`,
    actor: { kind: 'peer', id: source.id },
    content: {
      text: shown,
      from: source.name,
      why: [
        ...(suggestion.raised ? [`Raised from ${given}: ${why.join(' ')}`] : why),
        ...suggestion.unread.map(n => `${n} has a unit that no rule can read: look at it.`),
      ],
      note: alarmNotice,
    },
    what: alarm.what,
    ...(alarm.where === undefined ? {} : { where: alarm.where }),
    ...(alarm.key === undefined ? {} : { key: alarm.key }),
  })
  if (isRefusal(made)) return made
  const { ref, priority, phase, joined, count } = made
  const answer = { ref, priority, state: phase, joined, count, why, notice: alarmNotice }
  await keepAlarm(tx, { source: source.id, key, body, page: made.id, answer })
  await tx.audit({
    actor: { kind: 'peer', id: source.id },
    action: 'alarm.receive',
    object: { kind: 'page', id: ref },
    outcome: 'done',
    detail: { priority, raised: suggestion.raised },
  })
  return { repeated: false, answer }
}
