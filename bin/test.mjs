// npm test [-- [--long] [FILE…]]
import { onNode24 } from './node24.mjs'

onNode24('test/support/run.ts', process.argv.slice(2))
