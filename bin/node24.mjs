// Runs a program of ours on the Node 24 that npm installed, whatever Node the machine has.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const node24 = join(root, `node_modules/node-linux-${process.arch}/bin/node`)

/** Starts `script` (below the root) and ends with its exit code. The child notices by its channel when this process is killed. */
export const onNode24 = (script, args) => {
  if (!existsSync(node24)) {
    console.error('The packages are not installed: run "node setup.mjs start".')
    process.exit(1)
  }
  const child = spawn(node24, ['--disable-warning=ExperimentalWarning', join(root, script), ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  // Ctrl-C reaches the child by itself: it is in the terminal's group. Other signals are handed on.
  process.on('SIGINT', () => undefined)
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  // npm starts us through a shell, which a signal to npm ends without handing it on: then the shell's death is the signal.
  const parent = process.ppid
  if (process.env.npm_lifecycle_event) setInterval(() => process.ppid !== parent && child.kill('SIGTERM'), 500).unref()
  child.on('exit', (code, signal) => {
    if (signal) process.removeAllListeners(signal)
    if (signal) process.kill(process.pid, signal)
    else process.exit(code ?? 1)
  })
}
