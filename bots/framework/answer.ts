import type { PatientId } from '../../core/domain/ids.ts'

/** A piece of a reply, free of any markup: the renderer alone knows about HTML. `literal`: it holds others' words, in which not even our own links become links. */
export type Block = { literal?: true } & (
  | { kind: 'text'; text: string }
  | { kind: 'heading'; text: string }
  | { kind: 'list'; items: readonly string[] }
  | { kind: 'table'; head: readonly string[]; rows: readonly (readonly string[])[] }
  | { kind: 'fields'; fields: readonly (readonly [string, string])[] }
  | { kind: 'terms'; terms: readonly (readonly [string, string])[] }
  | { kind: 'code'; text: string }
)

/** What a command says when it is done. `patient`: whom it was about, for the audit log. */
export type Answer = { blocks: readonly Block[]; patient?: PatientId }

export const text = (words: string): Block => ({ kind: 'text', text: words })
export const heading = (words: string): Block => ({ kind: 'heading', text: words })
export const list = (items: readonly string[]): Block => ({ kind: 'list', items })
export const fields = (...pairs: (readonly [string, string])[]): Block => ({ kind: 'fields', fields: pairs })
/** What can be typed, each with what it does. */
export const terms = (pairs: readonly (readonly [string, string])[]): Block => ({ kind: 'terms', terms: pairs })
export const code = (words: string): Block => ({ kind: 'code', text: words })

/** The same block, whose words come from others. */
export const literal = (b: Block): Block => ({ ...b, literal: true })

const maxRows = 60

/** A table; beyond 60 rows it says how many are left out. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): Block[] => [
  { kind: 'table', head, rows: rows.slice(0, maxRows) },
  ...(rows.length > maxRows ? [text(`… and ${rows.length - maxRows} more.`)] : []),
]

export const answer = (...blocks: (Block | string)[]): Answer => ({
  blocks: blocks.map(b => (typeof b === 'string' ? text(b) : b)),
})

/** The same answer, noted in the audit log as being about a patient. */
export const about = (patient: PatientId, a: Answer): Answer => ({ ...a, patient })
