import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildPages } from '../../../cli/start/build-page.ts'

export type BuiltPage = { folder: string; remove: () => Promise<void> }

/** A built page, built first when its sources have changed: a copy, so that a build meanwhile takes no file from under a running test. */
export const builtPage = async (name: 'patient' | 'admin' = 'patient'): Promise<BuiltPage> => {
  await buildPages(line => console.log(line))
  const folder = await mkdtemp(join(tmpdir(), 'wardroom-page-'))
  await cp(join(import.meta.dirname, '../../../dist', name), folder, { recursive: true })
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}
