import { join } from 'node:path'
import { leaves } from '../../config/entries.ts'
import { startChild } from '../stack/child.ts'
import type { Running } from './supervise.ts'

const main = join(import.meta.dirname, '../main.ts')

/** The environment of a service: ours, without the variables that would replace entries of the file that it is given. */
const environment = (): NodeJS.ProcessEnv => {
  const ours = new Set([...leaves().map(leaf => leaf.env), 'WARDROOM_CONFIG'])
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.has(name)))
}

type ServiceProcess = { name: string; configFile: string; dataDir: string; onSpawn: (pid: number) => void }

/** Starts `wardroom run NAME` and resolves when the service says that it is ready; throws with its last log lines when it ends before. */
export const startServiceProcess = async ({ name, configFile, dataDir, onSpawn }: ServiceProcess): Promise<Running> => {
  const logFile = join(dataDir, 'logs', `${name}.log`)
  const child = await startChild({
    command: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', main, 'run', name, '--config', configFile],
    logFile,
    env: environment(),
    messages: true,
    onSpawn,
  })
  const ready = new Promise<'ready'>(resolve => child.onMessage(message => message === 'ready' && resolve('ready')))
  const first = await Promise.race([ready, child.exited])
  if (first !== 'ready') throw child.endedAtOnce(name)
  return { pid: child.pid, exited: child.exited, stop: () => child.stop('SIGTERM', 15_000) }
}
