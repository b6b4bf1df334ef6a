import { minutes, seconds } from '../../core/domain/clock.ts'
import type { EventId, PatientId, RoomId, UserId } from '../../core/domain/ids.ts'
import { isRefusal, type Refusal, refuse } from '../../core/domain/refusal.ts'
import { permits } from '../../core/domain/roles.ts'
import type { Settings } from '../../core/domain/settings/settings.ts'
import { takeToken } from '../../core/store/links/rate-limits.ts'
import { holdersOf, type Standing, standingOf } from '../../core/store/staff/roles.ts'
import type { KnownRoom } from '../../core/store/staff/rooms.ts'
import { readSettings } from '../../core/store/staff/settings.ts'
import type { StoreDeps, Tx } from '../../core/store/tx.ts'
import { findCommand } from '../commands/find.ts'
import { type Answer, answer } from './answer.ts'
import type { Env } from './args.ts'
import type { Command, Invocation, Lookups, ViewAction } from './command.ts'
import { helpFor } from './help.ts'
import { type ReactJob, type RedactJob, say } from './say.ts'

/** A text that the bot has decrypted in a direct chat or a desk room. */
export type Heard = {
  eventId: EventId
  roomId: RoomId
  room: KnownRoom
  sender: UserId
  deviceId: string
  /** The master key whose owner signed the sending device; null for an unsigned device. */
  identity: string | null
  text: string
  thread?: string
  /** Earlier tries that broke down. */
  attempts: number
}

export type CommandDeps = {
  store: StoreDeps
  commands: readonly Command[]
  lookups: Lookups
  publicUrl: string
  adminUrl: string
  serverName: string
  bot: UserId
}

type Result = { name: string; phi: boolean; views?: ViewAction; said: Answer | Refusal; failed?: boolean }

const tryAgainSentence =
  'Something went wrong on our side and nothing was changed. Please try again, or tell an administrator.'

/** The clinic's calendar day, ISO. */
export const dayIn = (timeZone: string, at: number): string =>
  new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(at)

/**
 * Reads a text and asks what has to be asked outside; what it returns runs the command, its audit event and its replies in the caller's transaction.
 * Undefined when there is nothing to do: no command, in a desk room.
 */
export const planCommand = async (
  deps: CommandDeps,
  heard: Heard,
): Promise<((tx: Tx) => Promise<void>) | undefined> => {
  const request = findCommand(deps.commands, heard.text)
  if (request.kind === 'not-a-command') {
    if (heard.room.class !== 'direct') return undefined
    const hint = answer('I obey commands, which begin with an exclamation mark. Write !help to see them.')
    return async tx => {
      const fresh = await takeToken(tx.sql, `hint:${heard.sender}`, { burst: 1, everyMs: minutes(10) }, tx.now)
      if (fresh) await reply(tx, heard, hint)
    }
  }
  const settings = await readSettings(deps.store.db)
  const now = deps.store.clock.now()
  const env = (source: string): Env => ({
    country: settings['clinic.country'],
    today: dayIn(settings['clinic.time_zone'], now),
    serverName: deps.serverName,
    source,
  })
  let name = 'unknown'
  let views: ViewAction | undefined
  let phi = request.kind === 'refused' && request.phi === true
  let invocation: Invocation | Refusal | undefined
  let prepared: unknown
  if (request.kind === 'command') {
    name = request.command.words.join(' ')
    phi = request.command.phi
    views = request.command.views
    invocation = request.command.parse(request.tokens, env(request.source))
    if (!isRefusal(invocation)) prepared = await invocation.prepare(deps.lookups, heard.sender)
  }
  return async tx => {
    const standing = await standingOf(tx, heard.sender, heard.identity)
    const decide = async (): Promise<Answer | Refusal> => {
      const stopped = await gate(tx, heard, standing, settings)
      if (stopped) return stopped
      if (request.kind === 'refused') return request.refusal
      if (request.kind === 'group') return helpFor(deps.commands, standing.roles, request.word)
      if (!permits(standing.roles, request.command.needs)) return forbidden(request.command)
      if (!invocation || isRefusal(invocation))
        return invocation ?? refuse('unknown-command', 'There is no such command.')
      if (heard.attempts >= 3) return refuse('broke-down', tryAgainSentence)
      const sender = { userId: heard.sender, deviceId: heard.deviceId, roles: standing.roles }
      const { room, eventId } = heard
      const { publicUrl, adminUrl, bot } = deps
      const thread = heard.thread ?? eventId
      return invocation.run({ tx, sender, settings, room, eventId, thread, publicUrl, adminUrl, bot }, prepared)
    }
    const said = await decide()
    if (standing.changed) await tellOfSuspension(tx, heard)
    await finish(tx, heard, { name, phi, views, said, failed: isRefusal(said) && said.code === 'broke-down' })
  }
}

/** The one place that says who is heard at all, before it is asked what they may do. */
const gate = async (tx: Tx, heard: Heard, standing: Standing, settings: Settings): Promise<Refusal | undefined> => {
  const help = settings['help.url'] ? ` Help: ${settings['help.url']}` : ''
  if (heard.identity === null)
    return refuse('unsigned', `I obey only devices that their owner has verified. Please verify this device.${help}`)
  if (standing.suspended.length > 0 && standing.roles.length === 0)
    return refuse(
      'suspended',
      `Your cryptographic identity is not the one to which your role was granted, so the role is suspended. Another administrator must grant it again.${help}`,
    )
  if (!(await takeToken(tx.sql, `command:${heard.sender}`, { burst: 30, everyMs: seconds(2) }, tx.now)))
    return refuse('too-many', 'That was a lot at once; please wait a minute.')
  return undefined
}

const forbidden = (c: Command): Refusal =>
  refuse(
    'forbidden',
    `!${c.words.join(' ')} is for ${(c.needs as readonly string[]).join(' or ')}, and you do not hold that role.`,
  )

/** Every administrator left hears that a person's identity is another one. */
export const tellOfSuspension = async (tx: Tx, heard: Pick<Heard, 'eventId' | 'sender'>): Promise<void> => {
  const warning = answer(
    `${heard.sender} wrote with another cryptographic identity than the one that their roles were granted to. Their roles are suspended. ` +
      'If they set up encryption anew, check with them in person, then grant each role again with !role grant.',
  )
  for (const admin of await holdersOf(tx.sql, 'admin'))
    await say(tx, `suspended:${heard.eventId}:${admin}`, { user: admin }, warning)
}

const finish = async (tx: Tx, heard: Heard, { name, phi, views, said, failed }: Result): Promise<void> => {
  const refused = isRefusal(said)
  const patient: PatientId | undefined = refused ? undefined : said.patient
  await tx.audit({
    actor: { kind: 'user', id: heard.sender, device: heard.deviceId },
    action: 'command.run',
    object: { kind: 'command', id: name },
    outcome: failed ? 'failed' : refused ? 'refused' : 'done',
    reason: refused ? said.code : undefined,
    room: heard.roomId,
    patient,
  })
  if (views && !refused)
    await tx.audit({
      actor: { kind: 'user', id: heard.sender, device: heard.deviceId },
      action: views,
      object: { kind: 'report', id: name },
      outcome: 'done',
      room: heard.roomId,
      patient,
    })
  // The answer is what somebody waits for; in its lane it goes first.
  await reply(tx, heard, refused ? answer(said.sentence) : said)
  await react(tx, heard, refused ? '⛔' : '✅')
  if (phi) await redact(tx, heard)
}

/** A mark on somebody's message; keys only, no words (reactions are not encrypted). */
export const react = async (tx: Tx, heard: Pick<Heard, 'roomId' | 'eventId'>, key: '✅' | '⛔'): Promise<void> => {
  const job: ReactJob = { room: heard.roomId, event: heard.eventId, key }
  await tx.enqueue({
    queue: 'bots',
    kind: 'bot.react',
    key: `react:${heard.eventId}`,
    lane: heard.roomId,
    payload: job,
  })
}

/** Answers in the thread of the message. */
export const reply = (tx: Tx, heard: Pick<Heard, 'roomId' | 'eventId' | 'thread'>, said: Answer): Promise<void> =>
  say(tx, `reply:${heard.eventId}`, { room: heard.roomId }, said, heard.thread ?? heard.eventId)

const redact = async (tx: Tx, heard: Heard): Promise<void> => {
  const job: RedactJob = { room: heard.roomId, event: heard.eventId, thread: heard.thread ?? heard.eventId }
  await tx.enqueue({
    queue: 'bots',
    kind: 'bot.redact',
    key: `redact:${heard.eventId}`,
    lane: heard.roomId,
    payload: job,
  })
}

/** How long a message waits for its room key before the bot says that it cannot read it. */
export const keyWait = minutes(1)
