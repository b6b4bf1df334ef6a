import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { buildPages } from '../../cli/start/build-page.ts'

/** The folder of the built patient page; built first when its sources have changed. */
export const builtPage = async (): Promise<string> => {
  await buildPages(line => console.log(line))
  const folder = join(import.meta.dirname, '../../dist/patient')
  if (!existsSync(join(folder, 'index.html'))) throw new Error('dist/patient was not built')
  return folder
}
