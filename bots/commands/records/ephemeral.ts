import { hours } from '../../../core/domain/clock.ts'
import {
  ephemeralMark,
  ephemeralNotice,
  isNoLonger,
  type Life,
  lifeOf,
  lifeWords,
  longestLife,
  shortestLife,
} from '../../../core/domain/records/ephemeral.ts'
import { isRefusal, type Refusal, refuse } from '../../../core/domain/refusal.ts'
import {
  type EphemeralTarget,
  endEphemeral,
  listEphemeral,
  liveEphemeral,
  makeEphemeral,
} from '../../../core/store/records/ephemeral.ts'
import { recordById, type StoredRecord } from '../../../core/store/records/fates.ts'
import { isKnownRoom, patientOfRoom } from '../../../core/store/records/rooms.ts'
import { type Answer, about, answer, table } from '../../framework/answer.ts'
import { type Arg, duration } from '../../framework/args.ts'
import { type CommandContext, command, type Standing } from '../../framework/command.ts'
import { say } from '../../framework/say.ts'
import { targetArg } from './policy-args.ts'

/** `24h`, `after read 1h`, `off`. */
const lifeArg = (): Arg<Life | 'off'> => ({
  usage: '<time>|after read <time>|off',
  example: '24h',
  take: (tokens, env) => {
    const words = tokens.map(t => t.text.toLowerCase())
    if (words[0] === 'off') return { value: 'off', used: 1 }
    const read = words[0] === 'after' && words[1] === 'read'
    const skipped = read ? 2 : 0
    const time = duration().take(tokens.slice(skipped), env)
    if (isRefusal(time))
      return refuse('bad-duration', 'Expected a time such as 30m, 24h or 7d, or after read 1h, or off.')
    if (time.value < shortestLife || time.value > longestLife)
      return refuse('out-of-range', 'What is ephemeral lives at least 5 minutes and at most 90 days.')
    return { value: { from: read ? 'read' : 'sent', keepMs: time.value }, used: time.used + skipped }
  },
})

const notYours = refuse(
  'not-yours',
  'Only a member who may remove messages in that room, or the sender of a message, for that message, may do this.',
)

/** May its sender, who has no power in the room, do this to an own message? Later than a recall it is none of theirs, and a room's short life is the room's. */
const senderMay = async (
  { tx, sender, settings }: CommandContext,
  r: StoredRecord,
  life: Life | null,
): Promise<Refusal | undefined> => {
  if (r.sender !== sender.userId) return notYours
  const window = settings['recall.window_hours']
  if (tx.now - r.sentAt > hours(window))
    return refuse(
      'too-late',
      `You can do this for ${window} hours after sending a message; somebody with power in the room still can.`,
    )
  const now = lifeOf(r.labels)
  if (!now || (life && isNoLonger(life, now))) return undefined
  const own = await liveEphemeral(tx.sql, { room: r.room, event: r.event })
  return own?.by === sender.userId
    ? undefined
    : refuse(
        'room-rule',
        `In that room messages go ${lifeWords(now)}; only somebody with power there can make one live longer.`,
      )
}

/** The message that is meant, or why it cannot be. */
const messageMeant = async ({ tx }: CommandContext, target: EphemeralTarget): Promise<StoredRecord | Refusal> => {
  const found = target.event ? await recordById(tx.sql, target.event) : undefined
  if (!found || found.room !== target.room)
    return refuse(
      'unknown-message',
      'This message is not known here: it is older than the records, or of another server.',
    )
  return found.doomedAt !== null || found.destroyedAt !== null || found.recalledAt !== undefined
    ? refuse('gone', 'This message is gone already, or goes now.')
    : found
}

/** Shows it where people see it: a notice in the room, a sign on the message. False where nobody of ours is in the room. */
const show = async (
  { tx, eventId }: CommandContext,
  { room, event, patient }: EphemeralTarget,
  life: Life | null,
  { botIsIn }: Standing,
): Promise<boolean> => {
  if (event && life === null) return true
  const key = `ephemeral:${eventId}:shown`
  if (patient)
    await tx.enqueue({
      queue: 'bridge',
      kind: 'care.ephemeral',
      key,
      lane: room,
      payload: { patientId: patient, event, life },
      patient,
    })
  else if (!botIsIn) return false
  else if (event)
    await tx.enqueue({
      queue: 'bots',
      kind: 'bot.react',
      key,
      lane: room,
      payload: { room, event, key: ephemeralMark },
    })
  else await say(tx, key, { room }, answer(ephemeralNotice(life)))
  return true
}

export const ephemeral = command({
  words: ['ephemeral'],
  needs: ['clinician', 'supervisor', 'compliance', 'desk'],
  args: { target: targetArg(), life: lifeArg() },
  help: 'Let what is written in a room from now on, or one message, live shortly; the room shows it.',
  detail:
    'For members who may remove messages there, and for the sender of a message. "after read" runs from the first read receipt of somebody else. ' +
    'Refused under a legal hold, and where a statutory minimum is longer.',
  prepare: (lookups, { target }, sender) => lookups.standingIn(target.room, sender),
  run: async (context, { target: named, life: wanted }, standing): Promise<Answer | Refusal> => {
    const { tx, sender } = context
    const life = wanted === 'off' ? null : wanted
    if (!standing)
      return refuse(
        'no-module',
        'The homeserver does not run Wardroom’s module, so nobody can tell who has power in that room.',
      )
    if (!standing.member || !(await isKnownRoom(tx.sql, named.room)))
      return refuse('unknown-room', 'You are in no such room that is known here; is it the right link?')
    const target: EphemeralTarget = { ...named, patient: (await patientOfRoom(tx.sql, named.room)) ?? undefined }
    const message = target.event ? await messageMeant(context, target) : undefined
    if (isRefusal(message)) return message
    const not = standing.mayRemove ? undefined : message ? await senderMay(context, message, life) : notYours
    if (not) return not
    if (life === null && !(await endEphemeral(tx, target, sender.userId)))
      return refuse('no-change', 'It is not ephemeral.')
    const refused = life && (await makeEphemeral(tx, target, life, { by: sender.userId, facts: message }))
    if (refused) return refused
    const shown = await show(context, target, life, standing)
    const what = message ? 'The message' : 'What is written there from now on'
    const said = answer(
      life === null
        ? `${what} is no longer ephemeral; other rules decide.${message ? '' : ' What was written while it was still goes.'}`
        : `${what} goes ${lifeWords(life)}, within five minutes of that time.`,
      ...(life?.from === 'read' ? ['Receipts can be private: what nobody is known to have read stays.'] : []),
      ...(shown ? [] : ['I am not in that room and cannot show it there: please tell its people.']),
    )
    return target.patient ? about(target.patient as never, said) : said
  },
})

const minute = (at: number) => new Date(at).toISOString().slice(0, 16).replace('T', ' ')

export const ephemeralList = command({
  words: ['ephemeral', 'list'],
  needs: ['clinician', 'supervisor', 'compliance', 'admin', 'desk'],
  args: {},
  help: 'The rooms and messages that live shortly: those that you made so, for compliance officers all.',
  views: 'retention.view',
  run: async ({ tx, sender }) => {
    const all = sender.roles.includes('compliance')
    const found = await listEphemeral(tx.sql, all ? {} : { by: sender.userId })
    if (found.length === 0) return answer(all ? 'Nothing is ephemeral.' : 'You made nothing ephemeral.')
    const link = (e: EphemeralTarget) => `https://matrix.to/#/${e.room}${e.event ? `/${e.event}` : ''}`
    return answer(
      ...table(
        ['What', 'Goes', 'Since (UTC)', 'By'],
        found.map(e => [link(e), lifeWords(e.life), minute(e.at), e.by]),
      ),
    )
  },
})
