import { hours, type Instant, minutes } from '../../../core/domain/clock.ts'
import type { Settings } from '../../../core/domain/settings/settings.ts'
import type { JobHandler } from '../../../core/queues/outbox-worker.ts'
import { attachText, dueNotices, noticeById, ridersOf, setNext } from '../../../core/store/patients/care.ts'
import { advanceNotices, type Notice } from '../../../core/store/patients/notices.ts'
import { patientById } from '../../../core/store/patients/patients.ts'
import { readSettings } from '../../../core/store/staff/settings.ts'
import { textById } from '../../../core/store/texts/texts.ts'
import { type Tx, transact } from '../../../core/store/tx.ts'
import type { CareDeps } from '../deps.ts'
import { nextStep, recipient, sendOrRide, textFor } from './notify.ts'

type RemindDeps = Pick<CareDeps, 'store' | 'publicUrl'>

/**
 * Until when a reminder has to wait because the text before it is still on its way out (a night, an outage) or went out late: otherwise both would arrive together.
 * Null when it need not.
 */
const waitFor = async (tx: Tx, notice: Notice, settings: Settings): Promise<Instant | null> => {
  const text = notice.textId ? await textById(tx.sql, notice.textId) : null
  if (!text) return null
  const task = notice.sentAt + hours(settings['sms.task_hours'])
  if (text.state === 'pending' || text.state === 'sending') return Math.min(tx.now + minutes(30), task)
  const [before, next] = [0, ...settings['sms.reminder_hours'].toSorted((a, b) => a - b)].slice(notice.reminders)
  if (before === undefined || next === undefined) return task
  const earliest = (text.sentAt ?? notice.sentAt) + hours(next - before)
  return earliest > tx.now ? Math.min(earliest, task) : null
}

/** One overdue notice: the next reminder, or, when they are used up, the task to call. An opened link gets no reminder, only the task. */
const followUp = async (tx: Tx, deps: RemindDeps, notice: Notice): Promise<void> => {
  const settings = await readSettings(tx.sql)
  const person = await recipient(tx, notice)
  const patient = await patientById(tx.sql, notice.patientId)
  if (!person || !patient || patient.state !== 'open') return setNext(tx, notice.id, null)
  if (tx.now >= notice.sentAt + hours(settings['sms.task_hours'])) {
    await setNext(tx, notice.id, null)
    await advanceNotices(
      tx,
      { event: notice.eventId, person: notice.personId },
      { kind: 'failed', failure: 'not_opened' },
    )
    await tx.audit({
      actor: { kind: 'service', id: 'bridge' },
      action: 'task.open',
      object: { kind: 'event', id: notice.eventId },
      outcome: 'done',
      patient: notice.patientId,
      room: notice.roomId,
      detail: { why: 'not_opened' },
    })
    return
  }
  // Several messages ride on one text: one reminder serves them all.
  const rides = await ridersOf(tx, notice)
  const opened = notice.state === 'opened' || notice.state === 'verified'
  const wait = opened ? null : await waitFor(tx, notice, settings)
  if (wait !== null) {
    for (const n of [notice, ...rides]) await setNext(tx, n.id, wait)
    return
  }
  const reminders = notice.reminders + 1
  if (!opened)
    await textFor(tx, { ...notice, reminders }, person, {
      template: 'reminder',
      settings,
      publicUrl: deps.publicUrl,
    })
  const after = await noticeById(tx.sql, notice.id)
  if (opened || !after || after.state === 'failed')
    return setNext(
      tx,
      notice.id,
      opened ? nextStep(notice.sentAt, settings['sms.reminder_hours'].length, settings) : null,
    )
  for (const other of rides)
    await attachText(tx, other.id, {
      textId: after.textId,
      linkId: after.linkId,
      reminders,
      nextAt: nextStep(other.sentAt, reminders, settings),
    })
}

/** Sweep: everything that is due now, each in its own transaction. Returns how many. */
export const remind = async (deps: RemindDeps): Promise<number> => {
  for (let n = 0; ; n++) {
    const found = await transact(deps.store, async tx => {
      const [notice] = await dueNotices(tx, 1)
      if (!notice) return false
      await followUp(tx, deps, notice)
      return true
    })
    if (!found) return n
  }
}

/** Job `care.notice`: the page was open when the message came; is it read by now? */
export const noticeLater =
  (deps: CareDeps): JobHandler =>
  async job => {
    const { noticeId } = job.payload as { noticeId: string }
    return {
      kind: 'done',
      apply: async tx => {
        const notice = await noticeById(tx.sql, noticeId)
        const person = notice && (await recipient(tx, notice))
        if (!notice || !person || notice.state !== 'waiting' || notice.textId) return
        await sendOrRide(tx, notice, person, { settings: await readSettings(tx.sql), publicUrl: deps.publicUrl })
      },
    }
  }
