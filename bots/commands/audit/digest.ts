import { type Digest, digestDue, digestOf } from '../../../core/domain/audit/digest.ts'
import { daysPeriod, wallClock } from '../../../core/domain/audit/period.ts'
import { days } from '../../../core/domain/clock.ts'
import { tellCompliance } from '../../../core/store/alerts/alerts.ts'
import { digestFacts, digestSettled } from '../../../core/store/audit/digest.ts'
import { readSettings } from '../../../core/store/staff/settings.ts'
import type { Tx } from '../../../core/store/tx.ts'
import { type Answer, answer, heading, list, literal, table, text } from '../../framework/answer.ts'
import { command } from '../../framework/command.ts'
import { render } from '../../framework/render.ts'
import { overheard } from './timeline.ts'

/** The digest as the compliance room reads it. */
export const digestAnswer = (d: Digest): Answer =>
  answer(
    heading(d.title),
    ...(d.attention.length > 0 ? ['Please look at this:', literal(list(d.attention))] : ['Nothing needs a look.']),
    ...d.tables.flatMap(t => [
      heading(t.title),
      ...(t.rows.length > 0 ? table(t.head, t.rows).map(literal) : [text(t.none)]),
    ]),
    'More: !audit report access, !audit status, and !help audit.',
  )

/** Posts the week's digest (row 47) to the compliance room when it is due and was not posted; safe to call at any time. Returns whether it did. */
export const postDigest = async (tx: Tx): Promise<boolean> => {
  const settings = await readSettings(tx.sql)
  if (!settings['audit.digest']) return false
  const { due, key, period } = digestDue(tx.now, settings)
  if (await digestSettled(tx, `compliance:${key}`, due)) return false
  await tellCompliance(tx, { key, ...render(digestAnswer(digestOf(await digestFacts(tx.sql, period, tx.now)))) })
  await tx.audit({
    actor: { kind: 'service', id: 'desk' },
    action: 'audit.digest',
    object: { kind: 'report', id: key },
    outcome: 'done',
  })
  return true
}

export const auditDigest = command({
  words: ['audit', 'digest'],
  needs: 'compliance',
  args: {},
  help: 'What the weekly digest says, of the last seven days until now.',
  run: async context => {
    const { tx, sender, settings } = context
    const stopped = overheard(context)
    if (stopped) return stopped
    const zone = settings['clinic.time_zone']
    const period = daysPeriod(wallClock(tx.now - days(6), zone).day, wallClock(tx.now, zone).day, zone)
    await tx.audit({
      actor: { kind: 'user', id: sender.userId, device: sender.deviceId },
      action: 'audit.report',
      object: { kind: 'report', id: 'digest' },
      outcome: 'done',
    })
    return digestAnswer(digestOf(await digestFacts(tx.sql, period, tx.now)))
  },
})
