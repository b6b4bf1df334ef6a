import { alertWords } from '../../core/domain/audit/alerts/alert-words.ts'
import type { UserId } from '../../core/domain/ids.ts'
import { MatrixRefusal } from '../../core/matrix/homeserver.ts'
import { type JobHandler, type Outcome, txnIdFor } from '../../core/queues/outbox-worker.ts'
import { noteStaffName } from '../../core/store/alerts/alert-facts.ts'
import { alertById, noteSaid } from '../../core/store/alerts/alerts.ts'
import { holdersOf } from '../../core/store/staff/roles.ts'
import { complianceRoom } from '../../core/store/staff/rooms.ts'
import { transact } from '../../core/store/tx.ts'
import type { DeskDeps } from './deps.ts'
import { content } from './message-content.ts'
import { ensureComplianceRoom, membersOf } from './rooms.ts'

/** The payload of `compliance.say`; `mention` makes the telephones of the supervisors in the room ring. */
type ComplianceSay = { text: string; html?: string; thread?: string; mention?: boolean }

const done: Outcome = { kind: 'done' }
const noRoom: Outcome = { kind: 'retry', after: 500, reason: 'no compliance room yet' }

/** The supervisors in the room; where there is none, everybody who holds the role compliance. */
const mentioned = async (d: DeskDeps, room: string): Promise<UserId[]> => {
  const inside = new Set(await membersOf(d, room))
  const supervisors = (await holdersOf(d.store.db, 'supervisor')).filter(u => inside.has(u))
  return supervisors.length > 0 ? supervisors : holdersOf(d.store.db, 'compliance')
}

const say = async (d: DeskDeps, jobId: string, { mention, ...words }: ComplianceSay): Promise<string | null> => {
  const room = await complianceRoom(d.store.db)
  if (!room) return null
  const body = { ...content(words), ...(mention ? { 'm.mentions': { user_ids: await mentioned(d, room) } } : {}) }
  return d.bot.send(room, 'm.room.message', body, { txnId: txnIdFor(jobId, 'compliance') })
}

/** `compliance.room` */
const makeRoom =
  (d: DeskDeps): JobHandler =>
  async () => {
    await ensureComplianceRoom(d)
    return done
  }

/** `compliance.say`: an encrypted message to the compliance room. */
const speak =
  (d: DeskDeps): JobHandler =>
  async job =>
    (await say(d, job.id, job.payload as ComplianceSay)) === null ? noRoom : done

/** `compliance.alert`: an alert as it is now; what was said already is told again in its thread only when there is more of it. */
const tellAlert =
  (d: DeskDeps): JobHandler =>
  async job => {
    const alert = await alertById(d.store.db, (job.payload as { alert: number }).alert)
    if (!alert || (alert.saidCount >= alert.count && alert.clearedAt === null)) return done
    const thread = alert.eventId ?? undefined
    const mention = alert.severity !== 'notice' && alert.saidCount === 0
    const eventId = await say(d, job.id, { text: alertWords(alert), mention, thread })
    if (eventId === null) return noRoom
    return { kind: 'done', apply: tx => noteSaid(tx, alert.id, { count: alert.count, eventId }) }
  }

/** Notes what a person's display name says about their surname: a keyed hash, for the rule that watches who opens namesakes. */
export const noteName = async (d: DeskDeps, user: UserId): Promise<void> => {
  const path = `/_matrix/client/v3/profile/${encodeURIComponent(user)}/displayname`
  try {
    const { displayname } = await d.homeserver.request<{ displayname?: unknown }>('GET', path, { userId: d.bot.userId })
    if (typeof displayname === 'string') await transact(d.store, tx => noteStaffName(tx, user, displayname))
  } catch (e) {
    // A person of another hospital whose server keeps profiles to itself has no name that we could know.
    if (!(e instanceof MatrixRefusal && (e.status === 403 || e.status === 404))) throw e
  }
}

/** The jobs of the compliance room. */
export const complianceJobs = (d: DeskDeps): Record<string, JobHandler> => ({
  'compliance.room': makeRoom(d),
  'compliance.say': speak(d),
  'compliance.alert': tellAlert(d),
})
