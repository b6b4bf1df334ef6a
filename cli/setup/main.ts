import { Explained } from '../command.ts'
import { step } from '../progress.ts'
import { hydratePostgres } from '../stack/postgres-binaries.ts'
import { synapseEnvironment } from '../stack/python.ts'
import { ensureBrowser } from './browser.ts'

/** What must be there before `npm start` (a homeserver of one's own needs no Synapse) and before `npm test` (which also needs a browser). */
const setUp = async (purpose: string): Promise<void> => {
  hydratePostgres()
  const ownHomeserver = purpose === 'start' && process.env.HOMESERVER_URL
  if (!ownHomeserver) await step('Synapse', log => synapseEnvironment({ log }))
  if (purpose === 'test') await step('Browser', log => ensureBrowser({ log }))
}

try {
  await setUp(process.argv[2] ?? 'start')
} catch (error) {
  console.error(`\n${error instanceof Explained ? error.message : String((error as Error).stack ?? error)}`)
  process.exitCode = 1
}
