import { parentPort, workerData } from 'node:worker_threads'
import { runtimeZones } from '../../time-zones.ts'
import type { ApartRequest } from './read-apart.ts'
import { readCalendar } from './read-calendar.ts'
import { readCsv } from './read-csv.ts'

const request = workerData as ApartRequest
const zones = runtimeZones()
parentPort?.postMessage(
  request.kind === 'csv'
    ? readCsv(request.text, { ...request, zones })
    : readCalendar(request.text, { ...request, zones }),
)
