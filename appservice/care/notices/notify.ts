import { failureOfRefusal } from '../../../core/domain/care/notice.ts'
import { hours, type Instant, minutes } from '../../../core/domain/clock.ts'
import type { LinkId } from '../../../core/domain/ids.ts'
import { isRefusal } from '../../../core/domain/refusal.ts'
import type { Settings } from '../../../core/domain/settings/settings.ts'
import { createLink } from '../../../core/store/links/links.ts'
import { addNotice, attachText, outstanding, pageOpenSince } from '../../../core/store/patients/care.ts'
import { advanceNotices, type Notice } from '../../../core/store/patients/notices.ts'
import { type Person, personById } from '../../../core/store/patients/patients.ts'
import { queueText } from '../../../core/store/texts/texts.ts'
import type { Tx } from '../../../core/store/tx.ts'

/** While a page has been seen this recently, the patient reads without a text; the text follows when they did not. */
const pageIsOpen = minutes(1)

/** When an unopened text is followed up: the next reminder, or the task to call. Null when nothing is left to do. */
export const nextStep = (sentAt: Instant, reminders: number, s: Settings): Instant => {
  const next = s['sms.reminder_hours'].toSorted((a, b) => a - b)[reminders]
  const task = sentAt + hours(s['sms.task_hours'])
  return next === undefined ? task : Math.min(sentAt + hours(next), task)
}

/** A notice as far as sending needs it. */
type Unsent = Pick<Notice, 'id' | 'eventId' | 'sentAt' | 'reminders'>

/** Sends a person the text with a fresh link for a notice; a refusal leaves a link whose token nobody has, and (no consent, STOP, phone only) fails the notice, so that the care team is told. */
export const textFor = async (
  tx: Tx,
  notice: Unsent,
  person: Person,
  how: { template: 'notice' | 'reminder'; settings: Settings; publicUrl: string },
): Promise<void> => {
  const lifeMs = hours(how.settings['link.life_hours'])
  const link = await createLink(tx, {
    person: person.id,
    patient: person.patientId,
    reason: 'message',
    publicUrl: how.publicUrl,
    lifeMs,
  })
  const queued = await queueText(tx, {
    person: person.id,
    template: how.template,
    lang: person.lang,
    vars: {},
    link,
    noticeId: notice.id,
    class: 'care',
  })
  if (isRefusal(queued)) {
    await advanceNotices(
      tx,
      { event: notice.eventId, person: person.id },
      { kind: 'failed', failure: failureOfRefusal(queued.code) },
    )
    return
  }
  await attachText(tx, notice.id, {
    textId: queued,
    linkId: link.id as LinkId,
    nextAt: nextStep(notice.sentAt, notice.reminders, how.settings),
    reminders: notice.reminders,
  })
}

/**
 * A clinician wrote: one notice per person. One unopened text is outstanding per person at most; a later message rides on it. While the page is open no
 * text goes out, unless the message is still unread a minute later (job `care.notice`).
 */
export const noticeFor = async (
  tx: Tx,
  person: Person,
  message: { roomId: Notice['roomId']; eventId: Notice['eventId']; sender: string; sentAt: Instant },
  how: { settings: Settings; publicUrl: string },
): Promise<void> => {
  await tx.sql.raw('select pg_advisory_xact_lock(hashtext(?))', [`notice:${person.id}`])
  const id = await addNotice(tx, { patientId: person.patientId, personId: person.id, ...message })
  if (!id) return
  await tx.audit({
    actor: { kind: 'user', id: message.sender },
    action: 'message.notice',
    object: { kind: 'event', id: message.eventId },
    outcome: 'done',
    patient: person.patientId,
    room: message.roomId,
  })
  // After three wrong dates a text would only lead to a locked link: whoever writes is told at once to call.
  if (person.lockedAt !== null) {
    await advanceNotices(tx, { event: message.eventId, person: person.id }, { kind: 'failed', failure: 'locked' })
    return
  }
  if (await pageOpenSince(tx.sql, person.id, tx.now - pageIsOpen)) {
    await tx.enqueue({
      queue: 'bridge',
      kind: 'care.notice',
      key: `notice:${id}`,
      lane: person.id,
      due: tx.now + pageIsOpen,
      payload: { noticeId: id },
      patient: person.patientId,
    })
    return
  }
  await sendOrRide(tx, { id, eventId: message.eventId, sentAt: message.sentAt, reminders: 0 }, person, how)
}

/** Rides on the outstanding text, or sends one. */
export const sendOrRide = async (
  tx: Tx,
  notice: Unsent,
  person: Person,
  how: { settings: Settings; publicUrl: string },
): Promise<void> => {
  const earlier = await outstanding(tx, person.id)
  if (earlier && earlier.id !== notice.id)
    await attachText(tx, notice.id, {
      textId: earlier.textId,
      linkId: earlier.linkId,
      nextAt: nextStep(notice.sentAt, 0, how.settings),
      state: earlier.state,
    })
  else await textFor(tx, notice, person, { ...how, template: 'notice' })
}

/** The person of a notice, unless they have left. */
export const recipient = async (tx: Tx, notice: Notice): Promise<Person | null> => {
  const person = await personById(tx.sql, notice.personId)
  return person && !person.removedAt ? person : null
}
