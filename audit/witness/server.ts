import { createHash } from 'node:crypto'
import express from 'express'
import { rateLimit } from 'express-rate-limit'
import type { Clock } from '../../core/domain/clock.ts'
import { isRefusal } from '../../core/domain/refusal.ts'
import { errorFacts } from '../../core/error-facts.ts'
import { type Listener, listen } from '../../core/http/listen.ts'
import type { Log } from '../../core/log.ts'
import { addCheckpointLimit, parseAddCheckpoint } from '../../core/tlog/add-checkpoint.ts'
import type { SigningKey, VerifierKey } from '../../core/tlog/key.ts'
import { signatureLine } from '../../core/tlog/note.ts'
import { oneByOne } from '../one-by-one.ts'
import type { WitnessState } from './folder.ts'
import { judge, type Signed } from './judge.ts'

export type WitnessOptions = {
  key: SigningKey
  /** The keys of the logs that it follows, as they are now. */
  trusted: () => readonly VerifierKey[]
  state: WitnessState
  clock: Clock
  log: Log
  host?: string
  port?: number
}

const originHash = (origin: string): string => createHash('sha256').update(origin).digest('hex')

/**
 * Serves a witness (C2SP tlog-witness): `POST /add-checkpoint`, which cosigns a checkpoint only when it continues the last one, and answers only after that is on
 * disk; and `GET /<origin hash>/checkpoint`, the newest that it cosigned. Anybody may call it: only the logs' own signatures count.
 */
export const startWitness = (o: WitnessOptions): Promise<Listener> => {
  // What was seen and what is remembered of it belong together.
  const inTurn = oneByOne()

  const cosign = async ({ origin, size, text, note }: Signed): Promise<string> => {
    const line = signatureLine(text, o.key, o.clock)
    await o.state.remember(origin, note + line)
    o.log.info({ origin, size }, 'cosigned')
    return line
  }

  const submit = (body: string): Promise<{ status: number; type: string; text: string }> =>
    inTurn(async () => {
      const answer = (status: number, text: string, type = 'text/plain; charset=utf-8') => ({ status, type, text })
      const submission = parseAddCheckpoint(body)
      if (isRefusal(submission)) return answer(400, `${submission.sentence}\n`)
      const judgement = judge(submission, o.trusted(), origin => o.state.latest(origin))
      if (judgement.kind === 'cosign') return answer(200, await cosign(judgement.signed))
      if (judgement.evidence) {
        const { origin, size } = judgement.evidence
        o.log.warn(
          { origin, size },
          'a log signed a checkpoint that was not shown to continue the one that was cosigned',
        )
        await o.state.keepEvidence(judgement.evidence)
      }
      return judgement.kind === 'conflict'
        ? answer(409, `${judgement.size}\n`, 'text/x.tlog.size')
        : answer(judgement.status, `${judgement.sentence}\n`)
    })

  const app = express().disable('x-powered-by')
  // Behind a TLS proxy all callers share its address, and may: a log asks once for each of its checkpoints.
  const validate = { xForwardedForHeader: false }
  app.use(rateLimit({ windowMs: 60_000, limit: 600, standardHeaders: 'draft-8', legacyHeaders: false, validate }))
  app.post('/add-checkpoint', express.text({ type: () => true, limit: addCheckpointLimit }), async (req, res) => {
    const { status, type, text } = await submit(typeof req.body === 'string' ? req.body : '')
    // Node's own, because Express would put a character set behind the type that the specification names.
    res.writeHead(status, { 'Content-Type': type }).end(text)
  })
  app.get('/:hash/checkpoint', (req, res) => {
    const origin = o.trusted().find(k => originHash(k.name) === req.params.hash)?.name
    const latest = origin === undefined ? undefined : o.state.latest(origin)
    if (!latest) return void res.status(404).type('text/plain').send('No checkpoint of that log was cosigned.\n')
    res.set('Cache-Control', 'no-store').type('text/plain').send(latest.note)
  })
  app.use((_req: express.Request, res: express.Response) => void res.status(404).type('text/plain').send('Not here.\n'))
  app.use((err: Error & { status?: number }, _req: express.Request, res: express.Response, _next: unknown) => {
    const status = err.status !== undefined && err.status < 500 ? err.status : 500
    if (status === 500) o.log.error({ err: errorFacts(err) }, 'a submission could not be judged')
    res
      .status(status)
      .type('text/plain')
      .send(status === 413 ? 'That is too long.\n' : 'That did not work.\n')
  })
  return listen(app, { host: o.host, port: o.port })
}
