import { existsSync, readFileSync } from 'node:fs'
import { parse, YAMLParseError } from 'yaml'
import type { z } from 'zod'
import { closest } from './closest.ts'
import { crossChecks } from './cross-checks.ts'
import { type Entry, entries, leaves } from './entries.ts'
import { type Config, schema } from './schema.ts'

type Json = Record<string, unknown>

/** Every reason why a configuration cannot be used, each a sentence; the message lists all of them. */
export class ConfigError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(
      `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map(p => `- ${p}`).join('\n')}`,
    )
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/**
 * Reads the YAML file named by `file` or WARDROOM_CONFIG (none: all defaults), lets the documented environment variables replace entries,
 * and checks the whole. @throws ConfigError with all problems at once; no secret's value is in them.
 */
export const loadConfig = (options: { file?: string; env?: NodeJS.ProcessEnv } = {}): Config => {
  const env = options.env ?? process.env
  const file = options.file ?? (env.WARDROOM_CONFIG || undefined)
  return checkConfig(withEnvironment(file ? readYaml(file) : {}, env))
}

/** Checks a configuration that was read already. @throws ConfigError */
export const checkConfig = (raw: Json): Config => {
  const result = schema.safeParse(raw)
  const problems = [...(result.error?.issues ?? []).flatMap(sentences), ...crossChecks(raw)]
  if (problems.length > 0 || !result.success) throw new ConfigError([...new Set(problems)])
  return result.data
}

const readYaml = (file: string): Json => {
  if (!existsSync(file)) throw new ConfigError([`The file ${file} does not exist.`])
  try {
    const content: unknown = parse(readFileSync(file, 'utf8')) ?? {}
    if (typeof content === 'object' && !Array.isArray(content)) return content as Json
    throw new ConfigError([`The file ${file} must hold names and values.`])
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error
    const line = error.linePos?.[0].line
    throw new ConfigError([`The file ${file} is not YAML${line ? ` (line ${line})` : ''}: ${error.code}.`])
  }
}

const withEnvironment = (raw: Json, env: NodeJS.ProcessEnv): Json => {
  const merged = structuredClone(raw)
  for (const { env: variable, path } of leaves()) {
    const value = variable ? env[variable] : undefined
    if (!value) continue
    let object = merged
    for (const name of path.slice(0, -1)) {
      const below = object[name]
      object[name] = typeof below === 'object' && below !== null ? below : {}
      object = object[name] as Json
    }
    object[path.at(-1) ?? ''] = value
  }
  return merged
}

const sentences = (issue: z.core.$ZodIssue): string[] => {
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') return issue.keys.map(key => unknownKey(path, key))
  const name = path.join('.') || 'The configuration'
  const missing = issue.code === 'invalid_type' && (issue as { input?: unknown }).input === undefined
  const variable = leaves().find(leaf => leaf.path.join('.') === name)?.env
  if (missing && variable) return [`${name} is missing (or set ${variable}).`]
  return [`${name} ${issue.message}`.replace(/[^.?]$/, '$&.')]
}

const unknownKey = (path: string[], key: string): string => {
  let level: Entry[] = entries()
  for (const name of path) level = level.find(e => e.path.at(-1) === name)?.children ?? []
  const near = closest(
    key,
    level.map(e => e.path.at(-1) ?? ''),
  )
  const name = [...path, key].join('.')
  return `${name} is not an entry${near ? `; did you mean ${[...path, near].join('.')}?` : '.'}`
}
