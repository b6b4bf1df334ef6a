import type { SinkType } from '../sink.ts'
import { csv } from './csv.ts'
import { elastic } from './elastic.ts'
import { fhir } from './fhir.ts'
import { http } from './http.ts'
import { jsonl } from './jsonl.ts'
import { splunk } from './splunk.ts'
import { syslog } from './syslog.ts'

/** Every kind of receiver. To add one: a file beside this one, and its line here. */
export const sinkTypes: readonly SinkType[] = [jsonl, csv, syslog, splunk, elastic, http, fhir]
