import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/**
 * `npm test [-- [--long] [FILE…]]`: type check, lint and format, then the mocha suites one after the other, each in one process with one stack.
 * The last line is `N passed, N failed`; the exit code is 1 when any stage failed. With files, only those suites run.
 */
const root = join(import.meta.dirname, '../..')
const suites = ['unit', 'integration', 'e2e']
const args = process.argv.slice(2)
const long = args.includes('--long')
const chosen = args.filter(arg => !arg.startsWith('--')).map(arg => relative(root, resolve(arg)))
const scratch = mkdtempSync(join(tmpdir(), 'wardroom-run-'))

type Counts = { passed: number; failed: number; skipped: number }
const total: Counts = { passed: 0, failed: 0, skipped: 0 }
const failures: string[] = []
let current: ChildProcess | undefined

const seed = process.env.WARDROOM_SEED ?? String(randomInt(2 ** 31))
const environment = { ...process.env, WARDROOM_SEED: seed, ...(long ? { WARDROOM_LONG: '1' } : {}) }

/** Runs one program of node_modules and gives its exit code; `finished` says when it has nothing left to do, so that one that hangs is ended. */
const program = async (
  script: string,
  rest: string[],
  env: NodeJS.ProcessEnv,
  finished = () => false,
): Promise<number> => {
  const child = spawn(process.execPath, [join(root, 'node_modules', script), ...rest], {
    cwd: root,
    env,
    stdio: 'inherit',
  })
  current = child
  const ended = new Promise<number>(done => child.once('exit', code => done(code ?? 1)))
  for (;;) {
    const code = await Promise.race([ended, pause(1000, undefined, { ref: false })])
    if (code !== undefined) return code
    if (!finished()) continue
    const late = await Promise.race([ended, pause(15_000, undefined, { ref: false })])
    if (late !== undefined) return late
    console.log('The tests are over, but something keeps the process alive: ended after 15 s.')
    child.kill('SIGKILL')
    return 1
  }
}

const stage = async (name: string, run: () => Promise<number>): Promise<void> => {
  const begin = performance.now()
  console.log(`\n— ${name}`)
  const code = await run()
  if (code !== 0) failures.push(name)
  console.log(`— ${name}: ${code === 0 ? 'good' : 'FAILED'} after ${((performance.now() - begin) / 1000).toFixed(1)} s`)
}

const filesOf = (suite: string): string[] => {
  const folder = join(root, 'test', suite)
  const all = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : []
  const files = all.filter(file => file.endsWith('.test.ts')).map(file => join('test', suite, file))
  return files.filter(file => chosen.length === 0 || chosen.includes(file)).sort()
}

const mocha = (suite: string, files: string[]) => async (): Promise<number> => {
  const countsFile = join(scratch, `${suite}.json`)
  const flags = ['--forbid-only', '--forbid-pending', '--reporter', 'test/support/reporter.cjs']
  const env = { ...environment, WARDROOM_TEST_COUNTS: countsFile }
  const code = await program('mocha/bin/mocha.js', [...flags, ...files], env, () => existsSync(countsFile))
  if (existsSync(countsFile)) {
    const counts = JSON.parse(readFileSync(countsFile, 'utf8')) as Counts
    total.passed += counts.passed
    total.failed += counts.failed
    total.skipped += counts.skipped
  } else {
    console.log(`The ${suite} tests ended before they were done.`)
    total.failed += 1
  }
  return code
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => current?.kill(signal))
process.once('disconnect', () => current?.kill('SIGTERM'))
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }))
process.channel?.unref()

console.log(`random seed: WARDROOM_SEED=${seed} (repeats this run)${long ? '; large counts' : ''}`)
if (chosen.length === 0) {
  await stage('types', () => program('typescript/bin/tsc', ['--noEmit'], environment))
  await stage('lint and format', () => program('@biomejs/biome/bin/biome', ['check', '.'], environment))
}
for (const suite of suites) {
  const files = filesOf(suite)
  if (files.length > 0) await stage(suite, mocha(suite, files))
}
if (failures.length > 0) console.log(`\nFailed: ${failures.join(', ')}.`)
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exitCode = failures.length > 0 || total.failed > 0 || total.passed === 0 ? 1 : 0
