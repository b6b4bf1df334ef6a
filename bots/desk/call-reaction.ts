import { type Call, calledBy } from '../../core/domain/oncall/call-reaction.ts'
import { isRefusal, type Refusal, refuse } from '../../core/domain/refusal.ts'
import { clinicDuty } from '../../core/oncall/pages/clinic-duty.ts'
import { requestPage } from '../../core/oncall/pages/request-page.ts'
import type { Effects } from '../../core/queues/inbox-worker.ts'
import { onCallRoles } from '../../core/store/oncall/read.ts'
import { type Patient, patientByRoom } from '../../core/store/patients/patients.ts'
import type { InboxEvent } from '../../core/store/queues/inbox.ts'
import { isStaff } from '../../core/store/staff/roles.ts'
import { readSettings } from '../../core/store/staff/settings.ts'
import type { Tx } from '../../core/store/tx.ts'
import { outcomeWords } from '../commands/pages/page-words.ts'
import { answer } from '../framework/answer.ts'
import { say } from '../framework/say.ts'
import type { DeskDeps } from './deps.ts'

/** The role that is meant: the one that the reaction names, or the only one of the patient's unit. */
const roleFor = async (tx: Tx, call: Call, patient: Patient): Promise<string | Refusal> => {
  if (call.role !== null) return call.role
  const [only, second] = (await onCallRoles(tx)).filter(e => e.role.unit === patient.unit)
  if (only && !second) return only.role.key
  const why = only ? 'has several roles on call' : 'has no role on call'
  return refuse(
    'which-role',
    `The unit of this patient ${why}, so that I do not know whom to call. Write !page and the role; an administrator lists reactions in the setting oncall.call_reactions.`,
  )
}

const call = async (tx: Tx, event: InboxEvent, about: string, wanted: Call, patient: Patient): Promise<void> => {
  const sender = event.sender
  if (!(await isStaff(tx, sender))) return
  const link = `https://matrix.to/#/${event.roomId}/${about}`
  const role = await roleFor(tx, wanted, patient)
  const made = isRefusal(role)
    ? role
    : await requestPage(tx, clinicDuty, {
        target: { kind: 'role', role },
        priority: wanted.priority,
        sender,
        actor: { kind: 'user', id: sender },
        content: { text: 'please look at a message in a care room', from: sender, why: [], link },
        what: `reaction to ${about}`,
        roomId: event.roomId,
        eventId: event.eventId,
        patientId: patient.id,
      })
  const words = isRefusal(made)
    ? [`Your reaction called nobody. ${made.sentence}`]
    : [
        outcomeWords(made, isRefusal(role) ? '' : role),
        'The card has only a link: whoever takes it must be in that room to read it.',
      ]
  await say(tx, `call-reaction:${event.eventId}`, { user: sender }, answer(link, ...words))
}

/**
 * A listed reaction of somebody of the staff on a message in a care room pages a role, with a link to the message and nothing of it: reactions reach us in clear,
 * the message does not. Undefined: it calls nobody.
 */
export const callByReaction = async (d: Pick<DeskDeps, 'store'>, event: InboxEvent): Promise<Effects | undefined> => {
  const relation = event.content['m.relates_to'] as
    | { rel_type?: unknown; event_id?: unknown; key?: unknown }
    | undefined
  if (relation?.rel_type !== 'm.annotation' || typeof relation.event_id !== 'string') return undefined
  const about = relation.event_id
  // It stands on the card as a link: what is no event’s id does not.
  if (!/^\$[\w+/.:~-]{1,254}$/.test(about)) return undefined
  const wanted = calledBy(relation.key, (await readSettings(d.store.db))['oncall.call_reactions'])
  if (!wanted) return undefined
  const patient = await patientByRoom(d.store.db, event.roomId)
  return patient ? { kind: 'done', apply: tx => call(tx, event, about, wanted, patient) } : undefined
}
