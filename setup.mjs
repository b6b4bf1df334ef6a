// Runs before `npm start` and `npm test`, on whatever Node >= 20 the machine has and with nothing installed:
// installs the packages when the lock file changed, then lets Node 24 (one of the packages) do the rest in cli/setup/main.ts.
// `node setup.mjs --stamp` notes that node_modules fits the lock file without installing.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(fileURLToPath(import.meta.url))
const stamp = join(root, 'node_modules/.wardroom-stamp')
const node24 = join(root, `node_modules/node-linux-${process.arch}/bin/node`)
const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex')

const fail = sentence => {
  console.error(`\n${sentence}`)
  process.exit(1)
}

const installed = () => existsSync(stamp) && readFileSync(stamp, 'utf8').trim() === wanted

const install = () => {
  console.log('Installing packages (once, 20 to 60 s) …')
  const begin = Date.now()
  // Inside `npm start`, the very npm that runs us; no package needs its install script.
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm']
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const { status, error } = spawnSync(npm[0], [...npm.slice(1), ...args], { cwd: root, stdio: 'inherit' })
  if (error) fail(`npm could not be started (${error.code}): install npm, then run this again.`)
  if (status !== 0)
    fail(
      'The packages could not be installed; npm says why above. If the registry cannot be reached, set one that can: npm config set registry https://…, or HTTPS_PROXY.',
    )
  writeFileSync(stamp, `${wanted}\n`)
  console.log(`Installing packages: done in ${((Date.now() - begin) / 1000).toFixed(1)} s`)
}

if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch))
  fail(
    `Wardroom runs on Linux, amd64 or arm64, and this is ${process.platform} ${process.arch}: use docker-compose.yml, or a virtual machine.`,
  )
if (Number(process.versions.node.split('.')[0]) < 20)
  fail(`Setting up needs Node 20 or newer, and this is ${process.version} (Wardroom itself then brings its own).`)

if (process.argv.includes('--stamp')) {
  writeFileSync(stamp, `${wanted}\n`)
} else {
  if (!installed()) install()
  const works = spawnSync(node24, ['--version'])
  if (works.status !== 0)
    fail(
      `The package node-linux-${process.arch} is missing or does not run here (it needs glibc): remove node_modules and run this again.`,
    )
  const { status } = spawnSync(node24, [join(root, 'cli/setup/main.ts'), ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  process.exit(status ?? 1)
}
