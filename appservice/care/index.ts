import type { GivenUp, JobHandler } from '../../core/queues/outbox-worker.ts'
import type { CareDeps } from './deps.ts'
import { failed, mark, resend } from './notices/marks.ts'
import { noticeLater } from './notices/reminders.ts'
import { postCard } from './room/card.ts'
import { closeRoom } from './room/close.ts'
import { enrolPatient, enrolPerson } from './room/enrol.ts'
import { caregiverFailed, enrolmentFailed } from './room/enrol-failed.ts'
import { tellEphemeral } from './room/ephemeral.ts'
import { exportTold } from './room/export-told.ts'
import { followRole } from './room/follow-role.ts'
import { leaveRoom } from './room/leave.ts'
import { staffList } from './room/staff-list.ts'
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
  'care.ephemeral': tellEphemeral(deps),
  'care.tell': tell(deps),
  'care.inbound-text': inboundText(deps),
  'care.follow-role': followRole(deps),
  'care.staff-list': staffList(deps),
  'care.export-told': exportTold(deps),
})

/** What follows when one of them is given up. */
export const careGivenUp: Record<string, GivenUp> = {
  'patient.enrol': enrolmentFailed,
  'person.enrol': caregiverFailed,
}
