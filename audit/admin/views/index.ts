import { alerts } from './alerts.ts'
import { checkpoint } from './checkpoint.ts'
import { onCall } from './oncall/on-call.ts'
import { pages } from './oncall/pages.ts'
import { responses } from './oncall/responses.ts'
import { schedule } from './oncall/schedule.ts'
import { reports } from './reports.ts'
import { sinks } from './sinks.ts'
import { timeline } from './timeline.ts'
import type { View } from './view.ts'

/** Every view of the page. To add one: a file beside this one, and its line here. */
export const views: readonly View[] = [timeline, sinks, checkpoint, reports, alerts, onCall, schedule, pages, responses]
