import { z } from 'zod'
import { type Secret, secret } from '../core/secret.ts'

/** What the reference page says about one entry beside its type: the variable that replaces it, an example, and whether its value is never shown. */
export type Meta = { about: string; env?: string; example?: unknown; secret?: true }

/** A host and a TCP port. */
export type Address = { host: string; port: number }

/** Marks a schema with its documentation: the only place where an entry is described. */
export const entry = <S extends z.ZodType>(schema: S, meta: Meta): S => schema.meta(meta)

/** A value that configuration errors, logs and `config check` never print. */
export const secretText = z
  .string({ error: 'must be text' })
  .min(1, 'must not be empty')
  .transform((value): Secret => secret(value))

const addressPattern = /^(?:\[(?<six>[0-9a-f:]+)\]|(?<host>[a-z0-9.-]+)):(?<port>\d{1,5})$/i

/** `host:port`, given as an `Address`; IPv6 in brackets. */
export const address = z.string({ error: 'must be host:port' }).transform((text, context): Address => {
  const groups = addressPattern.exec(text)?.groups
  const port = Number(groups?.port)
  const host = groups?.six ?? groups?.host
  if (host && port >= 1 && port <= 65_535) return { host, port }
  context.addIssue({ code: 'custom', message: 'must be host:port, for instance 127.0.0.1:8080' })
  return z.NEVER
})

/** An http or https address without a path, given without its final slash. */
export const webAddress = z.string({ error: 'must be a web address' }).transform((text, context): string => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && /^https?:$/.test(url.protocol) && url.pathname === '/' && !url.search && !url.username) return url.origin
  context.addIssue({ code: 'custom', message: 'must be an http or https address without a path' })
  return z.NEVER
})

/** A PostgreSQL address, which holds a password. */
export const databaseAddress = z
  .string({ error: 'must be a PostgreSQL address' })
  .regex(/^postgres(ql)?:\/\/[^/]+\/[^/?]+/, 'must look like postgres://user:password@host:5432/database')
  .transform((value): Secret => secret(value))

/** A Matrix server name, with an optional port. */
export const serverName = z
  .string({ error: 'must be a server name' })
  .regex(/^[a-z0-9]([a-z0-9.-]{0,200}[a-z0-9])?(:\d{1,5})?$/, 'must be a Matrix server name such as hospital.example')

/** A Matrix user id. */
export const userId = z
  .string({ error: 'must be a Matrix user id' })
  .regex(/^@[a-z0-9._=/+-]+:[a-z0-9.:-]+$/, 'must be a Matrix user id such as @ann:hospital.example')

/** A path to a file or folder; a relative one counts from where Wardroom is started. */
export const path = z.string({ error: 'must be a path' }).min(1, 'must not be empty')
