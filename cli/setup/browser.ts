import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { Explained } from '../command.ts'
import { cacheFolder } from '../stack/python.ts'

/** A Chromium for the browser tests: what to start, and what it needs in its environment. */
export type Browser = { executablePath: string; env: Record<string, string> }

// Ships a headless Chromium inside the npm package, so that no other download site is needed.
const packaged = { name: '@sparticuz/chromium', version: '153.0.0' }
const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const debianLine = 'apt-get install chromium'

/** The browser that tests use, the first that starts: WARDROOM_CHROMIUM and no other when it is set, else one on the path, else the one that setup installed. */
export const findBrowser = async (env = process.env): Promise<Browser | undefined> => {
  for (const browser of candidates(env)) if (await starts(browser)) return browser
  return undefined
}

const candidates = (env: NodeJS.ProcessEnv): Browser[] => {
  if (env.WARDROOM_CHROMIUM) return [{ executablePath: env.WARDROOM_CHROMIUM, env: {} }]
  const installed = packagedIn(packageFolder(env))
  return [...onPath(env).map(executablePath => ({ executablePath, env: {} })), ...(installed ? [installed] : [])]
}

type EnsureOptions = { log: (line: string) => void; env?: NodeJS.ProcessEnv }

/** Finds a browser that starts, else installs the packaged one into the cache. @throws Explained with the package to install when neither works. */
export const ensureBrowser = async ({ log, env = process.env }: EnsureOptions): Promise<Browser> => {
  const found = await findBrowser(env)
  if (found) return found
  const named = env.WARDROOM_CHROMIUM
  if (named) throw new Explained(`WARDROOM_CHROMIUM is "${named}", and that does not start as a browser.`)
  log(`No Chromium on this machine: installing ${packaged.name} ${packaged.version}`)
  const installed = await install(env).catch(cause => {
    throw new Explained(
      `The tests need a browser, and ${packaged.name} could not be installed: ${debianLine}, or name one in WARDROOM_CHROMIUM.`,
      { cause },
    )
  })
  if (await starts(installed)) return installed
  throw new Explained(
    `The tests need a browser, and the one from npm does not run here: ${debianLine}, or name one in WARDROOM_CHROMIUM.`,
  )
}

const onPath = (env: NodeJS.ProcessEnv): string[] =>
  (env.PATH ?? '')
    .split(delimiter)
    .flatMap(folder => names.map(name => join(folder, name)))
    .filter(file => existsSync(file))

/** What `install` noted in its folder; undefined when there is nothing, or it was killed while it wrote that. */
const packagedIn = (folder: string): Browser | undefined => {
  try {
    return JSON.parse(readFileSync(join(folder, 'browser.json'), 'utf8')) as Browser
  } catch {
    return undefined
  }
}

const starts = async ({ executablePath, env }: Browser): Promise<boolean> =>
  promisify(execFile)(executablePath, ['--version'], { env: { ...process.env, ...env }, timeout: 30_000 }).then(
    () => true,
    () => false,
  )

/** Where the packaged browser is kept, for all clones of this user. */
export const packageFolder = (env: NodeJS.ProcessEnv): string => join(cacheFolder(env), `chromium-${packaged.version}`)

/** Installs the package beside its place, renames it, unpacks the browser inside it, and notes what to start, last. */
const install = async (env: NodeJS.ProcessEnv): Promise<Browser> => {
  const folder = packageFolder(env)
  const partial = `${folder}.${process.pid}.partial`
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(partial, { recursive: true, mode: 0o700 })
  writeFileSync(join(partial, 'package.json'), '{ "private": true }')
  const args = [
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    `${packaged.name}@${packaged.version}`,
  ]
  execFileSync('npm', args, { cwd: partial, stdio: ['ignore', 'ignore', 'inherit'] })
  rmSync(folder, { recursive: true, force: true })
  renameSync(partial, folder)
  // The package unpacks into the folder for temporary files, beside the libraries that it brings.
  const unpacked = join(folder, 'unpacked')
  mkdirSync(unpacked)
  const script = `const { default: c } = await import(${JSON.stringify(entryPoint(folder))}); console.log(await c.executablePath())`
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: {
      ...process.env,
      TMPDIR: unpacked,
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x',
      AWS_LAMBDA_JS_RUNTIME: 'nodejs22.x',
    },
  })
  const browser = { executablePath: output.trim(), env: { LD_LIBRARY_PATH: join(unpacked, 'al2023/lib') } }
  writeFileSync(join(folder, 'browser.json'), JSON.stringify(browser))
  return browser
}

const entryPoint = (folder: string): string =>
  pathToFileURL(createRequire(join(folder, 'package.json')).resolve(packaged.name)).href
