import { errorFacts } from '../../core/error-facts.ts'

/** A receiver's or a library's word as a code that may stand in the log: lower case, letters, digits, dots and dashes. */
export const asCode = (word: string): string =>
  `x${word
    .slice(0, 100)
    .toLowerCase()
    .replace(/[^a-z0-9_.:/-]+/g, '-')
    .replace(/-$/, '')}`.replace(/^x(?=[a-z])/, '')

/** The innermost code of an error, else its name: `econnrefused`, `cert_has_expired`. */
export const errorCode = (thrown: unknown): string => {
  let facts = errorFacts(thrown)
  while (facts.cause?.code) facts = facts.cause
  return asCode(facts.code ?? facts.name)
}
