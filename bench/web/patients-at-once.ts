import { sdkLogger } from '../../test/support/quiet-logger.ts'
import type { Bench } from '../bench.ts'
import { figure, quantile } from '../figure.ts'
import { scaled } from '../scale.ts'
import { type WardPatient, ward } from '../ward.ts'
import { answer, awaitMessage, type Visit, visit } from './patient-visit.ts'

const count = scaled(100)
const words = 'Please take the tablet with food.'

const reason = (error: unknown): string =>
  error instanceof Error ? [String(error), ...(error.cause ? [reason(error.cause)] : [])].join(': ') : String(error)

/** A hundred patients who tap in the same moment: how long until each of them has read and answered, and one alone beside them. */
export const patientsAtOnce: Bench = {
  area: 'web',
  figures: ['patients_at_once'],
  run: async say => {
    sdkLogger()
    const w = await ward(say)
    const { publicUrl } = w.world.wardroom.config
    const patients = await w.patients(count)
    for (const { room } of patients) await w.lee.send(room, words)
    const visits: Visit[] = []
    const readAndAnswer = async (patient: WardPatient): Promise<number> => {
      const link = await w.link(patient)
      const from = performance.now()
      const one = await visit(publicUrl, link)
      visits.push(one)
      await awaitMessage(one, words)
      await answer(one, 'I will.')
      return (performance.now() - from) / 1000
    }
    const endAll = async () => {
      for (const one of visits.splice(0)) await one.end()
    }
    try {
      const alone = await readAndAnswer(patients[0] as WardPatient)
      await endAll()
      say(`web: ${count} patients at once`)
      const outcomes = await Promise.allSettled(patients.map(readAndAnswer))
      const times = outcomes.flatMap(o => (o.status === 'fulfilled' ? [o.value] : []))
      const failures = outcomes.flatMap(o => (o.status === 'rejected' ? [reason(o.reason)] : []))
      for (const failure of new Set(failures)) say(`web: a visit failed: ${failure}`)
      const result = figure({
        name: 'web.patients_at_once',
        value: Math.max(...times),
        unit: 's',
        baseline: alone,
        goal: { atMost: 120 },
        note: `until the last of ${count} had read and answered; median ${quantile(times, 0.5).toFixed(1)} s, ${failures.length} failed; baseline: one alone; the SDK and the page's steps in one Node process on the same machine, through the proxy`,
      })
      return [{ ...result, holds: result.holds && failures.length === 0 }]
    } finally {
      await endAll()
    }
  },
}
