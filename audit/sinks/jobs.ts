import type { Actor } from '../../core/domain/audit/event.ts'
import type { AuditRecord } from '../../core/domain/audit/record.ts'
import type { SinkAddJob, SinkAsk, SinkTestJob } from '../../core/domain/audit/sink.ts'
import { sinkCodeMeaning } from '../../core/domain/audit/sink-codes.ts'
import { isRefusal, type Refusal, refuse } from '../../core/domain/refusal.ts'
import type { JobHandler, Outcome } from '../../core/queues/outbox-worker.ts'
import { sinkByName } from '../../core/store/sinks/sink-turns.ts'
import { addSink } from '../../core/store/sinks/sinks.ts'
import type { Tx } from '../../core/store/tx.ts'
import type { AuditDeps } from '../deps.ts'
import { errorCode } from './codes.ts'
import { readConfig } from './options.ts'
import { sinkEnv } from './runner.ts'
import type { Delivery, SinkTarget, SinkType } from './sink.ts'
import { sinkTypes } from './types/index.ts'

type Deps = Pick<AuditDeps, 'store' | 'sinkFolder' | 'serverName' | 'publicUrl'>

const actorOf = ({ by }: SinkAsk): Actor => ({ kind: 'user', id: by.userId, device: by.deviceId })

const answer = async (tx: Tx, ask: SinkAsk, text: string): Promise<void> => {
  const payload = { to: { room: ask.room }, text, thread: ask.thread }
  await tx.enqueue({ queue: 'bots', kind: 'bot.say', key: `sink:${ask.eventId}`, lane: ask.room, payload })
}

/** An entry that is none of the log: it shows that a receiver takes what it is given. */
const testRecord = (now: number, name: string): AuditRecord => ({
  idx: -1,
  id: 0,
  at: now,
  actor: { kind: 'service', ref: 'audit' },
  action: 'sink.test',
  object: { kind: 'sink', ref: name },
  outcome: 'done',
  detail: { test: true },
})

const tryOut = async (d: Deps, type: SinkType, name: string, config: SinkTarget): Promise<Delivery> => {
  try {
    const sink = type.open(config, sinkEnv(d))
    try {
      return await sink.send([{ record: testRecord(d.store.clock.now(), name), subjects: new Map() }])
    } finally {
      await sink.close()
    }
  } catch (err) {
    return { kind: 'wait', code: errorCode(err) }
  }
}

/** The code of what went wrong, or undefined. */
const faultOf = (delivery: Delivery): string | undefined =>
  delivery.kind === 'taken' ? delivery.refused?.[0]?.code : delivery.code

const typeNamed = (name: string): SinkType | Refusal =>
  sinkTypes.find(t => t.name === name) ??
  refuse('unknown-type', `There is no such type of sink; there are ${sinkTypes.map(t => t.name).join(', ')}.`)

/** `sink.add`: checks what was typed, sends a test entry, and adds the sink when its receiver took that. */
const add =
  (d: Deps): JobHandler =>
  async job => {
    const ask = job.payload as SinkAddJob
    const refused = ({ code, sentence }: Refusal): Outcome => ({
      kind: 'done',
      apply: async tx => {
        const object = { kind: 'sink' as const, id: ask.name }
        await tx.audit({ actor: actorOf(ask), action: 'sink.add', object, outcome: 'refused', reason: code })
        await answer(tx, ask, `⛔ Not added. ${sentence}`)
      },
    })
    const type = typeNamed(ask.type)
    if (isRefusal(type)) return refused(type)
    const config = readConfig(type, ask.target, ask.options)
    if (isRefusal(config)) return refused(config)
    const tested = await tryOut(d, type, ask.name, config)
    const fault = faultOf(tested)
    if (fault)
      return refused(
        refuse(
          fault,
          `A test entry did not arrive: ${sinkCodeMeaning(fault)}. Nothing is lost; mend it and add the sink again.`,
        ),
      )
    return {
      kind: 'done',
      apply: async tx => {
        const { options, shown, target } = config
        const sink = { name: ask.name, type: type.name, target, options: { ...options }, shown, identify: ask.identify }
        const no = await addSink(tx, sink, actorOf(ask), { fromNow: ask.fromNow, exclusive: type.exclusive === true })
        const said = tested.kind === 'taken' ? tested.answer : ''
        const from = ask.fromNow ? 'what happens from now on' : 'the whole log from its beginning, then what happens'
        await answer(
          tx,
          ask,
          no
            ? `⛔ Not added. ${no.sentence}`
            : `✅ The sink ${ask.name} is added. Its receiver took a test entry (${said}). It gets ${from}.`,
        )
      },
    }
  }

/** `sink.test`: sends one test entry now and says what the receiver answered. */
const test =
  (d: Deps): JobHandler =>
  async job => {
    const ask = job.payload as SinkTestJob
    const sink = await sinkByName(d.store, ask.name)
    const type = sink && sinkTypes.find(t => t.name === sink.type)
    const tested = sink && type ? await tryOut(d, type, sink.name, sink) : undefined
    const fault = tested ? faultOf(tested) : 'unknown-sink'
    const said = tested?.kind === 'taken' ? tested.answer : ''
    return {
      kind: 'done',
      apply: async tx => {
        const object = { kind: 'sink' as const, id: ask.name }
        await tx.audit({
          actor: actorOf(ask),
          action: 'sink.test',
          object,
          outcome: fault ? 'failed' : 'done',
          reason: fault,
        })
        if (!tested) return answer(tx, ask, `There is no sink ${ask.name}; see !audit sink list.`)
        await answer(
          tx,
          ask,
          fault
            ? `⛔ ${ask.name} did not take a test entry: ${sinkCodeMeaning(fault)}.`
            : `✅ ${ask.name} took a test entry: ${said}.`,
        )
      },
    }
  }

/** `sink.types`: every type with an example and its options. */
const describe: JobHandler = async job => {
  const ask = job.payload as SinkAsk
  const lines = sinkTypes.flatMap(t => [
    `${t.name}: ${t.about}`,
    `    !audit sink add ${t.example}`,
    ...Object.entries(t.options).map(([name, o]) => `    ${name}${o.required ? ' (needed)' : ''}: ${o.about}`),
  ])
  const everywhere =
    'Every type: identify yes (compliance only) sends what commitments stand for; from now leaves out what the log holds already.'
  return { kind: 'done', apply: tx => answer(tx, ask, [...lines, everywhere].join('\n')) }
}

export const sinkJobs = (d: Deps): Record<string, JobHandler> => ({
  'sink.add': add(d),
  'sink.test': test(d),
  'sink.types': describe,
})
