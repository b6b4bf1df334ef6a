import { Worker } from 'node:worker_threads'
import { type CsvReading, readCsv } from './csv/read-csv.ts'
import { type CalendarReading, calendarLimits, readCalendar, tooLarge } from './ical/read-calendar.ts'
import type { Imported } from './imported.ts'

/** A text to read, as `readCalendar` or `readCsv` take it, but for the zones, which cannot be handed to a thread. */
export type ApartRequest = { text: string } & (
  | ({ kind: 'calendar' } & Omit<CalendarReading, 'zones'>)
  | ({ kind: 'csv' } & Omit<CsvReading, 'zones'>)
)

/** What a thread may use at most. */
export type ApartLimits = { deadlineMs: number; memoryMb: number }

const refused = (code: string, sentence: string): Imported => ({
  shifts: [],
  problems: [{ code, effect: 'refused', sentence }],
})

/**
 * Reads a text from outside in a thread of its own, which is ended at its deadline or when it takes too much memory: a
 * hostile feed delays no page and stops no process. What was ended is refused as `too-slow` or `too-much-memory`.
 * @throws what the reader throws, which is a bug of ours.
 */
export const readApart = (
  request: ApartRequest,
  limits: ApartLimits = { deadlineMs: 20_000, memoryMb: 256 },
): Promise<Imported> => {
  if (tooLarge(request.text, request.limits?.bytes ?? calendarLimits.bytes)) return Promise.resolve(readHere(request))
  const { promise, resolve, reject } = Promise.withResolvers<Imported>()
  const worker = new Worker(new URL('./read-worker.ts', import.meta.url), {
    workerData: request,
    resourceLimits: { maxOldGenerationSizeMb: limits.memoryMb },
  })
  const deadline = setTimeout(() => {
    resolve(refused('too-slow', 'Reading it takes too long; it is not read.'))
  }, limits.deadlineMs)
  worker.once('message', (found: Imported) => resolve(found))
  worker.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY')
      resolve(refused('too-much-memory', 'Reading it takes too much memory.'))
    else reject(error)
  })
  worker.once('exit', () => reject(new Error('the thread that reads calendars ended without an answer')))
  return promise.finally(async () => {
    clearTimeout(deadline)
    await worker.terminate()
  })
}

/** Of a text that is refused for its size nothing is read, nor copied to a thread. */
const readHere = (request: ApartRequest): Imported => {
  const zones = { known: () => false, wall: () => 0, instant: () => 0, reached: () => 0 }
  return request.kind === 'csv'
    ? readCsv(request.text, { ...request, zones })
    : readCalendar(request.text, { ...request, zones })
}
