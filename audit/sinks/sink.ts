import type { ExportContext } from '../../core/domain/audit/formats/cef.ts'
import type { AuditRecord } from '../../core/domain/audit/record.ts'
import type { Refusal } from '../../core/domain/refusal.ts'
import type { Subject } from '../../core/store/audit/subjects.ts'

/** An entry as it goes out. `subjects`: what its commitments stand for; empty unless the sink may identify. */
export type Entry = { record: AuditRecord; subjects: ReadonlyMap<string, Subject> }

/** Codes are lower case, without spaces: `http-401`, `econnrefused`; never a receiver's own words. */
export type RefusedItem = { idx: number; code: string }

/** What a receiver made of a batch. */
export type Delivery =
  /** It has everything, but for single entries that it refused for good. `answer`: its answer in a few words, for a test. */
  | { kind: 'taken'; refused?: readonly RefusedItem[]; answer: string }
  /** It has what comes before entry `from`; the rest must be sent again. */
  | { kind: 'partly'; from: number; refused?: readonly RefusedItem[]; code: string; after?: number }
  /** It refused the batch as a whole because of something in it. */
  | { kind: 'unfit'; code: string }
  /** It takes nothing now, or nobody can tell whether it did: again later, `after` ms where it said so. */
  | { kind: 'wait'; code: string; after?: number }

/** A way to one receiver. Sends may be repeated after a crash, so each entry carries its identifiers. Throwing is `wait`. */
export interface Sink {
  send(entries: readonly Entry[]): Promise<Delivery>
  close(): Promise<void>
}

/** Where this installation keeps sinks' files, and what every export says of it. */
export type SinkEnv = {
  /** File sinks write here; certificates and keys lie in its folder `tls`. */
  folder: string
  context: Omit<ExportContext, 'resolve'>
}

export type Option = {
  about: string
  /** Never shown again. */
  secret?: true
  required?: true
  oneOf?: readonly string[]
  pattern?: RegExp
}

export type SinkTarget = { target: string; options: Readonly<Record<string, string>> }

/** A kind of receiver: one file, and its line in `index.ts`. */
export type SinkType = {
  name: string
  /** One sentence. */
  about: string
  /** What is typed after `!audit sink add`. */
  example: string
  options: Readonly<Record<string, Option>>
  /** Checks where it shall go, and gives it in its one canonical form. Refusals never repeat what was typed. */
  readTarget(target: string, options: Readonly<Record<string, string>>): string | Refusal
  /** A second sink to the same target would mix with the first. */
  exclusive?: true
  /** How long to let entries gather after a batch was taken, ms. */
  gatherMs?: number
  /** @throws when a certificate or key cannot be read. */
  open(config: SinkTarget, env: SinkEnv): Sink
}

/** What a format knows of an entry's surroundings. */
export const contextOf = (entry: Entry, env: SinkEnv): ExportContext => ({
  ...env.context,
  resolve: ref => entry.subjects.get(ref),
})
