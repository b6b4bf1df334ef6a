/**
 * Runs one step of a start and says so when it turns out to be long: `log` lines appear at once, and a step that printed something or took
 * more than 0.5 s ends with a line that has its seconds.
 */
export const step = async <T>(
  name: string,
  run: (log: (line: string) => void) => Promise<T>,
  print: (line: string) => void = console.log,
): Promise<T> => {
  const begin = performance.now()
  let said = false
  const result = await run(line => {
    said = true
    print(`${line} …`)
  })
  const seconds = (performance.now() - begin) / 1000
  if (said || seconds > 0.5) print(`${name}: ready after ${seconds.toFixed(1)} s`)
  return result
}
