import type { UserId } from '../domain/ids.ts'
import type { StoredRecord } from '../store/records/fates.ts'
import { readersOf } from '../store/records/recall.ts'
import { isPatientUser, staffInRoom } from '../store/records/rooms.ts'
import { holdersOf, isStaff } from '../store/staff/roles.ts'
import { readSettings } from '../store/staff/settings.ts'
import type { Tx } from '../store/tx.ts'

const minute = (at: number) => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`

/** The supervisors of a message's readers: those in its care room; where nobody of them is, or in any other room, all. */
const supervisorsFor = async (tx: Tx, room: string): Promise<UserId[]> => {
  const all = await holdersOf(tx.sql, 'supervisor')
  const inside = new Set(await staffInRoom(tx.sql, room))
  const near = all.filter(s => inside.has(s))
  return near.length > 0 ? near : all
}

/**
 * Tells its sender that somebody else recalled a message and, where the setting `recall.tell` says so, the supervisors of the staff who are known to have read
 * it. Never what it said. People of other hospitals and patients are not written to.
 */
export const tellOfRecall = async (tx: Tx, record: StoredRecord, by: UserId): Promise<void> => {
  const { event, room, sender, sentAt, patient } = record
  const what = `sent at ${minute(sentAt)} in https://matrix.to/#/${room}`
  const say = (user: string, text: string) =>
    tx.enqueue({
      ...{ queue: 'bots' as const, kind: 'bot.say', key: `recall-told:${event}:${user}`, lane: user, patient },
      payload: { to: { user }, text },
    })
  if (sender !== by && (await isStaff(tx, sender)))
    await say(sender, `A message that you ${what} was recalled by ${by}.`)
  if ((await readSettings(tx.sql))['recall.tell'] !== 'sender_and_supervisors') return
  const readers = (await readersOf(tx.sql, record)).filter(r => r.user !== by && !isPatientUser(r.user))
  if (readers.length === 0) return
  const read = readers.map(r => `${r.user} (${minute(r.at)})`).join(', ')
  for (const supervisor of await supervisorsFor(tx, room))
    if (supervisor !== by && supervisor !== sender)
      await say(
        supervisor,
        `A message of ${isPatientUser(sender) ? 'a patient or caregiver' : sender}, ${what}, was recalled by ${by}. Known to have read it: ${read}.`,
      )
}
