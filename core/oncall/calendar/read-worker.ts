import { parentPort, workerData } from 'node:worker_threads'
import { runtimeZones } from '../../time-zones.ts'
import { readCsv } from './csv/read-csv.ts'
import { readCalendar } from './ical/read-calendar.ts'
import type { ApartRequest } from './read-apart.ts'

const request = workerData as ApartRequest
const zones = runtimeZones()
parentPort?.postMessage(
  request.kind === 'csv'
    ? readCsv(request.text, { ...request, zones })
    : readCalendar(request.text, { ...request, zones }),
)
