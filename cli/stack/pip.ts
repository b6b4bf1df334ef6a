import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A Python interpreter and the machine it was built for. */
export type Python = { executable: string; version: string; machine: string }

/** A command line that runs pip on an environment; a subcommand follows `args`. */
type Pip = { command: string; args: string[] }

/** One way to get an empty environment with a pip that installs into it; `prepare` throws when this machine cannot. */
export type Installer = { name: string; prepare: (python: Python, target: string) => Promise<Pip> }

const wheel = {
  file: 'pip-26.3-py3-none-any.whl',
  sha256: 'f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13',
}

const bare = async (python: Python, target: string): Promise<string> => {
  await run(python.executable, ['-m', 'venv', '--without-pip', target])
  return join(target, 'bin/python')
}

/** The ways in the order of their speed; each works where the one before may not (Debian ships Python without pip and without ensurepip). */
export const installers: Installer[] = [
  {
    name: "the system's pip",
    prepare: async (python, target) => {
      const { stdout } = await run(python.executable, ['-m', 'pip', '--version'])
      const [, major, minor] = /pip (\d+)\.(\d+)/.exec(stdout) ?? []
      if (Number(major) * 100 + Number(minor) < 2203) throw new Error(`pip ${major}.${minor} is too old`)
      const inside = await bare(python, target)
      return { command: python.executable, args: ['-m', 'pip', '--python', inside] }
    },
  },
  {
    name: 'ensurepip',
    prepare: async (python, target) => {
      await run(python.executable, ['-m', 'venv', target])
      return { command: join(target, 'bin/python'), args: ['-m', 'pip'] }
    },
  },
  {
    name: 'pip from the package index',
    prepare: async (python, target) => {
      const inside = await bare(python, target)
      return { command: inside, args: [join(await downloadPip(target), 'pip')] }
    },
  },
]

/** Fetches the pinned pip wheel from the configured index (PIP_INDEX_URL, else PyPI); a wheel can be run as it is. */
const downloadPip = async (target: string): Promise<string> => {
  const page = `${(process.env.PIP_INDEX_URL ?? 'https://pypi.org/simple').replace(/\/$/, '')}/pip/`
  const listing = await fetch(page, { headers: { accept: 'text/html' }, signal: AbortSignal.timeout(60_000) })
  if (!listing.ok) throw new Error(`${new URL(page).host} answered ${listing.status}`)
  const links = (await listing.text()).matchAll(/href="([^"]+)"/g)
  const href = [...links].map(link => link[1] ?? '').find(link => link.includes(wheel.file))
  if (!href) throw new Error(`${wheel.file} is not on ${new URL(page).host}`)
  const response = await fetch(new URL(href, page), { signal: AbortSignal.timeout(120_000) })
  const bytes = Buffer.from(await response.arrayBuffer())
  if (createHash('sha256').update(bytes).digest('hex') !== wheel.sha256)
    throw new Error(`${wheel.file} does not have the pinned hash`)
  const file = join(target, wheel.file)
  mkdirSync(target, { recursive: true })
  writeFileSync(file, bytes)
  return file
}
