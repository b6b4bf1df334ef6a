/** One subcommand of `wardroom`. */
export type CliCommand = {
  name: string
  /** How it is called, for the overview. */
  usage: string
  about: string
  /** Gives the exit code. */
  run(args: string[]): Promise<number>
}

/** A mistake in how the program was called, or a state of the machine that a person can mend: printed as one sentence, without a stack. */
export class Explained extends Error {
  constructor(sentence: string, options?: ErrorOptions) {
    super(sentence, options)
    this.name = 'Explained'
  }
}

/** Splits `--name value`, `--name=value` and `--flag` from the rest; an option of `lists` may be given several times. @throws Explained for an option that is not in `known`. */
export const parseOptions = (
  args: string[],
  known: { values?: string[]; flags?: string[]; lists?: string[] },
): { values: Record<string, string>; lists: Record<string, string[]>; flags: Set<string>; rest: string[] } => {
  const values: Record<string, string> = {}
  const lists: Record<string, string[]> = {}
  const flags = new Set<string>()
  const rest: string[] = []
  const queue = [...args]
  for (let arg = queue.shift(); arg !== undefined; arg = queue.shift()) {
    if (!arg.startsWith('--')) {
      rest.push(arg)
      continue
    }
    const [name = '', inline] = arg.slice(2).split(/=(.*)/s)
    if (known.flags?.includes(name)) flags.add(name)
    else if (known.values?.includes(name) || known.lists?.includes(name)) {
      const value = inline ?? queue.shift()
      if (value === undefined) throw new Explained(`--${name} needs a value.`)
      if (known.lists?.includes(name)) lists[name] = [...(lists[name] ?? []), value]
      else values[name] = value
    } else throw new Explained(`There is no option --${name}.`)
  }
  return { values, lists, flags, rest }
}
