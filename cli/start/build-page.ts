import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Explained } from '../command.ts'
import { tryLock } from './lock.ts'

const root = join(import.meta.dirname, '../..')
const stampFile = join(root, 'dist/.sources')
const configurations = {
  patient: 'web/vite.config.ts',
  tryit: 'web/tryit/vite.config.ts',
  admin: 'web/admin/vite.config.ts',
}

/** The hash of everything that the pages are built from. */
const sourcesHash = (): string => {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')))
  const files = readdirSync(join(root, 'web'), { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  for (const file of files.map(entry => join(entry.parentPath, entry.name)).sort())
    hash.update(file.slice(root.length)).update('\0').update(readFileSync(file))
  return hash.digest('hex')
}

const isBuilt = (wanted: string): boolean => existsSync(stampFile) && readFileSync(stampFile, 'utf8').trim() === wanted

const build = async (wanted: string): Promise<void> => {
  for (const [name, configuration] of Object.entries(configurations)) {
    // Built aside and put in place at the end: a service that starts meanwhile finds the old page or the new one.
    const aside = join(root, `dist/.${name}-${process.pid}`)
    const vite = [
      join(root, 'node_modules/vite/bin/vite.js'),
      'build',
      ...['--configLoader', 'native', '--config', configuration, '--outDir', aside, '--emptyOutDir'],
    ]
    await promisify(execFile)(process.execPath, vite, { cwd: root }).catch(
      (error: { stderr?: string; message: string }) => {
        rmSync(aside, { recursive: true, force: true })
        throw new Explained(`The ${name} page could not be built:\n${(error.stderr || error.message).trim()}`)
      },
    )
    rmSync(join(root, 'dist', name), { recursive: true, force: true })
    renameSync(aside, join(root, 'dist', name))
  }
  writeFileSync(stampFile, `${wanted}\n`)
}

/** Builds the web pages into dist/ when their sources changed since the last build, in one process at a time. @throws Explained with the bundler's own words. */
export const buildPages = async (log: (line: string) => void): Promise<void> => {
  const wanted = sourcesHash()
  mkdirSync(join(root, 'dist'), { recursive: true })
  while (!isBuilt(wanted)) {
    const lock = tryLock(join(root, 'dist/.building'))
    if ('release' in lock)
      try {
        if (isBuilt(wanted)) return
        log('Building the pages')
        return await build(wanted)
      } finally {
        lock.release()
      }
    await new Promise(done => setTimeout(done, 100))
  }
}
