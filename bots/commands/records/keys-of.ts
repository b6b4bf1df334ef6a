import type { Instant } from '../../../core/domain/clock.ts'
import type { PatientId } from '../../../core/domain/ids.ts'
import { exitFate, exitOf } from '../../../core/store/records/exit-facts.ts'
import { listPolicies } from '../../../core/store/records/policies.ts'
import type { Tx } from '../../../core/store/tx.ts'
import { exitWords } from './rule-words.ts'

const minute = (at: Instant) => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`

/** What becomes of the keys to a closed patient's record, in words; undefined while the patient is in care. */
export const keysOf = async (
  { sql, now }: Pick<Tx, 'sql' | 'now'>,
  patient: PatientId,
): Promise<string | undefined> => {
  const exit = await exitOf(sql, patient)
  if (exit?.doneAt) return `destroyed on ${minute(exit.doneAt)}, certificate ${exit.run}`
  if (exit?.begunAt) return `being destroyed since ${minute(exit.begunAt)} (${exit.run})`
  const fate = await exitFate(sql, patient, now)
  if (!fate || (fate.decision.do === 'keep' && fate.decision.why === 'open')) return undefined
  const words = exitWords(fate.decision, await listPolicies(sql))
  return exit?.requestedAt ? `asked to be destroyed by ${exit.requestedBy} and ${exit.approvedBy}; ${words}` : words
}
