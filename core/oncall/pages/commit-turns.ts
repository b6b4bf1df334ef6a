import type { Actor, AuditAction, AuditEvent } from '../../domain/audit/event.ts'
import type { News, Page, PageEffect, Turn } from '../../domain/oncall/paging/page.ts'
import { newsWords, type Wording } from '../../domain/oncall/paging/page-words.ts'
import { addContacts, type Contact, type NewContact, openCalls } from '../../store/oncall/page-contacts.ts'
import { noteTimeline, savePages, type TimelineEntry } from '../../store/oncall/pages.ts'
import { chatsOfPages, type RoleChat } from '../../store/oncall/role-chats.ts'
import { readSettings } from '../../store/staff/settings.ts'
import type { NewJob, Tx } from '../../store/tx.ts'
import { chatInvite, chatSay } from './chat-jobs.ts'
import { deskNotices } from './desk-notice.ts'
import { isPerson, type LookedUp } from './look-up.ts'

/** The payload of the jobs about one contact: `page.card`, `page.sms`, `page.call`, `page.hangup`. */
export type ContactJob = { page: string; key: string }
/** `page.ask`: the misdirection guard's question, in its sender's chat. */
export type AskJob = { page: string; person: string }
/** `page.edit`: a person's card of this page is shown anew. */
export type EditJob = { page: string; person: string }

type Send = Extract<PageEffect, { do: 'send' | 'call_line' }>

const jobOf = {
  matrix: { queue: 'bots', kind: 'page.card' },
  sms: { queue: 'pages', kind: 'page.sms' },
  voice: { queue: 'pages', kind: 'page.call' },
  line: { queue: 'pages', kind: 'page.call' },
} as const

const contactFor = (page: string, e: Send, over: (person: string) => boolean): NewContact => ({
  page,
  key: e.key,
  way: e.do === 'send' ? e.way : 'line',
  person: e.do === 'send' ? e.person : e.line,
  priority: e.priority,
  overBudget: e.do === 'send' && over(e.person),
})

const confirmWords: Record<Extract<PageEffect, { do: 'confirm' }>['answer'], (ref: string) => string> = {
  accepted: ref => `${ref}: it is yours. When it is done: !resolve ${ref}. To give it on: !handover ${ref} @somebody`,
  declined: ref => `${ref}: you have declined; others are called.`,
  handed_over: ref => `${ref}: handed on.`,
  resolved: ref => `${ref}: resolved.`,
  kept: ref => `${ref}: nobody took over; it stays with you.`,
}

/** News that the audit log has as an event of its own; the rest is in the page's timeline. */
const auditOf = (news: News): { action: AuditAction; outcome?: 'failed'; reason?: string } | undefined => {
  switch (news.kind) {
    case 'exhausted':
      return { action: 'page.exhaust', outcome: 'failed', reason: 'nobody-accepted' }
    case 'fallback_failed':
      return { action: 'page.exhaust', outcome: 'failed', reason: 'fallback-failed' }
    case 'accepted':
    case 'handed_over':
      return { action: 'page.accept' }
    case 'declined':
    case 'given_back':
      return { action: 'page.decline' }
    case 'handing_over':
      return { action: 'page.hand_over' }
    case 'resolved':
      return { action: 'page.resolve' }
    case 'raised':
      return { action: 'page.raise' }
    case 'joined':
      return { action: 'page.join' }
    default:
      return undefined
  }
}

/** The clinic's wall time, as it is written to people. */
export const wordingFor = (ports: Pick<LookedUp, 'name'>, timeZone: string): Wording => ({
  name: ports.name,
  time: at => new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' }).format(at),
})

/** One turn of a page. `stored`: the page as it was before; a new one has version 0; `target` as the policy writes it. */
export type CommittedTurn = {
  stored: { version: number; target: string; patientId?: string }
  turn: Turn
  actor: Actor
  ports: LookedUp
  overBudget?: (person: string) => boolean
}

type Led = {
  contacts: NewContact[]
  jobs: NewJob[]
  news: { page: string; what: TimelineEntry }[]
  audits: Omit<AuditEvent, 'at'>[]
}

const contactJob = (c: NewContact): NewJob => ({
  ...jobOf[c.way],
  key: `page:${c.page}:${c.key}`,
  lane: c.way === 'matrix' ? `page:${c.page}:${c.person}` : undefined,
  payload: { page: c.page, key: c.key } satisfies ContactJob,
})

/**
 * What each person is told in this turn: one message, a line for each step, every line with the reference. Who asked for the page in a chat with a role (`chats`)
 * is told there.
 */
const messages = ({ turn, stored, ports }: CommittedTurn, zone: string, chats: readonly RoleChat[]): NewJob[] => {
  const { id, ref } = turn.page
  const wording = wordingFor(ports, zone)
  const lines = new Map<string, string[]>()
  const inChats: string[] = []
  const say = (to: string, text: string) => isPerson(to) && lines.set(to, [...(lines.get(to) ?? []), text])
  for (const e of turn.effects) {
    if (e.do === 'tell' && chats.length > 0) inChats.push(newsWords(ref, e.news, wording))
    else if (e.do === 'tell' && !(e.news.kind === 'guard' && turn.page.phase === 'asking'))
      for (const to of e.to) say(to, newsWords(ref, e.news, wording))
    if (e.do === 'confirm')
      say(
        e.person,
        e.answer === 'declined' && turn.page.phase === 'exhausted'
          ? `${ref}: you have declined; nobody else is called, and its sender is told.`
          : confirmWords[e.answer](ref),
      )
  }
  const key = (to: string) => `page:${id}:turn${stored.version + 1}:${to}`
  return [
    ...(inChats.length > 0 ? chats.map(c => chatSay(c, key(c.roomId), inChats.join('\n'))) : []),
    ...[...lines].map(([user, text]) => ({
      queue: 'bots' as const,
      kind: 'bot.say',
      key: key(user),
      lane: user,
      payload: { to: { user }, text: text.join('\n') },
    })),
  ]
}

/** Whoever took a page that was asked for in a chat with a role comes into that chat. */
const invitations = ({ turn }: CommittedTurn, chats: readonly RoleChat[]): NewJob[] => {
  const { id, ref } = turn.page
  const took = turn.effects.flatMap(e =>
    e.do === 'tell' && (e.news.kind === 'accepted' || e.news.kind === 'handed_over') ? [e.news.person] : [],
  )
  return took.filter(isPerson).flatMap(p => chats.map(c => chatInvite(c, `page:${id}:chat:${c.roomId}:${p}`, p, ref)))
}

/** Whose cards say something else after this: also those of whoever answered, and of those who had the page until now. */
const cardsChangedBy = (page: Page, e: PageEffect): readonly string[] => {
  if (e.do === 'stand_down' || e.do === 'update') return e.people
  if (e.do === 'confirm') return [e.person]
  if (e.do !== 'tell') return []
  if (e.news.kind === 'handed_over') return [e.news.from]
  return e.news.kind === 'resolved' ? page.acceptedBy : []
}

const edits = ({ turn, stored }: CommittedTurn): NewJob[] => {
  const { id } = turn.page
  const people = new Set(turn.effects.flatMap(e => cardsChangedBy(turn.page, e)))
  return [...people].filter(isPerson).map(person => ({
    queue: 'bots',
    kind: 'page.edit',
    key: `page:${id}:turn${stored.version + 1}:edit:${person}`,
    lane: `page:${id}:${person}`,
    payload: { page: id, person } satisfies EditJob,
  }))
}

/** A page that waits for its sender's word is asked about in a message of its own, which a tap answers. */
const questions = ({ turn: { page, effects } }: CommittedTurn): NewJob[] => {
  const asks = page.phase === 'asking' && effects.some(e => e.do === 'tell' && e.news.kind === 'guard')
  return (asks ? page.senders.filter(isPerson) : []).map(person => ({
    queue: 'bots',
    kind: 'page.ask',
    key: `page:${page.id}:ask:${person}`,
    lane: `page:${page.id}:${person}`,
    payload: { page: page.id, person } satisfies AskJob,
  }))
}

const hangUps = (turns: readonly CommittedTurn[], calls: readonly Contact[]): NewJob[] =>
  turns.flatMap(({ turn }) => {
    const released = turn.effects.flatMap(e => (e.do === 'stand_down' ? e.people : []))
    return calls
      .filter(c => c.page === turn.page.id && released.includes(c.person))
      .map(c => ({
        queue: 'pages',
        kind: 'page.hangup',
        key: `page:${c.page}:hangup:${c.key}`,
        payload: { page: c.page, key: c.key } satisfies ContactJob,
      }))
  })

const leadsTo = (t: CommittedTurn, zone: string, chats: readonly RoleChat[]): Led => {
  const { page, effects } = t.turn
  const about = { actor: t.actor, object: { kind: 'page', id: page.ref }, patient: t.stored.patientId } as const
  const contacts = effects
    .filter((e): e is Send => e.do === 'send' || e.do === 'call_line')
    .map(e => contactFor(page.id, e, t.overBudget ?? (() => false)))
  const news = effects.flatMap(e => (e.do === 'tell' ? [e.news] : []))
  return {
    contacts,
    jobs: [
      ...contacts.map(contactJob),
      ...messages(t, zone, chats),
      ...questions(t),
      ...invitations(t, chats),
      ...edits(t),
    ],
    news: news.map(n => ({ page: page.id, what: { kind: 'news', news: n } })),
    audits: [
      ...contacts.map(c => ({
        ...about,
        action: 'page.contact' as const,
        outcome: 'done' as const,
        detail: { way: c.way, priority: c.priority, contact: c.key },
      })),
      ...news.flatMap(n => {
        const entry = auditOf(n)
        return entry ? [{ ...about, outcome: 'done' as const, detail: { kind: n.kind }, ...entry }] : []
      }),
    ],
  }
}

/**
 * Saves pages as their turns left them, and what follows, in the caller's transaction: contacts with a job each under the key of its effect, messages, what
 * the desk is told, cards that change, the timeline and the audit log. Few statements, however many turns.
 */
export const commitTurns = async (tx: Tx, turns: readonly CommittedTurn[]): Promise<void> => {
  if (turns.length === 0) return
  const { 'clinic.time_zone': zone } = await readSettings(tx.sql)
  const chats = await chatsOfPages(
    tx,
    turns.map(t => t.turn.page.id),
  )
  const all = turns.map(t => leadsTo(t, zone, chats.get(t.turn.page.id) ?? []))
  const released = turns.filter(t => t.turn.effects.some(e => e.do === 'stand_down')).map(t => t.turn.page.id)
  const calls = released.length > 0 ? await openCalls(tx.sql, released) : []
  const known = turns.filter(t => t.stored.version > 0)
  if (known.length > 0)
    await savePages(
      tx,
      known.map(t => t.turn.page),
    )
  await addContacts(
    tx,
    all.flatMap(l => l.contacts),
  )
  await tx.enqueueAll([...all.flatMap(l => l.jobs), ...hangUps(turns, calls), ...(await deskNotices(tx, turns))])
  await noteTimeline(
    tx,
    all.flatMap(l => l.news),
  )
  await tx.auditAll(all.flatMap(l => l.audits))
}
