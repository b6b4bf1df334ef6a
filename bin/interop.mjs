// npm run test:interop [-- FILE…]: with programs that neither npm nor PyPI has. What this machine lacks is said, and fails.
import { onNode24 } from './node24.mjs'

const files = process.argv.slice(2)
const flags = ['--forbid-only', '--forbid-pending', '--reporter', 'test/support/reporter.cjs']
onNode24('node_modules/mocha/bin/mocha.js', [...flags, ...(files.length > 0 ? files : ['test/interop/**/*.test.ts'])])
