import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { buildPages } from '../../cli/start/build-page.ts'
import { scratchFolder } from './scratch.ts'

/**
 * `npm test [-- [--long] [FILE…]]`: type check, lint and format, and the pages built, and the mocha suites in lanes: two things at a time. Each lane is
 * one process with one stack of its own. A lane's lines are shown together when it is over.
 * What failed is told once more at the end; the last line is `N passed, N failed`; the exit code is 1 when any stage failed. With files, only those suites run.
 */
const root = join(import.meta.dirname, '../..')
const args = process.argv.slice(2)
const long = args.includes('--long')
const chosen = args.filter(arg => !arg.startsWith('--')).map(arg => relative(root, resolve(arg)))
const scratch = scratchFolder()

type Counts = { passed: number; failed: number; skipped: number; failures: string[] }
const total: Counts = { passed: 0, failed: 0, skipped: 0, failures: [] }
const failures: string[] = []
const running = new Set<ChildProcess>()

const seed = process.env.WARDROOM_SEED ?? String(randomInt(2 ** 31))
const environment = {
  ...process.env,
  WARDROOM_SEED: seed,
  TMPDIR: scratch,
  // A hundred short processes load the same modules.
  NODE_COMPILE_CACHE: join(scratch, 'compiled'),
  ...(long ? { WARDROOM_LONG: '1' } : {}),
}

type Running = {
  /** Has it nothing left to do? One that hangs then is ended. */
  finished?: () => boolean
  /** Takes what it prints. */
  show?: (text: string) => void
}

/** Runs one program of node_modules and gives its exit code. */
const program = async (
  script: string,
  rest: string[],
  env: NodeJS.ProcessEnv,
  { finished = () => false, show }: Running = {},
): Promise<number> => {
  const output = show ? 'pipe' : 'inherit'
  const child = spawn(process.execPath, [join(root, 'node_modules', script), ...rest], {
    cwd: root,
    env,
    stdio: ['inherit', output, output],
  })
  running.add(child)
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', show ?? (() => undefined))
  const ended = new Promise<number>(done => child.once('exit', code => done(code ?? 1))).finally(() =>
    running.delete(child),
  )
  for (;;) {
    const code = await Promise.race([ended, pause(1000, undefined, { ref: false })])
    if (code !== undefined) return code
    if (!finished()) continue
    const late = await Promise.race([ended, pause(15_000, undefined, { ref: false })])
    if (late !== undefined) return late
    const sentence = 'The tests are over, but something keeps the process alive: ended after 15 s.\n'
    if (show) show(sentence)
    else process.stdout.write(sentence)
    // Asked to end it takes its servers along.
    child.kill('SIGTERM')
    if ((await Promise.race([ended, pause(5000, undefined, { ref: false })])) === undefined) child.kill('SIGKILL')
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

const mocha = async (name: string, files: string[], show: (text: string) => void): Promise<number> => {
  const countsFile = join(scratch, `${name.replaceAll(/\W+/g, '-')}.json`)
  const flags = ['--forbid-only', '--forbid-pending', '--reporter', 'test/support/reporter.cjs']
  const env = { ...environment, WARDROOM_TEST_COUNTS: countsFile }
  const code = await program('mocha/bin/mocha.js', [...flags, ...files], env, {
    show,
    finished: () => existsSync(countsFile),
  })
  if (existsSync(countsFile)) {
    const counts = JSON.parse(readFileSync(countsFile, 'utf8')) as Counts
    total.passed += counts.passed
    total.failed += counts.failed
    total.skipped += counts.skipped
    total.failures.push(...counts.failures)
  } else {
    console.log(`The ${name} tests ended before they were done.`)
    total.failed += 1
  }
  return code
}

type Lane = { name: string; files: string[] }

/**
 * Which folders of tests go together in lanes, each one process with one stack of its own; `parts` deals the files out to so many lanes. The first need no pages,
 * which are still being built; then the longest. A file belongs to the first entry that names its folder.
 */
const together: { name: string; folders: string[]; parts: number }[] = [
  { name: 'e2e: bots', folders: ['e2e/bots'], parts: 2 },
  { name: 'e2e: pages', folders: ['e2e/pages'], parts: 2 },
  { name: 'e2e: starts', folders: ['e2e/starts'], parts: 1 },
  { name: 'e2e: care', folders: ['e2e/care'], parts: 2 },
  { name: 'integration: audit', folders: ['integration/audit'], parts: 1 },
  { name: 'integration: queues and texts', folders: ['integration/queues', 'integration/texts'], parts: 1 },
  { name: 'integration', folders: ['integration'], parts: 2 },
  { name: 'e2e: homeserver', folders: ['e2e'], parts: 1 },
  { name: 'unit', folders: ['unit'], parts: 1 },
]

/** Deals files out by their length, which is a fair guess at how long they take: the longest first, each to whoever has least. */
const dealt = (files: readonly string[], parts: number): string[][] => {
  const hands = Array.from({ length: parts }, () => ({ files: [] as string[], bytes: 0 }))
  const bytes = (file: string) => statSync(join(root, file)).size
  for (const file of files.toSorted((a, b) => bytes(b) - bytes(a))) {
    const least = hands.reduce((a, b) => (b.bytes < a.bytes ? b : a))
    least.files.push(file)
    least.bytes += bytes(file)
  }
  return hands.map(hand => (parts > 1 ? hand.files.sort() : [...files]))
}

const lanes = (): Lane[] => {
  const left = new Set([...filesOf('unit'), ...filesOf('e2e'), ...filesOf('integration')])
  const inFolder = (file: string, folder: string) => file.startsWith(join('test', folder, '/'))
  return together
    .flatMap(({ name, folders, parts }) => {
      const files = folders.flatMap(folder => [...left].filter(file => inFolder(file, folder)))
      for (const file of files) left.delete(file)
      return dealt(files, parts).map((hand, part) => ({ name: parts > 1 ? `${name} ${part + 1}` : name, files: hand }))
    })
    .filter(lane => lane.files.length > 0)
}

/** Runs lanes one after the other until the queue is empty. What a lane prints is kept until its end. */
const inLanes = async (queue: Lane[]): Promise<void> => {
  for (let lane = queue.shift(); lane && !broken; lane = queue.shift()) {
    const { name, files } = lane
    const lines: string[] = []
    const begin = performance.now()
    console.log(`\n— ${name}: ${files.length} files …`)
    const code = await mocha(name, files, text => lines.push(text))
    if (code !== 0) failures.push(name)
    const seconds = ((performance.now() - begin) / 1000).toFixed(1)
    console.log(`\n— ${name}\n${lines.join('')}\n— ${name}: ${code === 0 ? 'good' : 'FAILED'} after ${seconds} s`)
  }
}

let broken = false
/** Ctrl-C: what runs ends with its servers, and nothing else begins. */
const endAll = () => {
  broken = true
  for (const child of running) child.kill('SIGTERM')
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, endAll)
process.once('disconnect', endAll)
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }))
process.channel?.unref()

console.log(`random seed: WARDROOM_SEED=${seed} (repeats this run)${long ? '; large counts' : ''}`)
const checks = async () => {
  await stage('types', () => program('typescript/bin/tsc', ['--noEmit'], environment))
  await stage('lint and format', () => program('@biomejs/biome/bin/biome', ['check', '.'], environment))
}
const pages = () =>
  stage('pages', async () => {
    try {
      await buildPages(console.log)
      return 0
    } catch (err) {
      console.log(err)
      return 1
    }
  })
// Two at a time on two cores: three take as long together, each half as long again, and starve one another's timers.
const queue = lanes()
const whole = chosen.length === 0
await Promise.all(
  [checks, pages].map(async first => {
    if (whole) await first()
    await inLanes(queue)
  }),
)
for (const [index, failure] of total.failures.entries()) console.log(`\n  ${index + 1}) ${failure}`)
if (broken) console.log('\nThe run was broken off.')
if (failures.length > 0) console.log(`\nFailed: ${failures.join(', ')}.`)
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exitCode = broken || failures.length > 0 || total.failed > 0 || total.passed === 0 ? 1 : 0
