import express from 'express'
import { ipKeyGenerator } from 'express-rate-limit'
import { z } from 'zod'
import { seconds } from '../../core/domain/clock.ts'
import { priorities } from '../../core/domain/oncall/paging/priority.ts'
import { isRefusal } from '../../core/domain/refusal.ts'
import type { Duty } from '../../core/oncall/pages/duty.ts'
import { receiveAlarm } from '../../core/oncall/pages/receive-alarm.ts'
import { isEmptyBucket, isKnownBucket, takeToken } from '../../core/store/links/rate-limits.ts'
import { alarmSourceByToken } from '../../core/store/oncall/alarms.ts'
import { type StoreDeps, transact } from '../../core/store/tx.ts'

const line = (max: number) => z.string().trim().min(1).max(max)
/** The schema of an alarm; anything else in it is refused, so that nothing is believed to have been read. */
export const alarmBody = z.strictObject({
  what: line(200),
  text: line(2000).optional(),
  where: line(200).optional(),
  key: line(200).optional(),
  priority: z.enum(priorities).optional(),
  values: z
    .array(z.strictObject({ name: line(100), value: z.number(), unit: z.string().max(50) }))
    .max(50)
    .optional(),
})

const say = (res: express.Response, status: number, code: string, sentence: string) =>
  void res.status(status).json({ error: { code, sentence } })

/** What one source may send: bursts of a ward's monitors, not a stuck loop. */
const limit = { burst: 120, everyMs: seconds(0.5) }

/** Wrong tokens from one address: a misconfigured system, not somebody who guesses. */
const strangers = { burst: 20, everyMs: seconds(30) }
/** Whose right token is remembered by its address for a day; it never runs empty. */
const friends = { burst: 1e9, everyMs: 1 }

/**
 * To be mounted at `/alarms`: `POST /alarms` with `Authorization: Bearer …` (a source's token), `Idempotency-Key` and JSON. 202 when it is a page or part of one,
 * 200 when the same came before; committed before it is answered. 400, 401, 409 (the key came with another alarm), 413, 415, 422 (the role is gone), 429.
 */
export const alarmsRouter = ({ store, duty }: { store: StoreDeps; duty: Duty }): express.Router => {
  const router = express.Router({ caseSensitive: true, strict: true })
  const authenticated: express.RequestHandler = async (req, res, next) => {
    const now = store.clock.now()
    const address = store.seal.lookup('address', ipKeyGenerator(req.ip ?? 'unknown', 64)).slice(0, 32)
    // An address from which a source has sent is not shut: whoever guesses there must not silence its alarms.
    if (await isEmptyBucket(store.db, `alarm-stranger:${address}`, strangers, now))
      if (!(await isKnownBucket(store.db, `alarm-friend:${address}`)))
        return say(res, 429, 'too-many', 'Too many requests with a wrong token from this address.')
    const token = /^Bearer ([A-Za-z0-9]{10,64})$/.exec(req.get('authorization') ?? '')?.[1]
    const source = token && (await alarmSourceByToken(store.db, token))
    if (!source) await takeToken(store.db, `alarm-stranger:${address}`, strangers, now)
    if (!source) return say(res, 401, 'unauthorized', 'Send the token of an alarm source: Authorization: Bearer …')
    await takeToken(store.db, `alarm-friend:${address}`, friends, now)
    if (!(await takeToken(store.db, `alarm:${source.id}`, limit, now)))
      return say(res, 429, 'too-many', 'Too many alarms at once; send this one again in a moment.')
    res.locals.source = source
    res.locals.known = { actor: { kind: 'peer', id: source.id } }
    return next()
  }
  const json = express.json({ limit: '32kb', strict: true, type: 'application/json' })
  router.post('/', authenticated, json, async (req, res) => {
    if (!req.is('application/json')) return say(res, 415, 'not-json', 'Send application/json.')
    const key = req.get('idempotency-key') ?? ''
    if (!/^[\x21-\x7e]{1,200}$/.test(key))
      return say(
        res,
        400,
        'no-key',
        'Send an Idempotency-Key of 1 to 200 printable characters, a new one for every alarm.',
      )
    const alarm = alarmBody.safeParse(req.body)
    if (!alarm.success) {
      const where = alarm.error.issues.slice(0, 5).map(i => `${i.path.join('.') || 'alarm'}: ${i.code}`)
      return say(res, 400, 'bad-alarm', `The alarm does not fit the schema (${where.join(', ')}).`)
    }
    const said = await transact(store, tx => receiveAlarm(tx, duty, res.locals.source, key, alarm.data))
    if (isRefusal(said)) return say(res, said.code === 'other-body' ? 409 : 422, said.code, said.sentence)
    return void res.status(said.repeated ? 200 : 202).json(said.answer)
  })
  return router
}
