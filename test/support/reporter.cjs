const { writeFileSync } = require('node:fs')
const { relative } = require('node:path')
const Mocha = require('mocha')

const countsFile = process.env.WARDROOM_TEST_COUNTS
const seconds = ms => `${(ms / 1000).toFixed(1)} s`

/** What still keeps the process alive, by kind: the runner ends it after a while, and this says where to look. */
const tellWhatIsLeft = () => {
  const left = process.getActiveResourcesInfo()
  const kinds = [...new Set(left)].map(kind => `${left.filter(one => one === kind).length} × ${kind}`)
  console.log(`Still open 5 s after the last test: ${kinds.join(', ')}`)
}

/** Mocha's own list, the files that took longest with their preparations, and in the file WARDROOM_TEST_COUNTS, for the runner that sums the stages: the counts, and what failed with the first lines of why. */
module.exports = class extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    const took = new Map()
    const failed = []
    runner.on('fail', (test, error) => {
      const why = String(error?.stack ?? error)
        .split('\n')
        .slice(0, 12)
      failed.push(`${test.fullTitle()}\n      ${why.join('\n      ')}`)
    })
    let begin = 0
    const outermost = suite => suite.parent?.root
    runner.on('suite', suite => {
      if (outermost(suite)) begin = performance.now()
    })
    runner.on('suite end', suite => {
      if (!outermost(suite)) return
      const file = relative(process.cwd(), suite.file ?? '')
      took.set(file, (took.get(file) ?? 0) + performance.now() - begin)
    })
    runner.once('end', () => {
      if (!countsFile) return
      const { passes, failures, pending } = this.stats
      const slow = [...took].filter(([, ms]) => ms > 5000).sort((a, b) => b[1] - a[1])
      if (slow.length > 0) console.log(`  ${slow.map(([file, ms]) => `${seconds(ms)} ${file}`).join('\n  ')}\n`)
      setTimeout(tellWhatIsLeft, 5000).unref()
      writeFileSync(
        countsFile,
        JSON.stringify({ passed: passes, failed: failures, skipped: pending, failures: failed }),
      )
    })
  }
}
