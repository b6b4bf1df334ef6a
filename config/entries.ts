import { z } from 'zod'
import type { Meta } from './kinds.ts'
import { schema } from './schema.ts'

/** One line of the configuration: its dotted path, documentation, default, and the entries below it. */
export type Entry = Meta & { path: string[]; type: string; optional: boolean; default?: unknown; children: Entry[] }

const wrappers = [z.ZodOptional, z.ZodDefault, z.ZodPrefault] as const

/** The schema below optional and default wrappers, with the default that was met on the way. */
const unwrap = (outer: z.ZodType): { inner: z.ZodType; default?: unknown } => {
  let inner = outer
  let value: unknown
  for (;;) {
    const current = inner
    if (current instanceof z.ZodDefault || current instanceof z.ZodPrefault) value ??= current.def.defaultValue
    if (!wrappers.some(wrapper => current instanceof wrapper)) return { inner: current, default: value }
    inner = (current as z.ZodOptional).def.innerType as z.ZodType
  }
}

const typeOf = (inner: z.ZodType): string => {
  if (inner instanceof z.ZodEnum) return Object.values(inner.def.entries).join(' | ')
  if (inner instanceof z.ZodNumber) return 'number'
  if (inner instanceof z.ZodRecord) return 'names and values'
  return 'text'
}

/** Every entry of the configuration, in the schema's order. */
export const entries = (object: z.ZodType = schema, above: string[] = []): Entry[] => {
  const { inner } = unwrap(object)
  if (!(inner instanceof z.ZodObject)) return []
  return Object.entries(inner.shape as Record<string, z.ZodType>).map(([name, child]) => {
    const path = [...above, name]
    const meta = child.meta() as Meta | undefined
    if (!meta) throw new Error(`${path.join('.')} has no documentation`)
    const below = unwrap(child)
    const children = entries(child, path)
    const optional = child instanceof z.ZodOptional
    return {
      ...meta,
      path,
      optional,
      type: children.length > 0 ? 'part' : typeOf(below.inner),
      default: below.default,
      children,
    }
  })
}

/** The entries without further ones below them. */
export const leaves = (list: Entry[] = entries()): Entry[] =>
  list.flatMap(e => (e.children.length > 0 ? leaves(e.children) : [e]))
