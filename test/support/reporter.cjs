const { writeFileSync } = require('node:fs')
const Mocha = require('mocha')

/** Mocha's own list, and the counts in the file WARDROOM_TEST_COUNTS for the runner that sums the stages. */
module.exports = class extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    runner.once('end', () => {
      const { passes, failures, pending } = this.stats
      const file = process.env.WARDROOM_TEST_COUNTS
      if (file) writeFileSync(file, JSON.stringify({ passed: passes, failed: failures, skipped: pending }))
    })
  }
}
