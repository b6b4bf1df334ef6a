/** One step of the story as it went: milliseconds from its start to what it waited for. */
export type Step = { name: string; ms: number }

/** Tells the story's steps one after the other, each with its time; `quiet` keeps standard output for the JSON line. */
export const storyteller = (quiet: boolean) => {
  const steps: Step[] = []
  const say = quiet ? console.error : console.log
  return {
    steps,
    say,
    step: async <T>(name: string, work: () => Promise<T>): Promise<T> => {
      const begin = performance.now()
      const result = await work()
      const ms = Math.round(performance.now() - begin)
      steps.push({ name, ms })
      say(`${String(steps.length).padStart(2)}. ${name.padEnd(62)} ${String(ms).padStart(6)} ms`)
      return result
    },
  }
}
