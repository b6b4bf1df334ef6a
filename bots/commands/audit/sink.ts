import type { Actor } from '../../../core/domain/audit/event.ts'
import {
  badSinkName,
  isSinkName,
  type SinkAddJob,
  type SinkAsk,
  type SinkTestJob,
} from '../../../core/domain/audit/sink.ts'
import { sinkCodeMeaning } from '../../../core/domain/audit/sink-codes.ts'
import { isRefusal, type Refusal, refuse } from '../../../core/domain/refusal.ts'
import {
  deadEntries,
  removeSink,
  replayDead,
  replaySink,
  type SinkHealth,
  setSinkIdentify,
  setSinkState,
  sinkHealth,
} from '../../../core/store/sinks/sinks.ts'
import { answer, table } from '../../framework/answer.ts'
import { type Arg, choice, named, optional, phrase, word } from '../../framework/args.ts'
import { type Command, type CommandContext, command } from '../../framework/command.ts'
import { ago } from '../patient-status.ts'
import { between, moment } from './audit-args.ts'

const officers = ['admin', 'compliance'] as const

const sinkName = (): Arg<string> =>
  word('<name>', 'siem', text => {
    const name = text.toLowerCase()
    return isSinkName(name) ? name : refuse('bad-name', badSinkName)
  })

/** `token SECRET index audit`, or `token=SECRET`: everything that is left, in pairs. No sentence repeats a word of it. */
const optionPairs = (): Arg<Record<string, string>> => ({
  usage: '<option> <value> …',
  example: 'format cef ca siem-ca.pem',
  take: tokens => {
    const options: Record<string, string> = {}
    for (let i = 0; i < tokens.length; i++) {
      const text = tokens[i]?.text ?? ''
      const [, joined, tail] = /^(?:--)?([a-z]{1,20})[=:](.+)$/is.exec(text) ?? []
      const name = (joined ?? text.replace(/^--/, '')).toLowerCase()
      const value = tail ?? tokens[++i]?.text
      if (!/^[a-z]{1,20}$/.test(name) || value === undefined)
        return refuse('bad-option', 'Options are pairs of a name and a value; see !audit sink types.')
      if (Object.hasOwn(options, name)) return refuse('twice', `"${name}" is given twice.`)
      options[name] = value
    }
    return { value: options, used: tokens.length }
  },
})

const actorOf = ({ sender }: CommandContext): Actor => ({ kind: 'user', id: sender.userId, device: sender.deviceId })
const askOf = ({ sender, room, eventId, thread }: CommandContext): SinkAsk => ({
  by: { userId: sender.userId, deviceId: sender.deviceId },
  room: room.roomId,
  thread,
  eventId,
})
const give = ({ tx, eventId }: CommandContext, kind: string, payload: SinkAsk | SinkTestJob | SinkAddJob) =>
  tx.enqueue({ queue: 'audit', kind, key: `${kind}:${eventId}`, payload })

const onlyCompliance = (): Refusal =>
  refuse('compliance-only', 'Only compliance may let a sink send what commitments stand for.')

const sinkAdd = command({
  words: ['audit', 'sink', 'add'],
  needs: officers,
  args: {
    name: sinkName(),
    type: word('<type>', 'syslog', text => text.toLowerCase()),
    target: phrase('address or file', 'siem.clinic.example:6514', 500),
    options: optional(optionPairs()),
  },
  help: 'Export the log to a receiver: sends a test entry first, and adds the sink when it was taken.',
  detail: 'Types and their options: !audit sink types. Files are named, not given as paths.',
  phi: true,
  run: async (context, { name, type, target, options = {} }) => {
    const { identify = 'no', from = 'start', ...others } = options
    if (!['yes', 'no'].includes(identify)) return refuse('bad-option', 'identify is yes or no.')
    if (!['start', 'now'].includes(from)) return refuse('bad-option', 'from is start or now.')
    if (identify === 'yes' && !context.sender.roles.includes('compliance')) return onlyCompliance()
    await give(context, 'sink.add', {
      ...askOf(context),
      name,
      type,
      target,
      options: others,
      identify: identify === 'yes',
      fromNow: from === 'now',
    })
    return answer('I am trying it out with a test entry; the result follows here.')
  },
})

const sinkTypes = command({
  words: ['audit', 'sink', 'types'],
  needs: officers,
  args: {},
  help: 'The kinds of receivers, with an example and the options of each.',
  run: async context => {
    await give(context, 'sink.types', askOf(context))
    return answer('Here they come.')
  },
})

const row = (s: SinkHealth, now: number): string[] => [
  s.name,
  `${s.type} → ${s.target}`,
  `${s.state}${s.identify ? ', identifies' : ''}`,
  s.lagEntries === 0 ? 'nothing' : `${s.lagEntries}, the oldest from ${ago(now - s.lagMs, now)}`,
  String(s.dead),
  s.lastOkAt === null ? 'never' : ago(s.lastOkAt, now),
  s.lastErrorCode ? sinkCodeMeaning(s.lastErrorCode) : '',
]

const sinkList = command({
  words: ['audit', 'sink', 'list'],
  needs: officers,
  args: {},
  help: 'Where the log is exported to, how far each sink is, and what is wrong with it.',
  run: async ({ tx }) => {
    const all = await sinkHealth(tx.sql, tx.now)
    if (all.length === 0) return answer('The log is exported nowhere; see !audit sink types.')
    const head = ['Name', 'To', 'State', 'Waiting', 'Set aside', 'Last taken', 'Trouble']
    return answer(
      ...table(
        head,
        all.map(s => row(s, tx.now)),
      ),
    )
  },
})

const sinkTest = command({
  words: ['audit', 'sink', 'test'],
  needs: officers,
  args: { name: sinkName() },
  help: 'Send one test entry now and say what the receiver answered.',
  run: async (context, { name }) => {
    await give(context, 'sink.test', { ...askOf(context), name })
    return answer('I am sending a test entry; the result follows here.')
  },
})

const sinkPause = command({
  words: ['audit', 'sink', 'pause'],
  needs: officers,
  args: { name: sinkName() },
  help: 'Stop sending to one receiver; nothing is lost, it goes on where it was.',
  run: async (context, { name }) =>
    (await setSinkState(context.tx, name, 'paused', actorOf(context))) ??
    answer(`${name} is paused. To go on: !audit sink resume ${name}`),
})

const sinkResume = command({
  words: ['audit', 'sink', 'resume'],
  needs: officers,
  args: { name: sinkName() },
  help: 'Go on sending, at once.',
  run: async (context, { name }) =>
    (await setSinkState(context.tx, name, 'on', actorOf(context))) ?? answer(`${name} goes on where it was.`),
})

const sinkReplay = command({
  words: ['audit', 'sink', 'replay'],
  needs: officers,
  args: { name: sinkName(), from: named('from', { ...moment(), example: '2026-11-01' }) },
  help: 'Send everything from a day on once more; receivers tell repeats by the entry’s number.',
  run: async (context, { name, from: day }) => {
    const { tx, settings } = context
    const { from = 0 } = between({ since: day }, tx.now, settings['clinic.time_zone'])
    const idx = await replaySink(tx, name, from, actorOf(context))
    return isRefusal(idx) ? idx : answer(`${name} sends everything from entry ${idx} on once more.`)
  },
})

const sinkRemove = command({
  words: ['audit', 'sink', 'remove'],
  needs: officers,
  args: { name: sinkName() },
  help: 'Stop exporting to a receiver and forget how far it was.',
  run: async (context, { name }) =>
    (await removeSink(context.tx, name, actorOf(context))) ?? answer(`${name} is removed; what it got stays there.`),
})

const sinkIdentify = command({
  words: ['audit', 'sink', 'identify'],
  needs: 'compliance',
  args: { name: sinkName(), on: choice(['on', 'off']) },
  help: 'Whether a sink’s entries say whom and what commitments stand for; what it has then, erasing a patient here does not reach.',
  run: async (context, { name, on }) =>
    (await setSinkIdentify(context.tx, name, on === 'on', actorOf(context))) ??
    answer(on === 'on' ? `From now on ${name} gets what commitments stand for.` : `${name} gets commitments only.`),
})

const sinkDead = command({
  words: ['audit', 'sink', 'dead'],
  needs: officers,
  args: { name: sinkName(), again: optional(choice(['again'])) },
  help: 'Entries that a receiver refused for good, with its reason; "again" sends them once more.',
  run: async (context, { name, again }) => {
    if (again) {
      const entries = await replayDead(context.tx, name, actorOf(context))
      if (isRefusal(entries)) return entries
      return answer(
        entries === 0
          ? 'Nothing was set aside.'
          : `${entries} ${entries === 1 ? 'entry is' : 'entries are'} sent again.`,
      )
    }
    const dead = await deadEntries(context.tx.sql, name)
    if (!dead) return refuse('unknown-sink', `There is no sink ${name}; see !audit sink list.`)
    if (dead.length === 0) return answer('Nothing was set aside.')
    const at = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace('T', ' ')
    return answer(
      ...table(
        ['Entry', 'Action', 'When (UTC)', 'Why'],
        dead.map(d => [
          String(d.idx),
          d.action ?? '(pruned)',
          at(d.at),
          sinkCodeMeaning(d.code) + (d.again ? ', is sent again' : ''),
        ]),
      ),
      `To send them once more: !audit sink dead ${name} again`,
    )
  },
})

/** What is typed after `!audit sink`. */
export const sinkCommands: readonly Command[] = [
  sinkList,
  sinkTypes,
  sinkAdd,
  sinkTest,
  sinkPause,
  sinkResume,
  sinkReplay,
  sinkDead,
  sinkIdentify,
  sinkRemove,
]
