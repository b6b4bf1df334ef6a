#!/usr/bin/env node
import { onNode24 } from './node24.mjs'

onNode24('cli/main.ts', process.argv.slice(2))
