import type { CliCommand } from '../command.ts'

/** `wardroom bench [AREA…]`: one JSON line per figure. */
export const bench: CliCommand = {
  name: 'bench',
  usage: 'bench [AREA…]',
  about: 'measure against the bare homeserver, database and libraries; one JSON line per figure',
  run: async args => {
    // Loaded late: it uses the tests' helpers, which a server need not have.
    const { runBench } = await import('../../bench/main.ts')
    const code = await runBench(args)
    // A client that was given up in the middle of its start goes on trying to reach a homeserver that is gone.
    process.exit(code)
  },
}
