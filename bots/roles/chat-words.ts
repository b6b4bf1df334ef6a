import { messageText } from '../framework/message-text.ts'

/** What somebody wrote to a role: `edit` where it corrects an earlier message. */
export type Written = { text: string; edit: boolean }

const kinds: Readonly<Record<string, string>> = {
  'm.image': 'sent a picture',
  'm.video': 'sent a video',
  'm.audio': 'sent a recording',
  'm.file': 'sent a file',
  'm.location': 'sent a place',
}

const longest = 2000

/**
 * The words for the card: those of a text, or that something else was sent, which whoever comes into the chat can see. Undefined for what nobody wrote to anybody:
 * notices of programs, signs of calls, votes.
 */
export const writtenWords = (type: string, content: Readonly<Record<string, unknown>>): Written | undefined => {
  const relation = content['m.relates_to'] as { rel_type?: unknown } | undefined
  const edit = relation?.rel_type === 'm.replace'
  const { 'm.relates_to': _, ...rest } = content
  const whole = edit ? ((content['m.new_content'] ?? rest) as Record<string, unknown>) : content
  if (type === 'm.sticker') return { text: '(sent a sticker; it is in the chat)', edit }
  if (type !== 'm.room.message') return undefined
  const kind = typeof whole.msgtype === 'string' ? whole.msgtype : ''
  if (kind === 'm.notice') return undefined
  const plain = messageText(type, { ...whole, msgtype: 'm.text' })?.trim() ?? ''
  if (kind === 'm.text' || kind === 'm.emote')
    return plain === '' ? undefined : { text: plain.replace(/^(?:> .*\n)+\n?/, '').slice(0, longest), edit }
  return { text: `(${kinds[kind] ?? 'sent something that is no text'}; it is in the chat)`, edit }
}

/** What the role says when it has come: whom it reaches, how, and who can read it. */
export const greeting = (name: string, onDuty: string): string =>
  [
    `I am ${name}. What you write here pages whoever is on duty; now: ${onDuty}.`,
    'Begin with stat, urgent or routine; without such a word it is urgent. I say here what happens. Whoever takes it comes into this chat and reads all of it.',
    'Wardroom’s server takes part as this role: it can read what is written here.',
  ].join('\n')

/** The chat's topic, which is not encrypted. */
export const chatTopic = (name: string): string =>
  `${name}: a message here pages whoever is on duty. The server of Wardroom can read this chat.`
