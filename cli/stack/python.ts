import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Explained } from '../command.ts'
import { installers, type Python } from './pip.ts'

const run = promisify(execFile)

/** Where what is downloaded once and shared by data folders and tests is kept. */
export const cacheFolder = (env = process.env): string =>
  env.WARDROOM_CACHE ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'wardroom')

const supported = { min: 10, max: 14 }
const requirementsFile = join(import.meta.dirname, '../../config/synapse/requirements.txt')

/** What of the person's shell would redirect Python or pip, or keep Python from storing what it has compiled, which makes each start of Synapse three seconds longer. */
const unwanted = new Set([
  'PYTHONPATH',
  'PYTHONHOME',
  'PYTHONDONTWRITEBYTECODE',
  'PYTHONPYCACHEPREFIX',
  'PIP_USER',
  'PIP_TARGET',
  'PIP_PREFIX',
  'PIP_REQUIRE_VIRTUALENV',
  'VIRTUAL_ENV',
])

export const pythonEnvironment = (env = process.env): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !unwanted.has(name)))

/** The first Python on the path that the pinned packages support; throws a sentence that names what was found. */
export const findPython = async (env = process.env): Promise<Python> => {
  const wanted = env.WARDROOM_PYTHON ? [env.WARDROOM_PYTHON] : []
  for (let minor = supported.max; minor >= supported.min; minor--) wanted.push(`python3.${minor}`)
  wanted.splice(env.WARDROOM_PYTHON ? 1 : 0, 0, 'python3')
  const script =
    'import sys,platform,json;print(json.dumps([sys.executable,sys.version_info[1],platform.machine(),sys.version_info[0]]))'
  const seen: string[] = []
  for (const command of wanted) {
    const answer = await run(command, ['-c', script], { env: pythonEnvironment(env) }).catch(() => undefined)
    if (!answer) continue
    const [executable, minor, machine, major] = JSON.parse(answer.stdout) as [string, number, string, number]
    if (major === 3 && minor >= supported.min && minor <= supported.max)
      return { executable, version: `3.${minor}`, machine }
    seen.push(`${command} is ${major}.${minor}`)
  }
  const found = seen.length > 0 ? ` (${seen.join(', ')})` : ''
  throw new Explained(
    `Synapse needs Python 3.${supported.min} to 3.${supported.max} and none is on the path${found}: install one (Debian, Ubuntu: apt-get install python3), name one in WARDROOM_PYTHON, or set HOMESERVER_URL to use a homeserver of your own.`,
  )
}

/**
 * Makes the Python environment that holds Synapse, once per requirements file and Python version, and gives its interpreter.
 * Every package is checked against its pinned hash. It is built beside its place and renamed, so that a kill or a second process is harmless.
 */
export const synapseEnvironment = async (options: { cache?: string; log: (line: string) => void }): Promise<string> => {
  const python = await findPython()
  const key = createHash('sha256').update(readFileSync(requirementsFile)).digest('hex').slice(0, 16)
  const cache = options.cache ?? cacheFolder()
  const ready = join(cache, `synapse-${key}-py${python.version}-${python.machine}`)
  const interpreter = join(ready, 'bin/python')
  if (existsSync(join(ready, 'ready')) && existsSync(interpreter)) return interpreter
  mkdirSync(cache, { recursive: true, mode: 0o700 })
  removeAbandoned(cache)
  const partial = `${ready}.${process.pid}-${randomBytes(3).toString('hex')}.partial`
  options.log('Installing Synapse into a Python environment')
  try {
    await install(python, partial)
    writeFileSync(join(partial, 'ready'), '')
    settle(partial, ready)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
  return interpreter
}

/** Puts the finished environment in its place, unless another process was first; one that a kill left broken there is replaced. */
const settle = (partial: string, ready: string): void => {
  try {
    renameSync(partial, ready)
  } catch (error) {
    if (existsSync(join(ready, 'ready')) && existsSync(join(ready, 'bin/python'))) return
    if (!existsSync(ready)) throw error
    rmSync(ready, { recursive: true, force: true })
    renameSync(partial, ready)
  }
}

const install = async (python: Python, target: string): Promise<void> => {
  const failures: string[] = []
  for (const { name, prepare } of installers) {
    rmSync(target, { recursive: true, force: true })
    try {
      const pip = await prepare(python, target)
      const packages = [
        'install',
        '--require-hashes',
        '--only-binary',
        ':all:',
        '--no-deps',
        '--no-compile',
        '--retries',
        '2',
        '-q',
        '-r',
        requirementsFile,
      ]
      await run(pip.command, [...pip.args, ...packages], { env: pythonEnvironment(), maxBuffer: 64 * 1024 * 1024 })
      return
    } catch (error) {
      failures.push(`- ${name}: ${reason(error)}`)
    }
  }
  throw new Explained(
    `Synapse could not be installed with ${python.executable} (Python ${python.version}):\n${failures.join('\n')}\nWays on: check that the package index can be reached (pip's settings and proxy variables are used), install python3-venv and python3-pip, or set HOMESERVER_URL to use a homeserver of your own.`,
  )
}

const reason = (error: unknown): string => {
  const { stderr, message } = error as { stderr?: string; message: string }
  const lines = (stderr ?? '').split('\n').filter(line => /error|could not|no module|not found/i.test(line))
  return lines.at(-1)?.trim() ?? message.split('\n')[0] ?? 'unknown'
}

const removeAbandoned = (cache: string): void => {
  for (const name of readdirSync(cache)) {
    if (!name.endsWith('.partial')) continue
    const path = join(cache, name)
    if (Date.now() - statSync(path).mtimeMs > 3_600_000) rmSync(path, { recursive: true, force: true })
  }
}
