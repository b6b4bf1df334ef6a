import type { GivenUp, JobHandler } from '../../core/queues/outbox-worker.ts'
import { postCard } from './card.ts'
import { closeRoom } from './close.ts'
import type { CareDeps } from './deps.ts'
import { enrolPatient, enrolPerson } from './enrol.ts'
import { caregiverFailed, enrolmentFailed } from './enrol-failed.ts'
import { followRole } from './follow-role.ts'
import { leaveRoom } from './leave.ts'
import { failed, mark, resend } from './marks.ts'
import { noticeLater } from './reminders.ts'
import { staffList } from './staff-list.ts'
import { inboundText, tell } from './tell.ts'

/** Every job of the queue `bridge`. */
export const careJobs = (deps: CareDeps): Record<string, JobHandler> => ({
  'patient.enrol': enrolPatient(deps),
  'person.enrol': enrolPerson(deps),
  'person.leave': leaveRoom(deps),
  'patient.close': closeRoom(deps),
  'care.card': postCard(deps),
  'care.notice': noticeLater(deps),
  'care.mark': mark(deps),
  'care.failed': failed(deps),
  'care.resend': resend(deps),
  'care.tell': tell(deps),
  'care.inbound-text': inboundText(deps),
  'care.follow-role': followRole(deps),
  'care.staff-list': staffList(deps),
})

/** What follows when one of them is given up. */
export const careGivenUp: Record<string, GivenUp> = {
  'patient.enrol': enrolmentFailed,
  'person.enrol': caregiverFailed,
}
