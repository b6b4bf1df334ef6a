import { randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import type { Config } from '../../config/schema.ts'
import { schema, smsProvider } from '../../config/schema.ts'
import { type ServiceConfig, serviceConfig } from '../../config/service.ts'
import { readKeyFile } from '../../core/keys.ts'
import { missingGuarantees } from '../../core/matrix/check-homeserver.ts'
import { createSeal, type SealingKeys } from '../../core/seal.ts'
import { secret } from '../../core/secret.ts'
import { systemClock, systemRandom } from '../../core/system.ts'
import { step } from '../progress.ts'
import { services } from '../services/index.ts'
import { synapseEnvironment } from '../stack/python.ts'
import { type Accounts, demoRoles, makeAccounts } from './accounts.ts'
import { buildPages } from './build-page.ts'
import { keptJson, makeDataFolder, makeKeys, makeLogKey } from './data-folder.ts'
import { writeEffective } from './effective.ts'
import { runPostgres, runSynapse } from './embedded.ts'
import { type Ledger, openLedger } from './ledger.ts'
import { lockDataFolder } from './lock.ts'
import { federationPartners } from './partners.ts'
import { planPorts } from './plan-ports.ts'
import { checkOwnHomeserver, writeRegistrations } from './prepare.ts'
import { prepareDatabase } from './prepare-database.ts'
import { startServiceProcess } from './service-process.ts'
import { type Supervised, supervise } from './supervise.ts'

/** A whole running Wardroom. */
export type Wardroom = {
  config: ServiceConfig
  /** Demo accounts; none with a homeserver of one's own. */
  accounts: Accounts
  embedded: { synapse: boolean; postgres: boolean }
  /** Stops everything in reverse order, leaves no process, releases the data folder. Safe to call twice, also while it still starts. */
  stop(): Promise<void>
}

/** A start under way: `stop` works from the first moment on. */
export type Starting = { wardroom: Promise<Wardroom>; stop(): Promise<void> }

// Somebody who tries it out at night gets the text at once.
const demoSettings = {
  'clinic.name': 'Riverside Clinic',
  'clinic.phone': '+15555550100',
  'sms.quiet_from': '0',
  'sms.quiet_to': '0',
}

/**
 * Starts every part that the configuration does not replace, in order: PostgreSQL, Synapse, migrations, pages, services. `print` gets progress lines.
 * Throws, having stopped what ran, when a part cannot be started.
 */
export const startWardroom = (given: Config, print: (line: string) => void): Starting => {
  const config = { ...given, dataDir: resolve(given.dataDir) }
  const parts: Supervised[] = []
  let ledger: Ledger | undefined
  let release = () => undefined as unknown
  let stopping: Promise<void> | undefined
  const begin = async (): Promise<Wardroom> => {
    makeDataFolder(config.dataDir)
    release = lockDataFolder(config.dataDir, join(config.dataDir, 'run/lock.json'))
    ledger = openLedger(join(config.dataDir, 'run/processes.json'))
    const orphans = await ledger.endOrphans()
    if (orphans.length > 0) print(`Ended what an earlier run left behind: ${orphans.join(', ')}`)
    const { record } = ledger
    return assemble(config, {
      print,
      record,
      add: part => parts.push(part),
      stopped: () => stopping !== undefined,
      stop,
    })
  }
  const stopParts = async () => {
    for (let part = parts.pop(); part; part = parts.pop()) await part.stop()
    await ledger?.endOrphans() // a part that was only just being started
  }
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      await stopParts()
      await begun.catch(() => undefined)
      await stopParts() // what was added before the start noticed
      release()
    })()
    return stopping
  }
  const begun = begin()
  const wardroom = begun.catch(async error => {
    await stop()
    throw error
  })
  return { wardroom, stop }
}

type Assembly = {
  print: (line: string) => void
  record: (name: string, pid: number) => void
  add: (part: Supervised) => void
  stopped: () => boolean
  stop: () => Promise<void>
}

/** Thrown inside a start that was asked to stop. */
class Interrupted extends Error {}

const assemble = async (config: Config, { print, record, add, stopped, stop }: Assembly): Promise<Wardroom> => {
  const embedded = { synapse: !config.homeserver.url, postgres: !config.homeserver.url || !config.database.url }
  const stage = async <T>(name: string, run: (log: (line: string) => void) => Promise<T>): Promise<T> => {
    if (stopped()) throw new Interrupted('The start was interrupted.')
    return step(name, run, print)
  }
  const plan = await planPorts(config, embedded, smsProvider(config) === 'local')
  for (const line of plan.moved) print(line)
  const dataDir = config.dataDir
  await makeKeys(dataDir, config.keys)
  const internal = keptJson(join(dataDir, 'keys/internal.json'), () => ({ keeper: token(), local: token() }))
  // First of all: a machine without Python is told so before anything runs.
  const python = embedded.synapse ? await stage('Python environment', log => synapseEnvironment({ log })) : ''
  const pages = step('Pages', buildPages, print)
  pages.catch(() => undefined) // awaited below; a failure before that must not end the process
  let database = config.database.url
  let keeperDatabase = config.database.keeperUrl
  let synapseDatabase = ''
  const movable = schema.parse({}).embedded
  const common = (name: 'postgres' | 'synapse', log: (line: string) => void) => ({
    ...{ dataDir, log, print, port: plan.embedded[name], mayMove: config.embedded[name] === movable[name] },
    record: (pid: number) => record(name, pid),
  })
  if (embedded.postgres) {
    const { part, server } = await stage('PostgreSQL', log => runPostgres(common('postgres', log)))
    add(part)
    synapseDatabase = server.url('synapse')
    if (!database) {
      database = secret(server.url('wardroom'))
      keeperDatabase = secret(server.keeperUrl())
    }
  }
  let homeserver = config.homeserver.url
  let accounts: Accounts = {}
  const planned = { ...config, listen: plan.listen, embedded: plan.embedded }
  const registrations = registrationFiles(planned)
  if (embedded.synapse) {
    const { serverName } = config.homeserver
    const wardroomDatabase = database
    const parts = {
      ...{ python, databaseUrl: synapseDatabase, serverName, registrations: Object.values(registrations) },
      partners: async () => (wardroomDatabase ? federationPartners(wardroomDatabase, config.settings) : []),
    }
    const { part, server } = await stage('Synapse', log => {
      log('Starting Synapse')
      return runSynapse(parts, common('synapse', log))
    })
    add(part)
    homeserver = server.url
    accounts = await makeAccounts(dataDir, server)
  }
  const complete = serviceConfig({
    ...planned,
    firstAdmin: config.firstAdmin ?? accounts.admin?.userId,
    homeserver: { ...config.homeserver, url: homeserver, registrations },
    database: { url: database, keeperUrl: keeperDatabase },
    keys: { ...config.keys, keeperSecret: config.keys.keeperSecret ?? secret(internal.keeper) },
    sms: { ...config.sms, local: { authToken: config.sms.local.authToken ?? secret(internal.local) } },
  })
  if ('missing' in complete) throw new Error(`The start left out ${complete.missing.join(', ')}`)
  makeLogKey(complete.keys.audit, complete.homeserver.serverName)
  await stage('Homeserver check', () => checkOwnHomeserver(complete.homeserver.url, complete.homeserver.registrations))
  for (const sentence of await missingGuarantees(complete.homeserver.url))
    print(`The homeserver does not run Wardroom's module (config/synapse): ${sentence}.`)
  await stage('Database', log => fillDatabase(complete, log, accounts))
  await pages
  const configFile = writeEffective(complete)
  await stage('Services', async () => {
    const wanted = services.filter(service => service.wanted(complete))
    const starts = wanted.map(({ name }) => {
      const onSpawn = (pid: number) => record(name, pid)
      return supervise({ name, launch: () => startServiceProcess({ name, configFile, dataDir, onSpawn }), log: print })
    })
    const results = await Promise.allSettled(starts)
    for (const result of results) if (result.status === 'fulfilled') add(result.value)
    for (const result of results) if (result.status === 'rejected') throw result.reason
  })
  if (stopped()) throw new Interrupted('The start was interrupted.')
  return { config: complete, accounts, embedded, stop }
}

const token = () => randomBytes(32).toString('base64url')

/** The configured registration files, or ours in the data folder. */
const registrationFiles = (config: Config): { bots: string; ghosts: string } => {
  const { bots, ghosts } = config.homeserver.registrations
  return bots && ghosts ? { bots: resolve(bots), ghosts: resolve(ghosts) } : writeRegistrations(config)
}

const fillDatabase = async (config: ServiceConfig, log: (line: string) => void, accounts: Accounts) => {
  const seal = createSeal(readKeyFile<SealingKeys>(config.keys.file))
  const demo = Object.keys(accounts).length > 0
  const settings = demo && config.sms.provider === 'local' ? { ...demoSettings, ...config.settings } : config.settings
  const deps = { clock: systemClock, random: systemRandom, seal }
  const applied = await prepareDatabase(config.database, deps, settings, demoRoles(accounts))
  if (applied.length > 0) log(`Database brought up to date: ${applied.length} steps`)
}
