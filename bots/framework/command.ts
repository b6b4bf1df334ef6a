import type { AuditAction } from '../../core/domain/audit/event.ts'
import type { UserId } from '../../core/domain/ids.ts'
import { isRefusal, type Refusal, refuse } from '../../core/domain/refusal.ts'
import type { Role } from '../../core/domain/roles.ts'
import type { Settings } from '../../core/domain/settings/settings.ts'
import type { KnownRoom } from '../../core/store/staff/rooms.ts'
import type { Tx } from '../../core/store/tx.ts'
import type { Answer } from './answer.ts'
import type { AnyArg, Env, ValueOf } from './args.ts'
import type { Token } from './tokens.ts'

/** What was looked at. */
export type ViewAction = Extract<AuditAction, `${string}.view`>

/** Who gave a command: a cross-signed device of an identity that the roles are pinned to. */
export type Sender = { userId: UserId; deviceId: string; roles: readonly Role[] }

/** What a command may use: one transaction, and what is known about where and by whom it was given. */
export type CommandContext = {
  tx: Tx
  sender: Sender
  settings: Settings
  room: Pick<KnownRoom, 'roomId' | 'class' | 'unit'>
  eventId: string
  /** The root of the thread in which the answer stands. */
  thread: string
  publicUrl: string
  /** Where administrators reach their page. */
  adminUrl: string
  /** `@wardroom:server` */
  bot: UserId
}

/** Questions to the homeserver, asked before the transaction begins. */
export type Lookups = {
  /** The public cross-signing master key of a user, or null when they have none. */
  identityOf(userId: string): Promise<string | null>
  /** The devices of one person, or of everybody who holds a role. */
  devicesOf(userId?: string): Promise<{ userId: string; deviceId: string; name: string; signed: boolean }[]>
  /** Whether a person is in a room and may remove others' messages there, and whether the bot is in it; null where the homeserver cannot say. */
  standingIn(room: string, userId: string): Promise<Standing | null>
}

/** Somebody's standing in a room at this moment, as the homeserver knows it. */
export type Standing = { member: boolean; mayRemove: boolean; botIsIn: boolean }

type Args = Record<string, AnyArg>
type ValuesOf<A extends Args> = { [K in keyof A]: ValueOf<A[K]> }

export type CommandSpec<A extends Args, P> = {
  words: readonly [string] | readonly [string, string] | readonly [string, string, string]
  /** Any one of these roles, or `anyone` with a verified device. */
  needs: Role | readonly Role[] | 'anyone'
  args: A
  /** One sentence. */
  help: string
  /** More for `!help <command>`. */
  detail?: string
  /** Its words hold patient data: the bot removes the message once it is done. */
  phi?: true
  /** It only shows something: the audit event of having looked, beside `command.run`. A command that names one patient writes its own, with the patient. */
  views?: ViewAction
  prepare?: (lookups: Lookups, args: ValuesOf<A>, sender: UserId) => Promise<P>
  run: (context: CommandContext, args: ValuesOf<A>, prepared: P) => Promise<Answer | Refusal> | Answer | Refusal
}

/** A command with its arguments read: `prepare` may ask the homeserver, `run` does it in the transaction. */
export type Invocation = {
  prepare(lookups: Lookups, sender: UserId): Promise<unknown>
  run(context: CommandContext, prepared: unknown): Promise<Answer | Refusal>
}

export type Command = {
  words: readonly string[]
  needs: readonly Role[] | 'anyone'
  help: string
  detail: string | undefined
  phi: boolean
  views: ViewAction | undefined
  /** `!patient add <number> dob <date> [name <name>]` */
  usage: string
  example: string
  parse(tokens: readonly Token[], env: Env): Invocation | Refusal
}

/** Is this unquoted word the name of a named argument? `dob`, `dob:`, `dob=…`, `--dob`. */
const nameIn = (token: Token, names: readonly string[]): { name: string; tail: string } | undefined => {
  if (token.quoted) return undefined
  const m = /^(?:--)?([a-z_]+)(?:[:=](.*))?$/is.exec(token.text)
  const name = names.find(n => n === m?.[1]?.toLowerCase())
  return name ? { name, tail: m?.[2] ?? '' } : undefined
}

/** Reads all arguments: named ones anywhere, the others in their order. Sentences of refusals end in what to write instead. */
const readArgs = <A extends Args>(args: A, tokens: readonly Token[], env: Env): ValuesOf<A> | Refusal => {
  const values: Record<string, unknown> = {}
  const entries = Object.entries(args)
  const names = entries.map(([, a]) => a.named).filter(n => n !== undefined)
  const positional = entries.filter(([, a]) => a.named === undefined)
  let i = 0
  const take = (key: string, arg: AnyArg, from: readonly Token[]): number | Refusal => {
    const next = arg.rest ? -1 : from.findIndex((t, n) => n > 0 && nameIn(t, names))
    const taken = arg.take(next < 0 ? from : from.slice(0, next), env)
    if (isRefusal(taken)) return taken
    values[key] = taken.value
    return taken.used
  }
  while (i < tokens.length) {
    const token = tokens[i] as Token
    const hit = nameIn(token, names)
    if (hit) {
      const [key, arg] = entries.find(([, a]) => a.named === hit.name) as [string, AnyArg]
      if (key in values) return refuse('twice', `"${hit.name}" is given twice.`)
      const tail = hit.tail === '' ? [] : [{ ...token, text: hit.tail }]
      const from = [...tail, ...tokens.slice(i + 1)]
      if (from.length === 0) return refuse('missing', `Something is missing after "${hit.name}".`)
      const used = take(key, arg, from)
      if (isRefusal(used)) return used
      i += used + 1 - tail.length
      continue
    }
    const next = positional.find(([key]) => !(key in values))
    if (!next)
      return refuse('too-many', 'There is more than this command takes; several words of one value go in quotes.')
    const used = take(next[0], next[1], tokens.slice(i))
    if (isRefusal(used)) return used
    i += used
  }
  const missing = entries.find(([key, arg]) => !arg.optional && !(key in values))
  return missing ? refuse('missing', `${missing[1].usage} is missing.`) : (values as ValuesOf<A>)
}

/** Makes a command; its help, argument errors, permission, audit and reply all come from this one value. */
export const command = <A extends Args, P = undefined>(spec: CommandSpec<A, P>): Command => {
  const bang = `!${spec.words.join(' ')}`
  const all = Object.values(spec.args)
  const usage = [bang, ...all.map(a => a.usage)].join(' ')
  const example = [bang, ...all.map(a => a.example)].join(' ')
  return {
    words: spec.words,
    needs: typeof spec.needs === 'string' ? (spec.needs === 'anyone' ? 'anyone' : [spec.needs]) : spec.needs,
    help: spec.help,
    detail: spec.detail,
    phi: spec.phi ?? false,
    views: spec.views,
    usage,
    example,
    parse: (tokens, env) => {
      const values = readArgs(spec.args, tokens, env)
      if (isRefusal(values)) return refuse(values.code, `${values.sentence}\nExample: ${example}`)
      return {
        prepare: async (lookups, sender) => spec.prepare?.(lookups, values, sender),
        run: async (context, prepared) => spec.run(context, values, prepared as P),
      }
    },
  }
}
