import { minutes } from '../domain/clock.ts'
import { otherServerWords, type ServerAnswer, sendAgain } from '../domain/records/other-server.ts'
import { type Answered, noteAnswers, type OpenRequest, openRequests } from '../store/records/other-servers.ts'
import { toldRecalls } from '../store/records/recall.ts'
import { type Tx, transact } from '../store/tx.ts'
import type { DeletionDeps } from './deletion.ts'
import { answerRecall } from './recall-answer.ts'

const batch = 200

/** Whoever heard that a server has no sign of it yet hears once it has. */
const tellReached = async (tx: Tx, reached: readonly OpenRequest[]): Promise<void> => {
  const told = await toldRecalls(
    tx.sql,
    reached.map(r => r.event),
  )
  for (const { event, server } of reached)
    for (const one of told.filter(t => t.event === event))
      await answerRecall(tx, one, `at:${server}`, `${otherServerWords({ server, state: 'reached', since: tx.now })}.`)
}

/**
 * Asks other servers whether they have the removals that were sent to them, and notes what they say; one that does not answer is asked again later, one that
 * has lost it is sent it again. Returns how many were asked about. @throws when our own homeserver is away.
 */
export const followServers = async (d: DeletionDeps): Promise<number> => {
  const now = d.store.clock.now()
  const open = await openRequests(d.store, { classes: d.classes, now, limit: batch })
  if (open.length === 0) return 0
  const requests = open.map(r => ({ server: r.server, event: r.redaction, again: sendAgain(r.askedAt, now) }))
  const { servers } = await d.homeserver.request<{ servers: Record<string, Record<string, ServerAnswer>> }>(
    'POST',
    '/_synapse/client/wardroom_servers',
    { body: { requests }, timeoutMs: minutes(5) },
  )
  const answered: Answered[] = open.flatMap(r => {
    const answer = servers[r.server]?.[r.redaction]
    return answer ? [{ ...r, answer }] : []
  })
  await transact(d.store, async tx => {
    const changed = await noteAnswers(tx, answered)
    await tellReached(
      tx,
      changed.filter(c => c.state === 'reached'),
    )
  })
  return open.length
}
