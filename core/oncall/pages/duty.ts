import type { Instant } from '../../domain/clock.ts'
import type { DoNotDisturb } from '../../domain/oncall/paging/do-not-disturb.ts'
import type { Rung } from '../../domain/oncall/paging/ladder.ts'
import type { EscalationPolicy } from '../../domain/oncall/paging/policy.ts'
import type { Priority } from '../../domain/oncall/paging/priority.ts'
import type { Tx } from '../../store/tx.ts'

/** A role as paging sees it: who has it at an instant, in the order in which to call them, when that ends, and how its pages escalate. */
export type DutyRole = {
  key: string
  name: string
  policy: EscalationPolicy
  on(at: Instant): readonly string[]
  /** Is this person anywhere in the schedule, now or another time? */
  has(person: string): boolean
  /** When whoever is on hands over, as far as the schedule tells soon. */
  endsAt(at: Instant): Instant | null
}

/** A person as paging sees them. `rungs` of ways that cannot work (no number) are left out by whoever asks; `phone`: E.164. */
export type DutyPerson = {
  user: string
  name: string
  lang: 'en' | 'es'
  rungs: Readonly<Record<Priority, readonly Rung[]>>
  quiet: DoNotDisturb
  phone: string | null
}

/** What paging must know of the clinic, looked up in the page's own transaction. */
export interface Duty {
  role(tx: Tx, key: string): Promise<DutyRole | undefined>
  roles(tx: Tx): Promise<readonly string[]>
  /** Whoever is named is somebody: one who has told nothing of themselves is reached by chat alone. */
  person(tx: Tx, user: string): Promise<DutyPerson>
  /** Everybody who gave this number (E.164). */
  peopleWithNumber(tx: Tx, e164: string): Promise<readonly string[]>
  /** The number of a telephone line by its name, e.g. `switchboard`. */
  line(tx: Tx, name: string): Promise<string | undefined>
  /** Others on call whose display name a reader takes for theirs. */
  namesakes(tx: Tx, user: string): Promise<readonly string[]>
  /** Away now, by their own word. */
  isAbsent(tx: Tx, user: string): Promise<boolean>
}
