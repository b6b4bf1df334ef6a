import { minutes, seconds } from '../../domain/clock.ts'
import { chatBackWords } from '../../domain/oncall/words/chat-back-words.ts'
import { errorReason } from '../../error-facts.ts'
import type { Log } from '../../log.ts'
import type { Homeserver } from '../../matrix/homeserver.ts'
import { type Sweeps, startSweeps } from '../../queues/sweeps.ts'
import {
  isChatAway,
  type Meanwhile,
  noteChatAway,
  noteChatBack,
  pagesSince,
  uselessCards,
} from '../../store/oncall/chat-away.ts'
import { contactLate } from '../../store/oncall/page-contacts.ts'
import { lockPage } from '../../store/oncall/pages.ts'
import { namesOfPeople } from '../../store/oncall/people.ts'
import { roleUnits } from '../../store/oncall/read.ts'
import { readSettings } from '../../store/staff/settings.ts'
import { type NewJob, type StoreDeps, type Tx, transact } from '../../store/tx.ts'
import { wordingFor } from './commit-turns.ts'
import type { Duty } from './duty.ts'
import { answerPage, pager } from './engine.ts'
import { isPerson, localName } from './look-up.ts'

export type ChatWatchOptions = {
  store: StoreDeps
  duty: Duty
  homeserver: Pick<Homeserver, 'request'>
  log: Log
  /** Between two looks (2 s). */
  everyMs?: number
  /** How long an answer is waited for (2 s). */
  timeoutMs?: number
}

/** A shorter absence, in which no page went out, is not worth a message. */
const worthSaying = minutes(1)

const roleKey = (target: string): string | undefined => /^(?:role|rotation) ([^/]+)/.exec(target)?.[1]

/** The desks of the units concerned, and everybody who was called or who waits for an answer, read once what happened. */
const banners = async (tx: Tx, away: { id: number; from: number }, pages: readonly Meanwhile[]): Promise<NewJob[]> => {
  const units = await roleUnits(
    tx,
    pages.flatMap(p => roleKey(p.target) ?? []),
  )
  const names = await namesOfPeople(tx)
  const name = (user: string) => names.get(user)?.name ?? localName(user)
  const { 'clinic.time_zone': zone } = await readSettings(tx.sql)
  const words = (some: readonly Meanwhile[]) =>
    chatBackWords(
      {
        from: away.from,
        until: tx.now,
        pages: some.map(p => {
          const key = roleKey(p.target)
          return {
            page: p.page,
            target: (key && units.get(key)?.name) ?? key ?? localName(p.target.replace('user ', '')),
          }
        }),
      },
      wordingFor({ name }, zone),
    )
  const unitOf = (p: Meanwhile) => units.get(roleKey(p.target) ?? '')?.unit ?? 'main'
  const desks = Map.groupBy(pages, unitOf)
  if (desks.size === 0) desks.set('main', [])
  const concerned = (p: Meanwhile) =>
    [...new Set([...p.people, ...p.page.senders, ...p.page.acceptedBy])].filter(isPerson)
  const people = Map.groupBy(
    pages.flatMap(p => concerned(p).map(person => ({ person, p }))),
    c => c.person,
  )
  return [
    ...[...desks].map(([unit, some]) => ({
      queue: 'bots' as const,
      kind: 'desk.alert',
      key: `chat-back:${away.id}:desk:${unit}`,
      payload: { what: 'chat_back', unit, text: words(some) },
    })),
    ...[...people].map(([user, some]) => ({
      queue: 'bots' as const,
      kind: 'bot.say',
      key: `chat-back:${away.id}:${user}`,
      lane: user,
      payload: { to: { user }, text: words(some.map(s => s.p)) },
    })),
  ]
}

/** Noted, audited and said, once. */
const back = async (tx: Tx): Promise<number | undefined> => {
  const away = await noteChatBack(tx)
  if (!away) return undefined
  const pages = await pagesSince(tx.sql, away.from, 500)
  const lasted = tx.now - away.from
  await tx.audit({
    actor: pager,
    action: 'page.chat_back',
    object: { kind: 'service', id: 'homeserver' },
    outcome: 'done',
    detail: { seconds: Math.round(lasted / 1000), pages: pages.length },
  })
  if (pages.length > 0 || lasted >= worthSaying) await tx.enqueueAll(await banners(tx, away, pages))
  return lasted
}

/** A card that nobody can get or answer is not waited for: the next way to its reader is due. One that has not gone out follows when chat is back. */
const cardFailed = async (tx: Tx, duty: Duty, card: { page: string; key: string }): Promise<void> => {
  if (!(await lockPage(tx, card.page))) return
  if (await contactLate(tx, card, 'chat-away')) await answerPage(tx, duty, card.page, { kind: 'failed', key: card.key })
}

/** One look at the homeserver: notes that it is away (two questions without an answer), what that means for pages, and that it is back. */
export const lookAtChat = async (o: ChatWatchOptions & { lastSeen?: number }): Promise<boolean> => {
  const { store, duty, log } = o
  const answers = () =>
    o.homeserver.request('GET', '/_matrix/client/versions', { timeoutMs: o.timeoutMs ?? seconds(2) }).then(
      () => undefined,
      (err: unknown) => errorReason(err) || 'no answer',
    )
  const reason = (await answers()) && (await answers())
  if (reason === undefined) {
    if (!(await isChatAway(store.db))) return true
    const lasted = await transact(store, back)
    if (lasted !== undefined) log.warn({ seconds: Math.round(lasted / 1000) }, 'the homeserver is back')
    return true
  }
  const isNew = await transact(store, async tx => {
    if (!(await noteChatAway(tx, Math.min(o.lastSeen ?? tx.now, tx.now)))) return false
    const object = { kind: 'service', id: 'homeserver' } as const
    await tx.audit({ actor: pager, action: 'page.chat_away', object, outcome: 'failed', reason })
    return true
  })
  if (isNew) log.warn({ reason }, 'the homeserver is away; pages go by text and call')
  for (const card of await uselessCards(store.db, 500)) await transact(store, tx => cardFailed(tx, duty, card))
  return false
}

/** Watches the homeserver, in one process at a time. */
export const startChatWatch = (o: ChatWatchOptions): Sweeps => {
  const every = o.everyMs ?? seconds(2)
  let lastSeen: number | undefined
  const run = async () => {
    const at = o.store.clock.now()
    if (await lookAtChat({ ...o, ...(lastSeen === undefined ? {} : { lastSeen }) })) lastSeen = at
  }
  return startSweeps({ store: o.store, name: 'chat-watch', every, run, log: o.log })
}
