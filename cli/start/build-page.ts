import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Explained } from '../command.ts'

const root = join(import.meta.dirname, '../..')
const stampFile = join(root, 'dist/.sources')
const configurations = ['web/vite.config.ts', 'web/tryit/vite.config.ts']

/** The hash of everything that the pages are built from. */
const sourcesHash = (): string => {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')))
  const files = readdirSync(join(root, 'web'), { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  for (const file of files.map(entry => join(entry.parentPath, entry.name)).sort())
    hash.update(file.slice(root.length)).update('\0').update(readFileSync(file))
  return hash.digest('hex')
}

/** Builds the web pages into dist/ when their sources changed since the last build. @throws Explained with the bundler's own words. */
export const buildPages = async (log: (line: string) => void): Promise<void> => {
  const wanted = sourcesHash()
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8').trim() === wanted) return
  log('Building the patient page')
  for (const configuration of configurations) {
    const vite = [
      join(root, 'node_modules/vite/bin/vite.js'),
      'build',
      '--configLoader',
      'native',
      '--config',
      configuration,
    ]
    await promisify(execFile)(process.execPath, vite, { cwd: root }).catch(
      (error: { stderr?: string; message: string }) => {
        throw new Explained(`The patient page could not be built:\n${(error.stderr || error.message).trim()}`)
      },
    )
  }
  mkdirSync(join(root, 'dist'), { recursive: true })
  writeFileSync(stampFile, `${wanted}\n`)
}
