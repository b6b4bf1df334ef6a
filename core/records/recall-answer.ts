import { days } from '../domain/clock.ts'
import { otherServerWords } from '../domain/records/other-server.ts'
import { type Asker, type Told, takeUntold } from '../store/records/recall.ts'
import { isStaff } from '../store/staff/roles.ts'
import { readSettings } from '../store/staff/settings.ts'
import type { Tx } from '../store/tx.ts'

/** What whoever recalled a message hears once something came of it: in tiers, and no more than is known. */
export const recallWords = ({ became, servers, removed }: Told, backupsUntil: string): string => {
  const notRemoved =
    'Wardroom may not remove messages in that room, so clients may still show it and no other server was asked: please remove it in your client.'
  const others = !removed
    ? notRemoved
    : servers.length === 0
      ? 'No other homeserver is in its room.'
      : `Other homeservers in its room, asked to remove it without proof that they did: ${servers.map(otherServerWords).join('. ')}.${servers.some(s => s.state !== 'reached') ? ' I say here when a server has taken the request.' : ''}`
  if (became === 'hidden')
    return `Recalled${removed ? ': nobody in the room sees the message any more' : ''}. A legal hold or a statutory minimum binds it, so a sealed copy stays until that ends. ${others}`
  return `Recalled: the message is gone from this homeserver and from Wardroom. ${others} Backups may hold it, encrypted, until ${backupsUntil}. What somebody copied or photographed, nobody can take back.`
}

/** Says something to whoever recalled a message: where they asked, or in their own chat when they asked by a reaction. `about`: said once each. */
export const answerRecall = async (tx: Tx, told: Asker, about: string, words: string): Promise<void> => {
  const { event, room, by, chat, thread } = told
  const key = `recalled:${event}:${about}`
  if (chat !== null)
    await tx.enqueue({
      ...{ queue: 'bots', kind: 'bot.say', key, lane: chat },
      payload: { to: { room: chat }, thread: thread ?? undefined, text: words },
    })
  else if (await isStaff(tx, by))
    await tx.enqueue({
      ...{ queue: 'bots', kind: 'bot.say', key, lane: by },
      payload: { to: { user: by }, text: `https://matrix.to/#/${room}/${event}\n${words}` },
    })
}

/** Tells everybody whose recall came to something, once each. */
export const tellRecalls = async (tx: Tx): Promise<void> => {
  const told = await takeUntold(tx)
  if (told.length === 0) return
  const until = new Date(tx.now + days((await readSettings(tx.sql))['recall.backup_days'])).toISOString().slice(0, 10)
  for (const one of told) await answerRecall(tx, one, one.became, recallWords(one, until))
}
