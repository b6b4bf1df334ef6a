import type { UserId } from '../../core/domain/ids.ts'
import type { Priority } from '../../core/domain/oncall/paging/priority.ts'
import { chatStep } from '../../core/domain/oncall/role-chat.ts'
import { triageRulesOf } from '../../core/domain/oncall/triage/own-rules.ts'
import { triage } from '../../core/domain/oncall/triage/triage.ts'
import { isRefusal } from '../../core/domain/refusal.ts'
import type { Decryption, Read } from '../../core/matrix/bot/decrypt.ts'
import { chatReact, chatSay } from '../../core/oncall/pages/chat-jobs.ts'
import { clinicDuty } from '../../core/oncall/pages/clinic-duty.ts'
import { answerPage } from '../../core/oncall/pages/engine.ts'
import { requestPage } from '../../core/oncall/pages/request-page.ts'
import type { Effects } from '../../core/queues/inbox-worker.ts'
import { addToContent, lockPage, openContent, type StoredPage } from '../../core/store/oncall/pages.ts'
import { isChatGuest, type RoleChat, roleChat, setChatPage } from '../../core/store/oncall/role-chats.ts'
import type { InboxEvent } from '../../core/store/queues/inbox.ts'
import { readSettings } from '../../core/store/staff/settings.ts'
import type { Tx } from '../../core/store/tx.ts'
import { outcomeWords, readUrgency } from '../commands/pages/page-words.ts'
import { keyWait } from '../framework/run-command.ts'
import { type Written, writtenWords } from './chat-words.ts'
import type { RolesDeps } from './deps.ts'

const ignore: Effects = { kind: 'ignore' }

type Unread = 'unsigned' | 'no-key' | 'broken'

const sentences: Record<Unread, string> = {
  unsigned:
    'Nobody was paged: I read only devices that their owner has verified. Please verify this device and write again, or call by telephone.',
  'no-key':
    'Nobody was paged: I cannot read this message, its key did not reach me. Please write it again, or call by telephone.',
  broken: 'Nobody was paged: I cannot read this message. Please write it again, or call by telephone.',
}

/** Somebody wrote, and it could not be read: they are told so at once, with the way to help. */
const unread = async (tx: Tx, chat: RoleChat, event: InboxEvent, why: Unread): Promise<void> => {
  const help = (await readSettings(tx.sql))['help.url']
  await tx.audit({
    actor: { kind: 'user', id: event.sender },
    action: 'page.refuse',
    object: { kind: 'page', id: 'unread' },
    outcome: 'refused',
    reason: why,
    room: event.roomId,
  })
  const text = `${sentences[why]}${help ? ` Help: ${help}` : ''}`
  await tx.enqueueAll([
    chatReact(chat, `role-unread-mark:${event.eventId}`, event.eventId, '⛔'),
    chatSay(chat, `role-unread:${event.eventId}`, text),
  ])
}

/** Is somebody on duty for the role now who was when the page was made? */
const sameDuty = async (tx: Tx, chat: RoleChat, { createdAt }: StoredPage): Promise<boolean> => {
  const role = await clinicDuty.role(tx, chat.role)
  const before = role?.on(createdAt) ?? []
  return (role?.on(tx.now) ?? []).some(p => before.includes(p))
}

type Said = { chat: RoleChat; event: InboxEvent; written: Written; deviceId: string | null }

const page = async (tx: Tx, { chat, event, written, deviceId }: Said): Promise<void> => {
  const { priority, words } = readUrgency(written.text)
  const text = words === '' ? `(no words but: ${written.text})` : words
  const suggestion = triage(
    { priority, sender: event.sender, text, values: [] },
    triageRulesOf(await readSettings(tx.sql)),
  )
  const because = [...new Set(suggestion.why.map(w => w.because))].join('; ')
  const why = suggestion.raised ? [`The words suggest ${suggestion.priority}: ${because}.`] : []
  const made = await requestPage(tx, clinicDuty, {
    target: { kind: 'role', role: chat.role },
    priority,
    sender: event.sender,
    actor: { kind: 'user', id: event.sender, ...(deviceId === null ? {} : { device: deviceId }) },
    content: { text, from: event.sender, why, link: `https://matrix.to/#/${chat.roomId}` },
    what: text,
    // That this is a page of its own was decided above: the same words again, when nobody came, call everybody again.
    ...(chat.pageId === null ? {} : { key: event.eventId }),
    roomId: chat.roomId,
    eventId: event.eventId,
  })
  const say = (line: string) => tx.enqueue(chatSay(chat, `role-answer:${event.eventId}`, line))
  if (isRefusal(made)) {
    await say(`Nobody was paged: ${made.sentence}`)
    return
  }
  await setChatPage(tx, chat.roomId, made.id)
  // What becomes of a new page is told by the page itself.
  const lines = made.joined ? [outcomeWords(made, chat.role)] : []
  if (suggestion.raised) lines.push(`${why[0]} To raise it, write: ${suggestion.priority}`)
  if (lines.length > 0) await say(lines.join('\n'))
}

const actorOf = (user: string) => ({ kind: 'user', id: user }) as const

/** More words of a page that nobody has taken yet: they stand on the cards, and nobody is interrupted again unless it is more urgent now. */
const add = async (
  tx: Tx,
  { chat, event, written }: Said,
  stored: StoredPage,
  raise: Priority | null,
): Promise<void> => {
  const { id } = stored.page
  const by = event.sender
  const { words } = readUrgency(written.text)
  const content = await openContent(tx.deps, tx.sql, id)
  const from = content && content.from !== by ? `${by}: ` : ''
  if (words !== '') await addToContent(tx, id, `${from}${written.edit ? 'corrected: ' : ''}${words}`)
  const plan = raise && (await clinicDuty.role(tx, chat.role))?.policy.plans[raise]
  await answerPage(
    tx,
    clinicDuty,
    id,
    raise && plan ? { kind: 'raise', by, priority: raise, plan } : { kind: 'again', by },
    actorOf(by),
  )
}

const heed = async (tx: Tx, said: Said): Promise<void> => {
  const { event, written } = said
  // As it is now: an earlier message of the room may have made a page.
  const chat = (await roleChat(tx.sql, event.roomId)) ?? said.chat
  const stored = chat.pageId === null ? undefined : await lockPage(tx, chat.pageId)
  const { priority, said: prefixed } = readUrgency(written.text)
  const guest = event.sender !== chat.peer && (await isChatGuest(tx, chat.roomId, event.sender))
  const open = stored && {
    phase: stored.page.phase,
    priority: stored.page.priority,
    sameDuty: await sameDuty(tx, chat, stored),
  }
  const step = chatStep({ said: prefixed ? priority : null, guest, edit: written.edit }, open ?? null)
  if (step.do === 'page') await page(tx, { ...said, chat })
  if (step.do === 'add' && stored) await add(tx, { ...said, chat }, stored, step.raise)
}

const effectsOf = (chat: RoleChat, event: InboxEvent, read: Decryption): Effects => {
  const refused = (why: Unread): Effects => ({ kind: 'done', apply: tx => unread(tx, chat, event, why) })
  switch (read.kind) {
    case 'plaintext':
      return ignore
    case 'missing-key':
      if (event.expired || read.withheld) return refused('no-key')
      return { kind: 'park', reason: 'no room key', until: event.receivedAt + keyWait }
    case 'unsigned':
      return refused('unsigned')
    case 'forwarded':
    case 'unreadable':
      return refused('broken')
    case 'read':
      return understood(chat, event, read)
  }
}

const understood = (chat: RoleChat, event: InboxEvent, { type, content, deviceId }: Read): Effects => {
  const written = writtenWords(type, content)
  return written ? { kind: 'done', apply: tx => heed(tx, { chat, event, written, deviceId }) } : ignore
}

/** What a role does with an encrypted message in one of its chats: wakes the role's client, reads it, and pages whoever is on duty, or lets people talk. */
export const onRoleMessage =
  (d: RolesDeps): ((event: InboxEvent) => Promise<Effects>) =>
  async event => {
    const chat = await roleChat(d.store.db, event.roomId)
    if (!chat || event.type !== 'm.room.encrypted') return ignore
    const read = await d.pool.use(chat.user as UserId, bot => bot.decrypt(event.raw))
    return effectsOf(chat, event, read)
  }
