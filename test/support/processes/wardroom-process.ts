import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '../eventually.ts'

const root = join(import.meta.dirname, '../../..')

/** A `wardroom start` in a process group of its own, as a terminal would start it. */
export type WardroomProcess = {
  readonly output: () => string
  readonly exited: Promise<number | null>
  /** Resolves when the table was printed; throws the output when it ends before. */
  ready(): Promise<void>
  /** What a terminal's Ctrl-C does: SIGINT to the whole group. */
  ctrlC(): void
  /** SIGKILL to the group: the program and its wrapper, not the parts, which have groups of their own. */
  killSupervisor(): void
}

/** Starts `wardroom start` with these arguments and variables; the system's PATH unless `env` has another. */
export const startWardroomProcess = (args: string[], env: NodeJS.ProcessEnv = {}): WardroomProcess => {
  const child: ChildProcess = spawn(process.execPath, [join(root, 'bin/wardroom.mjs'), 'start', ...args], {
    cwd: root,
    detached: true,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  let over = false
  const exited = new Promise<number | null>(resolve =>
    child.once('close', code => {
      over = true
      resolve(code)
    }),
  )
  const signal = (name: NodeJS.Signals) => {
    if (!over && child.pid) process.kill(-child.pid, name)
  }
  return {
    output: () => output,
    exited,
    ready: async () => {
      await eventually(() => output.includes('Ctrl-C stops everything.') || over, {
        timeout: 120_000,
        what: 'the table',
      })
      if (over) throw new Error(`wardroom start ended:\n${output}`)
    },
    ctrlC: () => signal('SIGINT'),
    killSupervisor: () => signal('SIGKILL'),
  }
}

export type Listed = { name: string; pid: number; identity: string }

/** The processes that the supervisor of a data folder noted. */
export const listedProcesses = (dataDir: string): Listed[] => {
  const file = join(dataDir, 'run/processes.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Listed[]) : []
}

/** Every living process whose command line names the folder, from /proc. */
export const processesNaming = (folder: string): { pid: number; command: string }[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(name => {
      try {
        return { pid: Number(name), command: readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ') }
      } catch {
        return { pid: Number(name), command: '' } // it ended meanwhile
      }
    })
    .filter(({ command }) => command.includes(folder))
