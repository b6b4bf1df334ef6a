import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, fstatSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { Explained } from '../command.ts'

/** A started program: its process id, how it ended, and a way to end it. */
export type Child = {
  readonly pid: number
  readonly exited: Promise<Exit>
  /** What the program sent, when it was started with `messages`. */
  onMessage(listener: (message: unknown) => void): void
  /** True until the program has ended. */
  alive(): boolean
  /** The last lines that this program, and none before it, has written to its log. */
  lastLines(lines?: number): string
  /** The sentence for one that ended when it should have begun to serve. */
  endedAtOnce(name: string): Explained
  /** Sends `signal`, waits `graceMs`, then SIGKILL; resolves when the program is gone. */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<void>
  /** SIGKILL, as a power cut would; resolves when the program is gone. */
  kill(): Promise<void>
}

export type Exit = { code: number | null; signal: NodeJS.Signals | null }

export type ChildOptions = {
  command: string
  args: string[]
  logFile: string
  env?: NodeJS.ProcessEnv
  cwd?: string
  uid?: number
  gid?: number
  /** Opens a channel: a Node program then can send messages, and sees `disconnect` when we are killed. */
  messages?: boolean
  /** Called with the process id before anything is awaited, so that a later start can end an orphan. */
  onSpawn?: (pid: number) => void
}

/** Starts a program in a process group of its own, so that Ctrl-C in the terminal reaches only us and we stop it in order; throws when it cannot be started. */
export const startChild = async (options: ChildOptions): Promise<Child> => {
  rotate(options.logFile)
  const out = openSync(options.logFile, 'a', 0o600)
  const begin = fstatSync(out).size
  const child = spawn(options.command, options.args, {
    detached: true,
    stdio: options.messages ? ['ignore', out, out, 'ipc'] : ['ignore', out, out],
    env: options.env ?? process.env,
    cwd: options.cwd,
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.gid }),
  })
  closeSync(out)
  const exited = new Promise<Exit>(resolve => child.once('exit', (code, signal) => resolve({ code, signal })))
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', cause => reject(new Explained(`${basename(options.command)} could not be started`, { cause })))
  })
  const pid = child.pid
  if (pid === undefined) throw new Error(`${basename(options.command)} started without a process id`)
  options.onSpawn?.(pid)
  const lastLines = (lines = 12) => written(options.logFile, begin).trimEnd().split('\n').slice(-lines).join('\n')
  const endedAtOnce = (name: string) => {
    const how = child.signalCode ?? `status ${child.exitCode}`
    const log = lastLines()
    return new Explained(`${name} ended at once (${how}); ${log ? `its log says:\n${log}` : 'it logged nothing'}`)
  }
  const onMessage: Child['onMessage'] = listener => void child.on('message', listener)
  return { pid, exited, onMessage, lastLines, endedAtOnce, ...endings(child, exited) }
}

const endings = (child: ChildProcess, exited: Promise<Exit>): Pick<Child, 'alive' | 'stop' | 'kill'> => {
  const alive = () => child.exitCode === null && child.signalCode === null
  const stop = async (signal: NodeJS.Signals = 'SIGTERM', graceMs = 10_000) => {
    if (alive()) child.kill(signal)
    const timer = setTimeout(() => alive() && child.kill('SIGKILL'), graceMs)
    await exited
    clearTimeout(timer)
  }
  return { alive, stop, kill: () => stop('SIGKILL') }
}

const longestLogBytes = 20 * 1024 * 1024

/** Keeps one earlier log beside the current one. */
const rotate = (file: string): void => {
  if (existsSync(file) && statSync(file).size > longestLogBytes) renameSync(file, `${file}.1`)
}

/** What a log has had added since it was `begin` bytes long. */
const written = (file: string, begin: number): string => {
  try {
    return readFileSync(file).subarray(begin).toString('utf8')
  } catch {
    return ''
  }
}
