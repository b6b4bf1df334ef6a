import { adminPage } from './admin/part.ts'
import { alerts } from './alerts/index.ts'
import type { AuditPart } from './deps.ts'
import { housekeeping } from './housekeeping.ts'
import { jobs } from './jobs/index.ts'
import { pins } from './pins/index.ts'
import { sinks } from './sinks/runner.ts'

/** What runs in the audit process beside the sequencer, in the order of its start. */
export const parts: readonly AuditPart[] = [housekeeping, jobs, sinks, alerts, pins, adminPage]
