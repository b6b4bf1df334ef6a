import { type CliCommand, parseOptions } from '../command.ts'

/** `wardroom demo`: the story from a clinician's message to the patient's answer, on real parts. */
export const demo: CliCommand = {
  name: 'demo',
  usage: 'demo [--json] [--screenshots FOLDER]',
  about: 'play the whole story against a fresh stack, with a real Matrix client and a real browser',
  run: async args => {
    const { values, flags } = parseOptions(args, { values: ['screenshots'], flags: ['json'] })
    // Loaded late: the browser's driver is a development package, which a server need not have.
    const { runDemo } = await import('../../demo/main.ts')
    const result = await runDemo({ json: flags.has('json'), screenshots: values.screenshots ?? 'screenshots' })
    if (flags.has('json')) console.log(JSON.stringify(result))
    return result.ok ? 0 : 1
  },
}
