import { standingOf } from '../../core/store/staff/roles.ts'
import { readSettings } from '../../core/store/staff/settings.ts'
import type { Tx } from '../../core/store/tx.ts'
import { answer } from './answer.ts'
import { type Heard, react, reply, tellOfSuspension } from './run-command.ts'

/** Why a message was not taken as a command at all. */
export type Why = 'unsigned' | 'no-key' | 'broken' | 'stale' | 'crowded'

const sentences: Record<Why, string> = {
  unsigned: 'I obey only devices that their owner has verified. Please verify this device, then write again.',
  'no-key': 'I cannot read this message: its key did not reach me. Please write again, from a verified device.',
  broken: 'I cannot read this message. Please write again, from a verified device.',
  stale: 'I was away when you wrote this, and nothing was done. Please write it again if it still holds.',
  crowded: 'Somebody else is in this chat. I obey commands only in a chat of the two of us, and in desk rooms.',
}

/** Answers with a ⛔ and the help link instead of silence. `identity`, where known, is compared with the pins: another one suspends the person's roles. */
export const unheard = async (
  tx: Tx,
  heard: Pick<Heard, 'eventId' | 'roomId' | 'sender' | 'thread' | 'identity'>,
  why: Why,
): Promise<void> => {
  const settings = await readSettings(tx.sql)
  if (heard.identity !== null && (await standingOf(tx, heard.sender, heard.identity)).changed)
    await tellOfSuspension(tx, heard)
  await tx.audit({
    actor: { kind: 'user', id: heard.sender },
    action: 'command.run',
    object: { kind: 'command', id: 'unread' },
    outcome: 'refused',
    reason: why,
    room: heard.roomId,
  })
  await react(tx, heard, '⛔')
  const help = settings['help.url'] && why !== 'stale' && why !== 'crowded' ? ` Help: ${settings['help.url']}` : ''
  await reply(tx, heard, answer(`${sentences[why]}${help}`))
}
