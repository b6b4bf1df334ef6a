import type { Instant } from '../../domain/clock.ts'
import type { DoNotDisturb } from '../../domain/oncall/paging/do-not-disturb.ts'
import { defaultRungs, type Rung } from '../../domain/oncall/paging/ladder.ts'
import { checkLadder } from '../../domain/oncall/paging/policy-check.ts'
import { type Priority, priorities } from '../../domain/oncall/paging/priority.ts'
import { isRefusal, type Refusal } from '../../domain/refusal.ts'
import type { QuietHours } from '../../domain/texts/quiet-hours.ts'
import type { Seal } from '../../seal.ts'
import type { Tx } from '../tx.ts'
import type { OnCallReader } from './read.ts'

export type Ladders = Partial<Record<Priority, readonly Rung[]>>

/** How somebody on call is reached. `phone` is E.164, null where they gave none: then rungs by telephone fail at once. */
export type OnCallPerson = {
  userId: string
  name: string | null
  lang: 'en' | 'es'
  phone: string | null
  doNotDisturb: DoNotDisturb
  /** What they chose; `rungsOf` fills in the rest. */
  ladder: Ladders | null
  emails: readonly string[]
  aliases: readonly string[]
}

type Row = {
  user_id: string
  name: string | null
  lang: 'en' | 'es'
  phone: string | null
  quiet: QuietHours | null
  quiet_until: Instant | null
  ladder: Ladders | null
  emails: string[]
  aliases: string[]
}

const phoneContext = 'oncall_person.phone'
const emailContext = 'oncall_person.emails'

const nobody = (userId: string): OnCallPerson => ({
  userId,
  name: null,
  lang: 'en',
  phone: null,
  doNotDisturb: { hours: null, until: null },
  ladder: null,
  emails: [],
  aliases: [],
})

/** Each is sealed by itself. */
const openEmails = (seal: Seal, emails: readonly string[]): Promise<string[]> =>
  Promise.all(emails.map(e => seal.open(emailContext, e)))

const toPerson = async (tx: Pick<Tx, 'deps'>, r: Row): Promise<OnCallPerson> => ({
  userId: r.user_id,
  name: r.name,
  lang: r.lang,
  phone: r.phone === null ? null : await tx.deps.seal.open(phoneContext, r.phone),
  doNotDisturb: { hours: r.quiet, until: r.quiet_until },
  ladder: r.ladder,
  emails: await openEmails(tx.deps.seal, r.emails),
  aliases: r.aliases,
})

/** The rungs of a person for a priority: their own, or the default ones. */
export const rungsOf = (person: Pick<OnCallPerson, 'ladder'>, priority: Priority): readonly Rung[] =>
  person.ladder?.[priority] ?? defaultRungs[priority]

/** How somebody is reached; what they never said is the default, and they have no telephone. */
export const onCallPerson = async (tx: Pick<Tx, 'sql' | 'deps'>, userId: string): Promise<OnCallPerson> => {
  const row: Row | undefined = await tx.sql('oncall_person').where({ user_id: userId }).first()
  return row ? toPerson(tx, row) : nobody(userId)
}

/** Who gave this number (E.164) as theirs; several may share a ward's telephone. */
export const onCallPeopleByPhone = async (tx: Pick<Tx, 'sql' | 'deps'>, e164: string): Promise<string[]> =>
  (
    await tx
      .sql('oncall_person')
      .where({ phone_lookup: tx.deps.seal.lookup(phoneContext, e164) })
      .orderBy('user_id')
      .select('user_id')
  ).map(r => r.user_id as string)

/** What names of the people on call are known by. */
export const namesOfPeople = async ({
  sql,
}: Pick<OnCallReader, 'sql'>): Promise<Map<string, Pick<OnCallPerson, 'name' | 'aliases'>>> =>
  new Map(
    (await sql('oncall_person').select('user_id', 'name', 'aliases')).map(r => [
      r.user_id,
      { name: r.name, aliases: r.aliases },
    ]),
  )

/** What these people on call are called; who gave no name is left out. */
export const namesOf = async (
  { sql }: Pick<OnCallReader, 'sql'>,
  ids: readonly string[],
): Promise<Map<string, string>> =>
  new Map(
    (
      await sql('oncall_person')
        .whereIn('user_id', [...ids])
        .whereNotNull('name')
        .select('user_id', 'name')
    ).map(r => [r.user_id, r.name]),
  )

/** The e-mail addresses that people gave, for matching those of an import. */
export const emailsOfPeople = async ({
  sql,
  deps,
}: {
  sql: OnCallReader['sql']
  deps: { seal: Seal }
}): Promise<Map<string, string[]>> => {
  const rows: Pick<Row, 'user_id' | 'emails'>[] = await sql('oncall_person')
    .whereRaw(`emails <> '{}'`)
    .select('user_id', 'emails')
  return new Map(await Promise.all(rows.map(async r => [r.user_id, await openEmails(deps.seal, r.emails)] as const)))
}

export type PersonChange = Partial<Omit<OnCallPerson, 'userId'>>

/** Changes how somebody is reached, with its audit event, which never holds the number. Refuses a ladder that cannot be climbed. */
export const putOnCallPerson = async (
  tx: Tx,
  userId: string,
  change: PersonChange,
  by: string,
): Promise<OnCallPerson | Refusal> => {
  await tx.sql.raw('select pg_advisory_xact_lock(hashtext(?))', [`oncall-person:${userId}`])
  const before = await onCallPerson(tx, userId)
  if (isRefusal(before)) return before
  const after: OnCallPerson = { ...before, ...change }
  for (const priority of priorities) {
    const wrong = checkLadder(rungsOf(after, priority))
    if (wrong) return wrong
  }
  const { seal } = tx.deps
  const row = {
    name: after.name,
    lang: after.lang,
    phone: after.phone === null ? null : await seal.close(phoneContext, after.phone),
    phone_lookup: after.phone === null ? null : seal.lookup(phoneContext, after.phone),
    quiet: after.doNotDisturb.hours === null ? null : JSON.stringify(after.doNotDisturb.hours),
    quiet_until: after.doNotDisturb.until,
    ladder: after.ladder === null ? null : JSON.stringify(after.ladder),
    emails: await Promise.all(after.emails.map(e => seal.close(emailContext, e))),
    aliases: [...after.aliases],
    changed_at: tx.now,
    changed_by: by,
  }
  await tx
    .sql('oncall_person')
    .insert({ user_id: userId, ...row })
    .onConflict('user_id')
    .merge(row)
  await tx.audit({
    actor: { kind: by.startsWith('@') ? 'user' : 'service', id: by },
    action: 'oncall.person',
    object: { kind: 'oncall', id: userId },
    outcome: 'done',
    detail: { what: Object.keys(change).sort().join('.').toLowerCase() },
  })
  return after
}
