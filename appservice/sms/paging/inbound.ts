import { minutes } from '../../../core/domain/clock.ts'
import { type ReadReply, readReply } from '../../../core/domain/oncall/paging/reply.ts'
import { isRefusal, type Refusal } from '../../../core/domain/refusal.ts'
import type { Duty } from '../../../core/oncall/pages/duty.ts'
import { answerPage } from '../../../core/oncall/pages/engine.ts'
import { takeToken } from '../../../core/store/links/rate-limits.ts'
import { pagesOf } from '../../../core/store/oncall/page-contacts.ts'
import { pageByRef, type StoredPage } from '../../../core/store/oncall/pages.ts'
import { finishInbound, type InboundText } from '../../../core/store/texts/inbound-texts.ts'
import type { Tx } from '../../../core/store/tx.ts'
import type { TextBackJob } from './jobs.ts'

type Waiting = { person: string; id: string; ref: string; has: boolean }

/** What goes back by text: no name, as in every text. */
const refusedWords: Record<string, string> = {
  closed: 'is closed',
  'already-accepted': 'was taken by somebody else',
  'handed-to-another': 'is being handed to somebody else',
  'not-asked': 'did not ask you',
}
const afterwards = (ref: string, answer: ReadReply['answer'], said: StoredPage | Refusal): string => {
  if (isRefusal(said)) return `${ref} ${refusedWords[said.code] ?? 'cannot be answered so'}. Open your chat.`
  if (answer === 'accept') return `${ref} is yours. Open your chat.`
  return said.page.phase === 'exhausted'
    ? `${ref}: declined. Nobody else is called; the sender is told.`
    : `${ref}: declined. Others are called.`
}

const back = (tx: Tx, text: InboundText, body: string) =>
  tx.enqueue({
    queue: 'pages',
    kind: 'page.text',
    key: `page-text:${text.providerId}`,
    payload: { to: text.phone, body } satisfies TextBackJob,
  })

const waitingFor = async (tx: Tx, people: readonly string[]): Promise<Waiting[]> => {
  const all: Waiting[] = []
  for (const person of people) for (const p of await pagesOf(tx.sql, person)) all.push({ person, ...p })
  return all
}

const answer = async (
  tx: Tx,
  duty: Duty,
  at: { id: string; person: string; ref: string },
  given: ReadReply['answer'],
) => {
  const said = await answerPage(
    tx,
    duty,
    at.id,
    { kind: given, by: at.person, way: 'sms' },
    { kind: 'user', id: at.person },
  )
  return afterwards(at.ref, given, said)
}

/** What an answer comes to; undefined when it can mean no page at all. */
const resolve = async (
  tx: Tx,
  duty: Duty,
  people: readonly [string, ...string[]],
  said: ReadReply,
): Promise<string | undefined> => {
  const waiting = await waitingFor(tx, people)
  if (said.ref !== undefined) {
    const named = waiting.filter(w => w.ref === said.ref)
    const mine = named.find(w => !w.has) ?? named[0]
    if (mine) return answer(tx, duty, mine, said.answer)
    const known = await pageByRef(tx.sql, said.ref)
    return known
      ? answer(tx, duty, { id: known.page.id, person: people[0], ref: said.ref }, said.answer)
      : `There is no page ${said.ref}.`
  }
  // A bare "ok" means what is still open; a bare "no" also gives back what one has.
  const open = waiting.filter(w => !w.has)
  // Several people of one telephone may be called about one page.
  const meant = [
    ...new Map(
      (open.length > 0 || said.answer === 'accept' ? open : waiting).toReversed().map(w => [w.id, w]),
    ).values(),
  ].toReversed()
  const [only, second] = meant
  if (!only) return undefined
  if (!second) return answer(tx, duty, only, said.answer)
  return `Which page? Answer with its reference: ${meant.map(w => w.ref).join(', ')}.`
}

const hint =
  'Answer a page with its reference, for instance 7Q4K to take it or NO 7Q4K. For anything else open your chat.'

/**
 * A text from a number of somebody on call: it answers their page and goes to no care room (row 38). False when it is none of paging's: nobody on call has the
 * number, or it is a patient's too (`isPatient`) and says nothing about a page.
 */
export const answerByText = async (
  tx: Tx,
  duty: Duty,
  text: InboundText,
  isPatient: () => Promise<boolean>,
): Promise<boolean> => {
  const [first, ...others] = await duty.peopleWithNumber(tx, text.phone)
  if (first === undefined) return false
  const said = text.media === 0 ? readReply(text.body) : undefined
  const words = said && (await resolve(tx, duty, [first, ...others], said))
  if (words === undefined && (await isPatient())) return false
  await finishInbound(tx, text.providerId, null)
  if (words !== undefined) await back(tx, text, words)
  else if (await takeToken(tx.sql, `page-hint:${text.phoneLookup}`, { burst: 1, everyMs: minutes(10) }, tx.now))
    await back(tx, text, hint)
  return true
}
