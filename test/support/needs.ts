import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * The path of a program that neither npm nor PyPI has, for the interoperability tests. A machine without it fails the test and says what it lacks: such a test never
 * passes by being left out.
 */
export const needs = (program: string, why: string): string => {
  const found = (process.env.PATH ?? '')
    .split(delimiter)
    .map(folder => join(folder, program))
    .find(file => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
  if (found) return found
  const sentence = `LACKING: ${program}, ${why}`
  console.log(sentence)
  throw new Error(sentence)
}
